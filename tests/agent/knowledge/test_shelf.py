"""The shelf: adding is idempotent, replacing and removing exact, and errors lose nothing."""

import pytest

from agent.knowledge import Knowledge, UnknownSource, add, remove
from agent.knowledge.errors import BadPage
from agent.knowledge.shelf import is_passage, source_of
from retrieval.encoder import HashingEncoder
from retrieval.errors import EncoderMismatch
from retrieval.retriever import Retriever
from tests.agent.knowledge.conftest import FAQ, RETURNS, upload


def texts(folder, encoder):
    with Retriever.open(folder, encoder, write=False) as retriever:
        return {item.id: item.description for item in retriever.items() if is_passage(item)}


def test_adding_twice_changes_nothing(filled, encoder):
    before = texts(filled, encoder)
    done = add(filled, [upload("returns.md", RETURNS)], encoder)
    assert (done.unchanged, done.passages) == (1, 2)
    assert texts(filled, encoder) == before


def test_changed_sources_are_replaced_whole(filled, encoder):
    add(filled, [upload("returns.md", "Returns take 14 days.")], encoder)
    found = texts(filled, encoder)
    assert found["returns.md#0"] == "Returns take 14 days."
    assert {source_of(id) for id in found} == {"returns.md", "faq.csv", "sizes.html"}
    assert "returns.md#1" not in found


def test_a_bad_file_stops_no_other(filled, encoder):
    files = [BadPage("gone.md", "it is gone"), upload("returns.md", ""), upload("new.txt", "New.")]
    done = add(filled, files, encoder)
    assert done.sources == ("new.txt",)
    assert done.errors == ("'gone.md': it is gone", "'returns.md': it is empty; expected text")
    assert "30 days" in texts(filled, encoder)["returns.md#0"]


def test_nothing_good_makes_no_shelf(folder, encoder):
    assert add(folder, [upload("a.md", "")], encoder).sources == ()
    assert not folder.exists()


def test_removed_sources_are_quoted_no_more(knowledge, filled, encoder):
    assert knowledge.ask("do you wrap gifts").quotes
    assert remove(filled, ["faq.csv"], encoder) == 2
    assert knowledge.ask("do you wrap gifts").refused
    assert [one.name for one in knowledge.sources()] == ["returns.md", "sizes.html"]


def test_unknown_sources_are_named_and_nothing_removed(filled, encoder):
    with pytest.raises(UnknownSource, match=r"no source 'no\.md' is indexed"):
        remove(filled, ["faq.csv", "no.md"], encoder)
    assert any(id.startswith("faq.csv") for id in texts(filled, encoder))


def test_removing_from_no_shelf_is_an_error(folder, encoder):
    with pytest.raises(UnknownSource):
        remove(folder, ["a.md"], encoder)


def test_the_last_source_can_be_removed(filled, encoder):
    remove(filled, ["faq.csv", "returns.md", "sizes.html"], encoder)
    knowledge = Knowledge(filled, encoder)
    assert knowledge.sources() == ()
    assert knowledge.ask("do you wrap gifts").refused
    knowledge.close()


def test_another_encoder_is_refused(filled):
    with pytest.raises(EncoderMismatch):
        add(filled, [upload("faq.csv", FAQ)], HashingEncoder(32))


def test_hidden_text_is_not_indexed(filled, encoder):
    assert not any("free" in text or "alert" in text for text in texts(filled, encoder).values())
