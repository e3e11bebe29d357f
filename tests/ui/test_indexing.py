"""Where an index goes, from the command line."""

import pytest
from click.testing import CliRunner

from retrieval.engines import Target
from retrieval.project import read_manifest
from ui.cli import main, settings
from ui.indexing import default_collection, target_of

PG = "postgresql://ann:open-sesame@db/shop"


def run(*args, **env):
    return CliRunner().invoke(main, [str(arg) for arg in args], env=env)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((None, None, None), None),
        (("exact", None, None), Target("exact")),
        (("qdrant-edge", None, None), Target("qdrant-edge")),
        ((None, PG, None), Target("pgvector", PG, "attune_my_shop")),
        ((None, "http://q:6333", "c"), Target("qdrant", "http://q:6333", "c")),
        (("qdrant", None, None), Target("qdrant")),
    ],
)
def test_engine_follows_from_the_url(options, expected, tmp_path):
    assert target_of(*options, tmp_path / "My Shop", settings()) == expected


def test_url_with_password_comes_from_the_setting(monkeypatch, tmp_path):
    monkeypatch.setenv("ATTUNE_INDEX_URL", PG)
    monkeypatch.setenv("ATTUNE_INDEX_KEY", "k")
    target = target_of("pgvector", None, None, tmp_path / "a", settings())
    assert target == Target("pgvector", PG, "attune_a", "k")
    assert "open-sesame" not in repr(target)
    assert "open-sesame" not in repr(settings())


def test_collection_is_named_after_the_folder(tmp_path):
    assert default_collection(tmp_path / "Größe 42!") == "attune_gr__e_42"
    assert default_collection(tmp_path / ("x" * 99)) == "attune_" + "x" * 32


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--engine", "faiss"], "unknown engine 'faiss'; expected one of exact, qdrant-edge"),
        (["--engine", "qdrant"], "needs the URL of a server"),
        (["--engine", "pgvector"], "--url or ATTUNE_INDEX_URL"),
    ],
)
def test_unusable_engine_is_one_line(built, tmp_path, options, told):
    done = run("index", built.parent / "shop.csv", "--out", tmp_path / "p", *options)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert told in done.stderr
    assert not (tmp_path / "p" / "manifest.json").exists()


def test_index_moves_into_another_folder(built, tmp_path):
    done = run("migrate-index", built, tmp_path / "copy", "--engine", "exact")
    assert done.exit_code == 0, done.output
    assert "agree by vector" in done.stdout
    assert read_manifest(tmp_path / "copy").name == read_manifest(built).name
    again = run("migrate-index", built, tmp_path / "copy", "--engine", "exact")
    assert "is a project already" in again.stderr


def test_migrate_asks_where_to(built):
    assert "--engine" in run("migrate-index", built).stderr
