from __future__ import annotations

import pytest
from rich.text import Text as Styled

from agent.llm_planner import UNSURE
from agent.plan import Act, Plan
from agent.state import Constraint, Likeness, Need, Preference, Sorting, State
from agent.turn import Done, Evidence, Reason, Relaxation, Slate, SlateItem
from retrieval.catalog import Facet
from ui.render import (
    Line,
    View,
    closing_lines,
    laid_out,
    plain,
    price_text,
    rating_text,
    reply_lines,
    slate_lines,
    stock_text,
    suggestion,
    turn_lines,
    wishes,
)

FACETS = (
    Facet("price", "numeric", "price", role="price", unit="EUR", quantiles=(9, 20, 34, 80, 200)),
    Facet("category", "categorical", "category", role="category", values=(("Shirts", 5),)),
    Facet("colour", "categorical", "colour", role="colour", values=(("Blue", 3), ("Red", 1))),
    Facet("stock", "numeric", "stock", role="availability"),
    Facet("rating", "numeric", "rating", role="rating"),
    Facet("reviews", "numeric", "reviews", role="popularity"),
)
VIEW = View(FACETS, "EUR", lambda id: f"title of {id}")


def reason(text: str, kind="field", facet: str | None = "colour") -> Reason:
    return Reason(text=text, evidence=(Evidence(kind=kind, item_id="1", facet=facet),))


def item(rank=1, reasons=(), **fields) -> SlateItem:
    return SlateItem(item_id=str(rank), rank=rank, score=1.0, fields=fields, reasons=reasons)


def done(reply="Here you are.", slate=(), need=None, **rest) -> Done:
    plan = rest.pop("plan", Plan(acts=(Act(act="recommend"),)))
    return Done(
        turn_id="t", session_id="s", utterance="u", reply=reply, plan=plan,
        slate=Slate(id="x", items=slate), state=State(need=need or Need()), **rest,
    )  # fmt: skip


def printed(lines) -> list[str]:
    return [row.plain for line in lines for row in laid_out(line, None)]


def test_slate_is_numbered_list():
    slate = Slate(
        id="x",
        items=(
            item(1, (reason("Blue, as asked"),), title="Oxford shirt", price=34.5, stock=3.0,
                 rating=4.5, reviews=120.0),
            item(12, title="Coat", price=200),
        ),
    )  # fmt: skip
    assert printed(slate_lines(slate, VIEW)) == [
        " 1. Oxford shirt  €34.50",
        "    ★ 4.5 (120) · 3 in stock · Blue, as asked",
        "12. Coat  €200",
    ]


def test_item_without_title_shows_id():
    assert printed(slate_lines(Slate(id="x", items=(item(3),)), VIEW)) == [" 3. 3"]


def test_reasons_told_twice_are_left_out():
    told = reason("rated 4.5 by 120", facet="rating")
    asked = reason("★ as asked: at least 4", kind="constraint", facet="rating")
    lines = printed(slate_lines(Slate(id="x", items=(item(1, (told, asked), rating=4.5),)), VIEW))
    assert lines[1] == "    ★ 4.5 · ★ as asked: at least 4"


def test_markup_and_escapes_stay_text():
    slate = Slate(id="x", items=(item(1, title="[bold]x[/] \x1b[31mred\x07\u202e"),))
    head = slate_lines(slate, VIEW)[0].text.plain
    assert "[bold]x[/]" in head
    assert not set(head) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"price": 12}, "€12"),
        ({"price": 12.5, "currency": "USD"}, "$12.50"),
        ({"price": 12.5, "currency": "???"}, "???12.50"),
        ({"price": True}, ""),
        ({"price": "12"}, ""),
        ({}, ""),
    ],
)
def test_price_text(fields, shown):
    assert price_text(item(**fields), VIEW) == shown


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"rating": 4.0, "reviews": 12.0}, "★ 4 (12)"),
        ({"rating": 4.25}, "★ 4.25"),
        ({"reviews": 12.0}, ""),
        ({"rating": "great"}, ""),
    ],
)
def test_rating_text(fields, shown):
    assert rating_text(item(**fields), VIEW) == shown


