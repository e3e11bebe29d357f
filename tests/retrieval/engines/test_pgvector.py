"""Engine "pgvector" on a real server: the contract, crashes, lost connections, bad input."""

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from retrieval.catalog import Item
from retrieval.engines import Place, open_index
from retrieval.engines.pgvector import PgvectorIndex
from retrieval.errors import CatalogError, EncoderMismatch, IndexError_, IndexLocked
from retrieval.filters import Compare
from tests.retrieval.engines.pg_server import replaced
from tests.retrieval.index_contract import *  # noqa: F403
from tests.retrieval.index_contract import ENCODER, SHOP, found, make_items, put, vectors_of

ROOT = Path(__file__).parents[3]
names = (f"t{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server(postgres):
    return postgres


@pytest.fixture(scope="module")
def url(postgres):
    return postgres.database("attune_contract")


@pytest.fixture
def make_index(url):
    def make(folder, encoder_name="hashing-16", dimension=16, write=True):
        name = "t_" + hashlib.sha256(str(folder).encode()).hexdigest()[:20]
        return PgvectorIndex(url, name, encoder_name, dimension, write=write)

    return make


@pytest.fixture
def name():
    return next(names)


@pytest.fixture
def shop(url, name):
    index = PgvectorIndex(url, name, "hashing-16", 16)
    put(index, SHOP)
    yield index
    index.close()


def sql(url, statement):
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


# Two writers, crashes, lost connections


def test_second_writer_is_refused(url, name, shop):
    with pytest.raises(IndexLocked, match=str(os.getpid())):
        PgvectorIndex(url, name, "hashing-16", 16)
    reader = PgvectorIndex(url, name, "hashing-16", 16, write=False)
    with pytest.raises(IndexError_, match="opened for reading"):
        put(reader, SHOP)
    put(shop, [Item("new", "thing")])
    assert reader.count() == len(SHOP) + 1
    reader.close()
    shop.close()
    PgvectorIndex(url, name, "hashing-16", 16).close()


WRITER = """
    import sys
    from retrieval.catalog import Item
    from retrieval.encoder import HashingEncoder
    from retrieval.engines.pgvector import PgvectorIndex
    encoder = HashingEncoder(16)
    index = PgvectorIndex(sys.argv[1], sys.argv[2], encoder.name, 16)
    for turn in range(100_000):
        items = [Item(f"{turn}-{n}", f"thing {turn}", fields={"turn": float(turn)}) for n in (0, 1)]
        items.append(Item("same", f"turn {turn}"))
        index.apply(items, encoder.encode_items([i.title for i in items]), [f"{turn - 2}-0"])
        print(turn, flush=True)
"""


def test_acknowledged_writes_survive_kill(url, name):
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url, name],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    lines = [writer.stdout.readline() for _ in range(20)]
    with pytest.raises(IndexLocked, match=str(writer.pid)):
        PgvectorIndex(url, name, "hashing-16", 16)
    os.kill(writer.pid, signal.SIGKILL)
    lines += writer.stdout.read().split("\n")
    writer.wait()
    writer.stdout.close()
    last = max(int(line) for line in lines if line.strip())
    index = open_when_free(url, name)
    ids = set(index.ids())
    assert {f"{turn}-1" for turn in range(last + 1)} <= ids
    # A call is there as a whole or not at all.
    final = int(index.get(["same"])[0].title.removeprefix("turn "))
    assert final in (last, last + 1)
    assert index.count(Compare("turn", "eq", float(final))) == 2
    assert index.count(Compare("turn", "gt", float(final))) == 0
    assert found(index.search(text=f"thing {final}", k=2)) == [f"{final}-0", f"{final}-1"]
    index.close()


def open_when_free(url, name):
    """Open for writing, as soon as the server has noticed that the last writer died."""
    for _ in range(100):
        try:
            return PgvectorIndex(url, name, "hashing-16", 16)
        except IndexLocked:
            threading.Event().wait(0.05)
    raise AssertionError("the lock of a dead writer is still held")


def test_lost_connections_are_replaced(server, url, name, shop):
    if server.server is None:
        pytest.skip("only a server of one's own is restarted")
    reader = PgvectorIndex(url, name, "hashing-16", 16, write=False)
    assert reader.count() == len(SHOP)
    server.restart()
    assert found(reader.search(text="boots")) == ["s2"]
    put(shop, [Item("after", "the crash")])
    assert found(reader.search(text="crash")) == ["after"]
    with pytest.raises(IndexLocked):
        PgvectorIndex(url, name, "hashing-16", 16)
    reader.close()


def test_lock_lost_to_another_is_noticed(url, name, shop):
    pids = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    sql(url, pids)
    other = PgvectorIndex(url, name, "hashing-16", 16)
    with pytest.raises(IndexLocked, match=str(os.getpid())):
        put(shop, SHOP)
    assert shop.count() == len(SHOP)
    other.close()
    put(shop, [Item("new", "thing")])
    assert shop.get(["new"]) == [Item("new", "thing")]


def test_stopped_server_is_named(server, url, name, shop):
    if server.server is None:
        pytest.skip("only a server of one's own is stopped")
    server.control("stop", "-m", "fast")
    try:
        for call in (shop.count, lambda: shop.delete(["s1"])):
            with pytest.raises(IndexError_, match=r"cannot .* at .*attune_contract"):
                call()
    finally:
        server.start_again()
    assert shop.ids() == [item.id for item in SHOP]


