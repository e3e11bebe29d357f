import pytest

from finetune.simulator.satisfaction import Signals, satisfaction
from finetune.simulator.transcripts import Said, read_signals


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (Signals(1, 1.0, relevance=1.0), 5.0),
        (Signals(6, 1.0, relevance=1.0), 5.0),
        (Signals(4, 0.0), 2.0),
        (Signals(4, 0.0, repeats=2, failures=1, repairs=4), 1.0),
        (Signals(4, 1.0, repairs=4), 3.75),
        (Signals(4, 1.0, repeats=2, failures=1), 3.25),
        (Signals(2, 1.0, relevance=1.0, violations=1), 4.0),
        (Signals(2, 0.0, violations=9), 1.0),
    ],
)
def test_formula(signals, expected):
    assert satisfaction(signals) == pytest.approx(expected)


def dialogue(*texts):
    roles = ("user", "system") * len(texts)
    return [Said(role, text) for role, text in zip(roles, texts, strict=False)]


def test_praise_counts_by_turn():
    said = dialogue("a film please", "Try Up", "Thanks, I’ll watch it!", "Enjoy", "bye", "Bye")
    assert read_signals(said) == Signals(3, pytest.approx(1 / 3))


def test_repairs_are_read():
    said = dialogue("red shoes", "Here are blue ones", "no, I said red", "Here", "that's not it")
    assert read_signals(said).repairs == 2


def test_repeats_of_either_side():
    said = dialogue("some funny film", "Have you seen Up?", "some funny film", "have you seen up")
    assert read_signals(said).repeats == 2


def test_failures_and_holes():
    said = dialogue("x", "Sorry, I found nothing", "y", "Have you seen ?", "z", "Up is a film")
    assert read_signals(said).failures == 2


def test_nobody_said_anything():
    assert read_signals([]) == Signals(1, 0.0)


def test_better_dialogue_satisfies_more():
    good = dialogue("a warm coat", "Here are three", "great, I'll take the first", "Noted")
    bad = dialogue("a warm coat", "Sorry?", "I said a warm coat", "Sorry?", "no!", "Sorry?")
    assert satisfaction(read_signals(good)) > satisfaction(read_signals(bad)) + 1
