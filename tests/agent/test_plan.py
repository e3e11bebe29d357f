"""Plans and mentions as values."""

from typing import get_args

import pytest
from pydantic import ValidationError

from agent.plan import PREFIX, Act, ActName, Mention, MentionKind, Plan

BLUE = Mention(id="V1", kind="value", start=0, end=4, text="blue", facet="colour", values=("Blue",))
PLAN = Plan(acts=(Act(act="refine", want=("V1",)),), mentions=(BLUE,), utterance="blue")


def test_mention_is_found_by_id():
    assert PLAN.mention("V1") == BLUE


def test_unknown_mention_is_named():
    with pytest.raises(KeyError, match="V9"):
        PLAN.mention("V9")


def test_every_kind_has_its_letter():
    assert set(PREFIX) == set(get_args(MentionKind))
    assert len(set(PREFIX.values())) == len(PREFIX)


def test_plan_survives_json():
    assert Plan.model_validate_json(PLAN.model_dump_json()) == PLAN


@pytest.mark.parametrize(
    "wrong", [{"act": "dance"}, {"act": "like", "join": "maybe"}, {"act": "like", "why": True}]
)
def test_wrong_acts_are_refused(wrong):
    with pytest.raises(ValidationError):
        Act.model_validate(wrong)


@pytest.mark.parametrize("name", get_args(ActName))
def test_bare_acts_point_nowhere(name):
    assert Act(act=name).model_dump(exclude_defaults=True) == {"act": name}


def test_date_bounds_stay_text():
    since = BLUE.model_copy(update={"low": "1990-01-01"})
    assert Mention.model_validate_json(since.model_dump_json()).low == "1990-01-01"


@pytest.mark.parametrize("bound", [float("9" * 400), float("-inf"), float("nan")])
def test_infinite_bound_is_no_bound(bound):
    mention = Mention.model_validate({**BLUE.model_dump(), "low": 5, "high": bound})
    assert (mention.low, mention.high) == (5.0, None)
    assert Mention.model_validate_json(mention.model_dump_json()) == mention
