import pytest

from agent import explain
from agent.explain_prompt import house_messages, messages
from agent.facts import facts
from agent.plan import Act
from agent.telling import sentences, wrong
from agent.wording import title_of
from finetune.pairs.explanations import explanation_rows, with_placeholders
from finetune.pairs.rows import Dropped, Pair
from tests.agent import shop

POPPY = shop.BY_ID["d1"]  # Alto Poppy Dress: red cotton, 55 EUR, rated 4.3


def rows(talk, catalog, prompt="plan@2"):
    every = list(explanation_rows(talk.session, catalog, prompt))
    return (
        [r for r in every if isinstance(r, Pair)],
        [r.reason for r in every if isinstance(r, Dropped)],
    )


@pytest.fixture
def asked(talk):
    """Return a session that asks why of a red dress under 60, its reply worded by the template."""
    one = talk().says("dresses in red under 60", shows=("d1", "d2"))
    state = one.state
    answer = explain.why(POPPY, state, shop.FACETS, "EUR")
    one.says("why the first one?", Act(act="explain", refs=("R1",)), shows=("d1", "d2"),
             reply=answer.text, claims=answer.claims)  # fmt: skip
    return one


def given_of(talk):
    turn = talk.turns[-1]
    return facts(turn.claims, POPPY, turn.state, shop.FACETS, "EUR")


GOOD = [
    ("The Alto Poppy Dress is red, as you wanted, and at €55 it is under your limit of €60.",
     "The {T} is {F1}, as you wanted, and at {F2} it is under your limit of {W2}."),
    ("Alto Poppy Dress is Red, as you asked.", "{T} is {F1}, as you asked."),
    ("It is  red,\nas you wanted. At €55 it is within your budget.",
     "It is {F1}, as you wanted. At {F2} it is within your budget."),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "chosen"), GOOD)
def test_edit_is_preferred_to_what_was_said(asked, catalog, edit, chosen):
    by_slot = {fact.slot: fact.id for fact in given_of(asked)}
    chosen = chosen.replace("F1", f"F{by_slot['colour']}")
    chosen = chosen.replace("F2", f"F{by_slot['price']}").replace("W2", f"W{by_slot['price']}")
    (pair,), _ = rows(asked.does("edit", "d1", edit), catalog)
    assert pair.chosen == chosen
    assert pair.rejected.startswith("{T}: ")
    assert (pair.kind, pair.events) == ("explanation", ("session-1-e1",))


def test_no_value_is_learned(asked, catalog):
    (pair,), _ = rows(asked.does("edit", "d1", GOOD[0][0]), catalog)
    for text in (pair.chosen, pair.rejected):
        assert not {"red", "55", "60", "poppy"} & set(text.casefold().replace("€", " ").split())


def test_edit_would_be_said_when_serving(asked, catalog):
    (pair,), _ = rows(asked.does("edit", "d1", GOOD[0][0]), catalog)
    assert [wrong(one, given_of(asked)) for one in sentences(pair.chosen)] == [None]


def test_prompt_is_the_one_of_the_model(asked, catalog):
    asked.does("edit", "d1", GOOD[0][0])
    assert rows(asked, catalog)[0][0].prompt == house_messages(given_of(asked))
    plain = rows(asked, catalog, "plan@1")[0][0].prompt
    assert plain == messages(given_of(asked), "explain@2", "en")


BAD = [
    ("It is blue, as you wanted.", "it claims what the catalog does not bear out"),
    ("It costs €45.", "it claims what the catalog does not bear out"),
    ("At €55 it is over your limit of €60.", "it claims what the catalog does not bear out"),
    ("It is red, as you wanted, and a steal.", "it claims what the catalog does not bear out"),
    ("Have a nice day.", "it claims what the catalog does not bear out"),
    ("It is a fine choice.", "it would not be said"),
    (" ".join(["It is red, as you wanted."] * 9), "it is longer than 8 sentences"),
]


@pytest.mark.parametrize(("edit", "reason"), BAD, ids=[edit[:30] for edit, _ in BAD])
def test_edit_that_can_not_be_proved_is_dropped(asked, catalog, edit, reason):
    pairs, (told,) = rows(asked.does("edit", "d1", edit), catalog)
    assert pairs == []
    assert told.startswith(reason)


def test_edit_that_changes_nothing_is_dropped(asked, catalog):
    asked.does("edit", None, asked.turns[-1].reply)
    assert rows(asked, catalog) == ([], ["it says what was said"])


def test_item_is_known_from_the_claims(asked, catalog):
    (pair,), _ = rows(asked.does("edit", None, GOOD[1][0]), catalog)
    assert pair.chosen.startswith("{T} is {F")


def test_last_edit_counts(asked, catalog):
    asked.does("edit", "d1", GOOD[0][0]).does("edit", "d1", GOOD[1][0])
    (pair,), _ = rows(asked, catalog)
    assert pair.events == ("session-1-e2",)


def test_reasons_on_a_slate_can_be_rewritten(talk, catalog):
    one = talk().says("dresses in red under 60", shows=("d1",))
    reasons = explain.reasons(POPPY, one.state, shop.FACETS, "EUR")
    last = one.slates[-1]
    shown = last.items[0].model_copy(update={"reasons": reasons})
    one.slates[-1] = last.model_copy(update={"items": (shown,)})
    (pair,), _ = rows(one.does("edit", "d1", GOOD[1][0]), catalog)
    assert pair.rejected.startswith("{T}: ")


@pytest.mark.parametrize(
    ("item", "reason"),
    [(None, "it is not about one item"), ("d1", "nothing was said of its item")],
)
def test_edit_of_nothing_says_so(talk, catalog, item, reason):
    one = talk().says("dresses", shows=("d1", "d2")).does("edit", item, "Red, as you wanted.")
    assert rows(one, catalog) == ([], [reason])


def test_edit_without_its_turn_says_so(asked, catalog):
    last = asked.slates[-1]
    asked.slates[-1] = last.model_copy(update={"id": "elsewhere"})
    assert rows(asked.does("edit", "d1", "x"), catalog)[1] == ["its turn is not in the log"]


def test_other_language_is_not_checked(asked, catalog):
    last = asked.turns[-1]
    state = last.state.model_copy(update={"language": "fi"})
    asked.turns[-1] = last.model_copy(update={"state": state})
    assert rows(asked.does("edit", "d1", "x"), catalog)[1] == ["nothing can be checked in 'fi'"]


def test_longer_values_are_placed_first(asked):
    given = given_of(asked)
    own = {fact.slot: f"{{F{fact.id}}}" for fact in given}
    text = with_placeholders("Alto Poppy Dress, a redder RED", given, title_of(POPPY))
    assert text == f"{{T}}, a redder {own['colour']}"