def test_failed_write_leaves_nothing(url, name, shop):
    sql(url, f"ALTER TABLE {name}_terms ADD CONSTRAINT full_disk CHECK (row < 8)")
    before = shop.version
    with pytest.raises(IndexError_, match=r"cannot use the index at .*full_disk"):
        shop.apply(make_items(3), vectors_of(make_items(3)), delete=["s1"])
    assert (shop.version, shop.ids()) == (before, [item.id for item in SHOP])
    sql(url, f"ALTER TABLE {name}_terms DROP CONSTRAINT full_disk")
    put(shop, make_items(3))
    assert shop.count() == len(SHOP) + 3


def test_mark_is_remembered(url, name, shop):
    assert shop.mark == -1
    shop.set_mark(41)
    shop.close()
    reader = PgvectorIndex(url, name, "hashing-16", 16, write=False)
    assert reader.mark == 41
    with pytest.raises(IndexError_, match="opened for reading"):
        reader.set_mark(42)
    reader.close()


def test_unchanged_vector_is_not_rewritten(url, name, shop):
    query = f"SELECT xmin::text FROM {name}_vectors ORDER BY row"
    before = sql(url, query)
    put(shop, [Item("s1", SHOP[0].title, SHOP[0].description, {"price": 1.0}), Item("s2", "Hat")])
    after = sql(url, query)
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert shop.ids(Compare("price", "eq", 1)) == ["s1"]


# What cannot be


def test_closed_index_says_so(shop):
    shop.close()
    with pytest.raises(IndexError_, match="closed"):
        shop.count()
    with pytest.raises(IndexError_, match="closed"):
        put(shop, SHOP)


@pytest.mark.parametrize("name", ["", "1a", "a-b", "A", 'a"; DROP TABLE x', "a" * 49])
def test_unusable_name_is_refused(url, name):
    with pytest.raises(IndexError_, match="expected an index name"):
        PgvectorIndex(url, name, "hashing-16", 16)


@pytest.mark.parametrize("id", ["", "a\x00b", "line\nbreak", "\ud800", 7, None])
def test_unusable_id_is_refused(shop, id):
    with pytest.raises(CatalogError, match="expected an id"):
        put(shop, [SHOP[0], Item(id, "thing")])
    assert (shop.get([id]), shop.delete([id])) == ([], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"host": "127.0.0.1", "port": "1"}, "cannot connect to PostgreSQL at 127.0.0.1:1/"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"user": "with_password", "password": "s3cret-wrong"}, "password authentication failed"),
    ],
)
def test_unreachable_server_is_named(url, change, message):
    with pytest.raises(IndexError_, match=message) as caught:
        PgvectorIndex(replaced(url, **change), "t", "hashing-16", 16)
    assert "s3cret" not in str(caught.value)
    assert "check the URL" in str(caught.value)


@pytest.mark.parametrize("bad", ["postgresql://u:s3cret@[::1/db", "s3cret", "mysql://u:s3cret@h/d"])
def test_unreadable_url_keeps_the_password(bad):
    with pytest.raises(IndexError_, match="expected postgresql://USER") as caught:
        PgvectorIndex(bad, "t", "hashing-16", 16)
    assert "s3cret" not in str(caught.value)


def test_reader_needs_an_index(url):
    with pytest.raises(IndexError_, match=r"no index 'nothing_here' at .*attune_contract"):
        PgvectorIndex(url, "nothing_here", "hashing-16", 16, write=False)


def test_newer_format_is_refused(url, name, shop):
    shop.close()
    sql(url, f"UPDATE {name}_meta SET format = 99")
    for write in (True, False):
        with pytest.raises(IndexError_, match=r"format 99.*newer"):
            PgvectorIndex(url, name, "hashing-16", 16, write=write)
    sql(url, f"DELETE FROM {name}_meta")
    with pytest.raises(IndexError_, match="damaged"):
        PgvectorIndex(url, name, "hashing-16", 16)


def test_reader_with_other_encoder_is_refused(url, name, shop):
    with pytest.raises(EncoderMismatch, match="hashing-16"):
        PgvectorIndex(url, name, "other", 16, write=False)


def test_missing_extension_is_named(server):
    if server.server is None:
        pytest.skip("needs a database without pgvector")
    url = server.database("bare")
    sql(url, "CREATE ROLE visitor LOGIN")
    with pytest.raises(IndexError_, match=r"has no pgvector.*CREATE EXTENSION vector"):
        PgvectorIndex(replaced(url, user="visitor"), "t", "hashing-16", 16)
    with pytest.raises(IndexError_, match="no index 't'"):
        PgvectorIndex(replaced(url, user="visitor"), "t", "hashing-16", 16, write=False)


def test_missing_library_gives_the_pip_line(url, monkeypatch):
    monkeypatch.setitem(sys.modules, "pgvector.psycopg", None)
    with pytest.raises(IndexError_, match=r"pip install 'attune\[postgres\]'"):
        PgvectorIndex(url, "t", "hashing-16", 16)


def test_too_many_dimensions_are_refused(url):
    with pytest.raises(IndexError_, match="up to 4000 dimensions"):
        PgvectorIndex(url, "wide", "hashing-16", 4001)


def test_engine_is_opened_by_name(url, name, tmp_path):
    place = Place(tmp_path, "hashing-16", 16, url, name)
    index = open_index("pgvector", place)
    put(index, SHOP)
    index.save()
    index.close()
    reader = open_index("pgvector", place, write=False)
    assert found(reader.search(ENCODER.encode_queries(["boots"]), "boots", k=1)) == ["s2"]
    reader.close()
