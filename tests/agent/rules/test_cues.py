"""Cues: the masked utterance and the phrases looked for in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plan import PREFIX, Mention
from agent.rules import cues
from agent.rules.cues import mask


def mention(text, words, id):
    """Return a mention of some words of a text."""
    kind = next(kind for kind, letter in PREFIX.items() if letter == id[0])
    start = text.index(words)
    return Mention(id=id, kind=kind, start=start, end=start + len(words), text=words)


def masked(text, **words):
    """Mask an utterance; the words of each mention by its id."""
    return mask(text, [mention(text, said, id) for id, said in words.items()])


def test_mentions_are_masked():
    found = masked("Show me Blue shoes, NOT leather!", V1="Blue", V2="shoes", V3="leather")
    assert found.text == "show me <V1> <V2>, not <V3>!"
    assert found.raw == "show me blue shoes, not leather!"


def test_spans_point_into_the_mask():
    found = masked("the second one in blue", R1="the second one", V1="blue")
    assert {id: found.text[a:b] for id, (a, b) in found.spans.items()} == {
        "R1": "<R1>",
        "V1": "<V1>",
    }


def test_words_stay_as_they_are():
    found = masked("waterproof blue boots", K1="waterproof", V1="blue", U1="boots")
    assert found.text == "waterproof <V1> boots"
    assert [found.text[slice(*found.spans[id])] for id in ("K1", "U1")] == ["waterproof", "boots"]


def test_repeated_words_keep_their_places():
    text = "soft, very soft"
    words = [
        Mention(id="K1", kind="keyword", start=0, end=4, text="soft"),
        Mention(id="K2", kind="keyword", start=11, end=15, text="soft"),
    ]
    spans = mask(text, words).spans
    assert spans["K1"][0] < spans["K2"][0]


def test_two_meanings_share_a_mask():
    text = "a coral mug"
    both = [mention(text, "coral", "V1"), mention(text, "coral", "V2")]
    found = mask(text, both)
    assert found.text == "a <V1> mug"
    assert found.spans["V1"] == found.spans["V2"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("I dont want it", "i don't want it"),
        ("isnt it", "isn't it"),
        ("DON’T", "don't"),
        ("à la carte", "a la carte"),
        ("line\nbreak", "line break"),
    ],
)
def test_spelling_is_evened_out(typed, expected):
    assert masked(typed).text == expected


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reset", ["start over", "Forget everything", "new search please", "reset"]),
        ("undo", ["undo", "go back", "never mind that", "scratch that", "as before"]),
        ("handoff", ["let me talk to a human", "I want to speak to someone", "real person please"]),
        ("answer", ["do you deliver to Spain?", "what is your return policy", "opening hours?"]),
        ("more", ["show me more", "more", "what else", "any others?", "next",
                  "show me something else", "other options please"]),
        ("chitchat", ["hi", "thanks!", "how are you", "good morning"]),
        ("elicit", ["help me", "i need a gift", "surprise me"]),
        ("explain", ["why?", "explain"]),
        ("compare", ["compare them", "what's the difference between them"]),
        ("reject_all", ["none of these", "i don't like any of these"]),
    ],
)  # fmt: skip
def test_set_phrases_are_known(name, said):
    assert [text for text in said if not cues.has(masked(text), "acts", name)] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reset", ["a new dress", "starting at 60", "begin"]),
        ("undo", ["a backpack", "doing fine", "before 1990"]),
        ("handoff", ["a human skull mug", "hand cream", "a present for a person"]),
        ("more", ["more than 60", "more expensive", "more formal"]),
        ("reset", ["shoes under 60"]),
        ("answer", ["a pay-what-you-want shirt"]),
    ],
)
def test_everyday_words_are_no_cue(name, said):
    assert [text for text in said if cues.has(masked(text), "acts", name)] == []


def test_set_phrases_may_hold_a_mention():
    assert cues.has(masked("scratch that", R1="that"), "acts", "undo")


def test_places_of_a_cue_are_told():
    found = masked("no red and no green")
    places = list(cues.spans(found, "polarity", "avoid"))
    assert [found.text[a:b] for a, b in places] == ["no", "no"]


def test_what_follows_is_told():
    found = masked("leather is a no-go", V1="leather")
    assert cues.follows(found, found.spans["V1"][1], "polarity", "avoid_after")
    assert not cues.follows(found, 0, "polarity", "avoid_after")


def test_every_cue_compiles():
    for section in ("acts", "polarity", "need", "detail"):
        for name, rows in cues._table()[section].items():
            if isinstance(rows, list):
                cues.has(masked("anything"), section, name)
    assert all(cue.search("") is None for _, cue in cues.detail_cues())


@given(st.text(max_size=200), st.integers(0, 199), st.integers(1, 30))
def test_any_span_is_masked_once(text, start, length):
    part = text[start : start + length]
    spot = [Mention(id="V1", kind="value", start=start, end=start + length, text=part)]
    found = mask(text, spot if part else [])
    assert found.text.count("<V1>") == (1 if part else text.count("<v1>") * 0)
    if part:
        assert found.text[slice(*found.spans["V1"])] == "<V1>"
