"""A subject that is asked about as a whole is answered by what the pages say of it."""

from dataclasses import replace

import numpy as np
import pytest

from agent.knowledge import Knowledge, add
from agent.knowledge.features import Asked, Seen
from agent.knowledge.subjects import of_subject
from tests.agent.knowledge.conftest import upload

VECTOR = np.ones(4, np.float32)
HEADINGS = ("What cannot be returned?", "How long can I return something?", "Opening hours",
            "Sending a parcel back", "Returns by post")  # fmt: skip
PAGE = """# Returns

## What cannot be returned?

Underwear and food cannot be returned.

## Returning something

Send it to us within 30 days.
"""


def asked(text, **more):
    made = Asked.of(text, VECTOR)
    return Asked(made.text, VECTOR, made.words, kind=made.kind, **more)


def seen(*headings):
    return [Seen(f"p#{n}", head, "Words.", VECTOR, (), head) for n, head in enumerate(headings)]


@pytest.mark.parametrize("text", ["is this returnable", "can I send it back?", "return policy"])
def test_whole_subject_gets_its_best_passages(text):
    found = of_subject(asked(text), seen(*HEADINGS))
    assert [one.under for one in found] == list(HEADINGS[:2])


@pytest.mark.parametrize(("question", "headings"), [
    (asked("can I return worn shoes"), HEADINGS),
    (asked("how long can I return it?"), HEADINGS),
    (asked("is this returnable", added=frozenset({"return"})), HEADINGS),
    (asked("returns", sold=frozenset({"return"})), HEADINGS),
    (asked("is this returnable"), HEADINGS[1:3]),
    (asked("is this returnable"), ("Contact", "Payment", "Jobs", *HEADINGS)),
    (asked("is it?"), HEADINGS),
], ids=["particular", "kind", "leaning", "sold", "one", "far", "nothing"])  # fmt: skip
def test_what_is_particular_is_not_a_subject(question, headings):
    assert of_subject(question, seen(*headings)) == []


def test_half_sure_subject_is_answered(folder, encoder):
    add(folder, [upload("returns.md", PAGE)], encoder)
    knowledge = Knowledge(folder, encoder)
    models = knowledge.models
    for offers, quoted in ((0.0, 2), (1.0, 0)):  # half sure, and not even that
        never = replace(models.answers, threshold=2.0)
        knowledge.use(replace(models, answers=never, offers=offers))
        answer = knowledge.ask("is this returnable")
        assert len(answer.quotes) == quoted
        assert bool(answer.answered) is bool(quoted)
        assert answer.offered == ()
    knowledge.close()
