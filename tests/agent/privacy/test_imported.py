"""Sessions from elsewhere are masked before they are stored."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.feedback import FeedbackEvent
from agent.logged import LoggedSession
from agent.plan import Act, Mention, Plan
from agent.privacy.imported import masked_session
from agent.privacy.masking import PersonalDataMasker
from agent.privacy.port import MASKS_NOTHING
from agent.state import Constraint, Need, State
from agent.store_turns import logged_slate, logged_turn
from tests.agent.stores import turn

MASKER = PersonalDataMasker()
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SAID = "my name is anna lund, blue ones, call +44 7911 123456 for red"


def mention(id, word, kind="value"):
    start = SAID.index(word)
    return Mention(id=id, kind=kind, start=start, end=start + len(word), text=word)


def session_of(*turns, events=()):
    logged = tuple(logged_turn(one, NOW) for one in turns)
    slates = tuple(logged_slate(one.slate, one.turn_id, NOW, "greedy", {}) for one in turns)
    return LoggedSession(id="s1", user=None, created=NOW, turns=logged, slates=slates,
                         events=events)  # fmt: skip


def talk():
    mentions = (mention("V1", "blue"), mention("V2", "red"), mention("U1", "lund", "unknown"))
    plan = Plan(acts=(Act(act="refine", want=("V1",), text="for lund"),), mentions=mentions,
                utterance=SAID)  # fmt: skip
    first = turn("s1", 1, utterance=SAID, plan=plan, reply="Hello anna lund!")
    wish = Constraint(facet="text", values=("lund",), label="lund", turn=1)
    second = turn("s1", 2, state=State(turn=2, need=Need(constraints=(wish,))))
    event = FeedbackEvent(slate_id=first.slate.id, kind="critique", value="mail me: a@web.de")
    return session_of(first, second, events=(event,))


def test_every_place_is_masked():
    masked = masked_session(talk(), MASKER)
    first, second = masked.turns
    assert first.utterance == "my name is [name], blue ones, call [phone] for red"
    assert first.plan.utterance == first.utterance
    assert first.reply == "Hello [name]!"
    assert first.plan.acts[0].text == "for [name]"
    assert second.state.need.constraints[0].values == ("[name]",)
    assert masked.events[0].value == "mail me: [mail]"
    text = masked.model_dump_json()
    assert [word for word in ("lund", "7911", "a@web") if word in text] == []


def test_places_in_the_utterance_are_moved():
    plan = masked_session(talk(), MASKER).turns[0].plan
    said = plan.utterance
    assert [said[one.start : one.end] for one in plan.mentions] == ["blue", "red", "[name]"]
    assert [one.text for one in plan.mentions] == ["blue", "red", "[name]"]


def test_session_without_personal_data_stays():
    session = session_of(turn("s1", 1), turn("s1", 2))
    assert masked_session(session, MASKER) == session


def test_masked_session_stays():
    once = masked_session(talk(), MASKER)
    assert masked_session(once, MASKER) == once


def test_nothing_is_masked_by_choice():
    session = talk()
    assert masked_session(session, MASKS_NOTHING) == session