@pytest.mark.parametrize(
    ("stock", "shown"),
    [
        (3.0, "3 in stock"), (0.0, "sold out"), (True, "in stock"), (False, "not available"),
        ("ships in 3 days", "ships in 3 days"), (["web", "shop"], "web and shop"), (None, ""),
    ],
)  # fmt: skip
def test_stock_text(stock, shown):
    assert stock_text(item(**({} if stock is None else {"stock": stock})), VIEW) == shown


def test_wishes_name_everything_wanted():
    need = Need(
        constraints=(
            Constraint(facet="colour", values=("Blue", "Red")),
            Constraint(facet="category", excluded=("Shirts",)),
            Constraint(facet="price", role="price", high=60, high_strict=True),
            Constraint(facet="text", excluded=("leather",)),
        ),
        preferences=(Preference(text="comfy"),),
        like=Likeness(item_id="7"),
        sorting=Sorting(facet="price", direction="down", label="cheapest"),
        rejected=("4", "5"),
    )
    assert wishes(State(need=need), VIEW) == [
        "blue or red", "not Shirts", "under €60", "without 'leather'", "ideally comfy",
        "like title of 7", "cheapest first", "2 hidden",
    ]  # fmt: skip


def test_no_wishes_are_said():
    assert printed(closing_lines(done(), VIEW)) == ["wishes: none yet"]


def test_relaxation_is_said_once():
    lost = Constraint(facet="colour", values=("Blue",))
    relaxed = (Relaxation(dropped=lost, text="Nothing is blue."),)
    silent = closing_lines(done("Nothing is blue. These are close.", relaxations=relaxed), VIEW)
    told = closing_lines(done("These are close.", relaxations=relaxed), VIEW)
    assert printed(silent) == ["wishes: none yet"]
    assert printed(told) == ["note: Nothing is blue.", "wishes: none yet"]


def test_notes_and_fallback_are_said():
    plan = Plan(acts=(Act(act="recommend"),), fallback="no plan within 3 s")
    lines = printed(closing_lines(done(notes=("USD read as EUR",) * 2, plan=plan), VIEW))
    assert lines[:-1] == ["note: USD read as EUR", "the model was not used: no plan within 3 s"]


def test_turn_is_slate_reply_wishes():
    lines = printed(turn_lines(done("One.\nTwo.\n", (item(1, title="A"),)), VIEW))
    assert lines == [" 1. A", "One.", "Two.", "wishes: none yet"]


def test_reply_keeps_blank_lines():
    assert printed(reply_lines("a\r\n\r\nb\x1b[2J")) == ["a", "", "b[2J"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\tb\nc", "a\tb\nc"), ("a\x00b\x9bc", "abc"), ("a\rb", "a\nb"), ("👩‍👧 ok", "👩‍👧 ok")],
)
def test_plain_takes_controls_out(text, kept):
    assert plain(text) == kept


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("one two three four five", 23, ["one two three four five"]),
        ("one two three four five six", 20, ["one two three four", "  five six"]),
        ("x" * 45, 20, ["x" * 20, "  " + "x" * 18, "  " + "x" * 7]),
        ("日本語 " * 6, 21, ["日本語 日本語 日本語", "  日本語 日本語", "  日本語"]),
        ("", 20, [""]),
    ],
)
def test_lines_wrap_by_cells(text, width, rows):
    made = laid_out(Line(Styled(text), hang=2), width)
    assert [row.plain.rstrip() for row in made] == rows
    assert all(row.cell_len <= width for row in made)


def test_wrapping_keeps_style():
    line = Line(Styled.assemble(("bold words here and ", "bold"), ("then green ones", "green")))
    rows = laid_out(line, 20)
    assert {span.style for row in rows for span in row.spans} == {"bold", "green"}


@pytest.mark.parametrize(
    ("facets", "text"),
    [
        (FACETS, "blue shirts under 30"),
        (FACETS[1:2], "shirts"),
        ((), "something popular"),
    ],
)
def test_suggestion_uses_the_catalog(facets, text):
    assert suggestion(facets) == text


@pytest.mark.parametrize(("fallback", "told"), [("", False), (UNSURE, False), ("refused", True)])
def test_only_a_model_that_failed_is_spoken_of(fallback, told):
    plan = Plan(acts=(Act(act="more"),), fallback=fallback)
    said = "\n".join(str(line.text) for line in closing_lines(done(plan=plan), VIEW))
    assert ("the model was not used" in said) is told
