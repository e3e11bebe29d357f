"""What no longer holds, by what a page says of itself, is not quoted."""

from datetime import date, timedelta

import pytest

from agent.knowledge import Knowledge, add
from agent.knowledge.outdated import LONG_AGO, holds_until
from agent.knowledge.passages import passages
from agent.knowledge.reading import read_bytes
from tests.agent.knowledge.conftest import upload

OLD = "# Returns\n\nYou can return anything within 14 days. You pay for the label yourself.\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Returns (valid until 31 December 2021)", date(2021, 12, 31)),
        ("Prices apply until 2027-03-01", date(2027, 3, 1)),
        ("This page is out of date and kept for old orders only.", LONG_AGO),
        ("This policy is no longer valid.", LONG_AGO),
        ("Archived: returns", LONG_AGO),
        ("Archive", None),
        ("The offer is valid until 31 January", None),
        ("A gift card is valid for three years", None),
        ("This page is valid for all shops", None),
    ],
)
def test_last_day_is_read(said, expected):
    assert holds_until((said,), "") == expected
    assert holds_until((), said) == expected


@pytest.mark.parametrize(
    "page",
    [
        upload("a.md", f"---\nexpires: 2021-12-31\n---\n{OLD}"),
        upload("a.html", '<html><head><meta name="expires" content="2021-12-31"></head><body>'
                         "<p>You can return anything within 14 days.</p></body></html>"),
        upload("a.md", OLD.replace("# Returns", "# Returns, valid until 31 December 2021")),
    ],
)  # fmt: skip
def test_pages_tell_their_last_day(page):
    assert [one.until for one in passages(read_bytes(page))] == [date(2021, 12, 31)]


def test_what_is_past_is_not_quoted(filled, encoder):
    question = "How long can I return something?"
    tomorrow = date.today() + timedelta(days=1)
    for expires, shown in ((date(2021, 12, 31), False), (tomorrow, True)):
        old = upload("old.md", f"---\nexpires: {expires}\n---\n{OLD}")
        add(filled, [old], encoder)
        knowledge = Knowledge(filled, encoder)
        found = {one.item.id.split("#")[0] for one in knowledge.judge(question).ranked}
        assert ("old.md" in found) is shown
        past = {one.name: one.past for one in knowledge.sources()}
        assert past == {"faq.csv": 0, "old.md": int(not shown), "returns.md": 0, "sizes.html": 0}
        knowledge.close()
