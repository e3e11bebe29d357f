import pytest

from agent.errors import HopelessJob
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever
from ui.reindexing import make_reindex
from ui.settings import Settings

HEAD = "id,title,colour,price"
ROWS = ["a,Blue shirt,Blue,10 EUR", "b,Red shirt,Red,20 EUR", "c,Red shoes,Red,30 EUR",
        "d,Navy hat,Navy,40 EUR"]  # fmt: skip


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("\n".join([HEAD, *ROWS]), encoding="utf-8")
    return path


@pytest.fixture
def retriever(source, tmp_path):
    Retriever.build(load([source]), tmp_path / "project", encoder=HashingEncoder())
    with Retriever.open(tmp_path / "project", HashingEncoder()) as opened:
        yield opened


def test_catalog_follows_its_file(retriever, source):
    reindex = make_reindex(retriever, Settings(catalog=source))
    new = [ROWS[0].replace("10", "15"), *ROWS[1:3], "e,Teal hat,Teal,5 EUR"]
    source.write_text("\n".join([HEAD, *new]), encoding="utf-8")
    done = reindex({})
    assert (done["added"], done["changed"], done["deleted"], done["unchanged"]) == (1, 1, 1, 2)
    assert retriever.index.ids() == ["a", "b", "c", "e"]
    assert retriever.get("a").fields["price"] == 15
    assert reindex({})["unchanged"] == 4


def test_truncated_file_empties_no_shop(retriever, source):
    source.write_text("\n".join([HEAD, ROWS[0]]), encoding="utf-8")
    reindex = make_reindex(retriever, Settings(catalog=source))
    with pytest.raises(HopelessJob, match="does not name 3 of the project's 4 items"):
        reindex({})
    assert len(retriever.index.ids()) == 4
    assert reindex({"allow_delete": 1.0})["deleted"] == 3


@pytest.mark.parametrize(
    ("catalog", "said"), [(None, "ATTUNE_CATALOG names no file"), ("gone.csv", "gone.csv")]
)
def test_missing_file_is_hopeless(retriever, tmp_path, catalog, said):
    path = None if catalog is None else tmp_path / catalog
    with pytest.raises(HopelessJob, match=said):
        make_reindex(retriever, Settings(catalog=path))({})
