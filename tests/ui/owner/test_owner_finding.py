"""Turns found by words and by time, what people told of them, and two owners who decide at once."""

import csv
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from agent import tables
from agent.errors import Conflict, UserInputError
from agent.feedback import FeedbackEvent
from agent.store_figures import counted
from finetune.events.report import report
from tests.agent.shop import open_shop
from tests.ui.owner.conftest import say
from ui.owner import deciding
from ui.owner.learning import Figures, adapters, events, events_csv
from ui.owner.looking import inspected, sessions


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    with open_shop(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


def last(store, ms, session):
    """Have the turns of a session have taken some time."""
    with store.database.write() as connection:
        turns = tables.turns
        own = update(turns).where(turns.c.session_id == session)
        connection.execute(own.values(timings={"plan": ms / 2, "retrieve": ms / 2}))


def tell(store, session, kind, value=None, number=1, **more):
    slate = store.turns(session)[number - 1].slate
    event = FeedbackEvent(slate_id=slate.id, item_id=slate.items[0].item_id, kind=kind,
                          value=value, **more)  # fmt: skip
    store.add_feedback(event)
    return slate.items[0]


def test_turns_are_found_by_words(parts, store):
    shoes, shirts = say(parts, "black shoes", "under 130"), say(parts, "a white shirt")
    (found,) = sessions(store, words="SHOES Black")
    assert (found["id"], found["found"]) == (shoes, 1)
    assert "black shoes" in found["said"]
    (found,) = sessions(store, words="white")
    assert found["id"] == shirts
    assert sessions(store, words="white under") == []
    assert [one["id"] for one in sessions(store, words=f" {shirts} ")] == [shirts]


def test_answers_are_found_by_words(parts, store):
    session = say(parts, "black shoes")
    title = store.turns(session)[0].slate.items[0].fields["title"]
    assert [one["id"] for one in sessions(store, words=title)] == [session]


def test_words_and_signs_are_found_together(parts, store):
    first, second = say(parts, "black shoes"), say(parts, "black shoes", "black shirts")
    tell(store, first, "rating", 1)
    tell(store, second, "rating", 5)
    assert [one["id"] for one in sessions(store, only="thumbs_down", words="black")] == [first]
    assert sessions(store, only="thumbs_down", words="shirts") == []


def test_turn_that_was_looked_for_is_told(parts, store):
    session = say(parts, "black shoes", "not Adidas", "under 130")
    tell(store, session, "reject", number=2)
    (found,) = sessions(store, only="thumbs_down")
    assert (found["id"], found["found"]) == (session, 2)
    assert sessions(store)[0]["found"] is None


def test_slowest_conversations_come_first(parts, store):
    quick, slow, middling = (say(parts, "black shoes") for _ in range(3))
    for ms, session in ((8.0, quick), (2_400.0, slow), (900.0, middling)):
        last(store, ms, session)
    found = sessions(store, only="slow")
    assert [one["id"] for one in found] == [slow, middling, quick]
    assert [one["slowest_ms"] for one in found] == [2_400.0, 900.0, 8.0]
    assert [one["flags"] for one in found] == [["slow"], [], []]


def test_inspected_turn_has_what_was_told_of_it(parts, store, catalog):
    session = say(parts, "black shoes", "under 130")
    item = tell(store, session, "critique", "too shiny", number=2)
    (told,) = inspected(store, catalog, session, 2)["told"]
    assert (told["kind"], told["value"], told["title"]) == (
        "critique", "too shiny", item.fields["title"])  # fmt: skip
    turn = inspected(store, catalog, session, 1)
    assert turn["told"] == []
    assert turn["state"]["before"] == {}
    assert turn["state"]["after"] != {}
    assert all(one["reasons"] for one in turn["shown"])


def test_what_was_told_is_listed_newest_first(parts, store):
    session = say(parts, "black shoes")
    now = datetime.now(UTC)
    for kind, before in (("click", 2), ("select", 1), ("click", 40 * 24)):
        with store.database.write() as connection:
            own = tables.feedback_events
            ids = set(connection.scalars(select(own.c.id)))
        tell(store, session, kind)
        with store.database.write() as connection:
            moved = update(own).where(own.c.id.not_in(ids))
            connection.execute(moved.values(time=now - timedelta(hours=before)))
    listed = events(store, days=30)
    assert [one["kind"] for one in listed] == ["select", "click"]
    assert {(one["session"], one["number"]) for one in listed} == {(session, 1)}
    assert [one["kind"] for one in events(store, "select")] == ["select"]
    assert len(events(store, "click", days=90)) == 2
    with pytest.raises(UserInputError, match="expected one of click, select"):
        events(store, "impression")
    with pytest.raises(UserInputError, match="expected 1 to 366"):
        events(store, days=0)


def test_what_was_told_is_given_as_csv(parts, store):
    session = say(parts, "black shoes")
    item = tell(store, session, "critique", "=too shiny")
    (row,) = csv.DictReader("".join(events_csv(store)).splitlines())
    assert (row["kind"], row["title"]) == ("critique", item.fields["title"])
    assert row["value"] == "'=too shiny"
    assert (row["session"], row["number"]) == (session, "1")


def test_figures_are_those_of_whole_sessions(parts, store):
    say(parts, "black shoes", "not Adidas")
    session = say(parts, "shirts")
    for kind, value in (("click", None), ("rating", 2), ("select", None)):
        tell(store, session, kind, value)
    whole = report(store.logged())
    assert whole.events == 3
    assert report(counted(store.database)) == whole


def test_figures_are_counted_again_when_they_are_old(parts, store):
    now = [0.0]
    figures = Figures(lambda: now[0])
    session = say(parts, "black shoes")
    assert figures.of(store)["kinds"]["click"] == 0
    tell(store, session, "click")
    assert figures.of(store)["kinds"]["click"] == 0
    now[0] = 61.0
    assert figures.of(store)["kinds"]["click"] == 1
    now[0] = 10_000.0
    assert figures.of(store) is figures.of(store)
    assert figures.of(store, 7)["since_days"] == 7


def test_two_who_press_at_once_go_back_once(learned):
    project, (live, other, _) = learned
    folder = project / "adapters"
    deciding.promote(folder, other, force=True, why="")
    version = adapters(folder)["version"]
    answers, start = [], threading.Barrier(2)

    def press():
        start.wait()
        try:
            answers.append(deciding.rollback(folder, why="", version=version))
        except Conflict as error:
            answers.append(str(error))

    both = [threading.Thread(target=press) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(answers) == sorted([live, "something else was decided meanwhile; look again, "
                                      "then decide"])  # fmt: skip
    assert adapters(folder)["live"] == live
