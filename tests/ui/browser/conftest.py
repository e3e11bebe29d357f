"""`attune ui` over a copy of the demo catalog, and people with browsers who shop there.

Everything is skipped where Chromium or Playwright is missing.
"""

import sqlite3

import pytest

from benchmarks.browser.served import Process, copied, served
from benchmarks.browser.visitor import Visitor, has_browser, opened_browser
from ui.settings import Settings
from ui.wiring import demo_project

PASSWORD = "an owner's word"


@pytest.fixture(scope="session")
def demo():
    """The project of the demo catalog, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ATTUNE_HOME", raising=False)
        return demo_project(Settings())


@pytest.fixture(scope="session")
def shop(tmp_path_factory, demo):
    """The API and the pages in one process."""
    if not has_browser():
        pytest.skip("needs chromium and playwright")
    folder = tmp_path_factory.mktemp("browser")
    project = copied(demo, folder)
    process = Process(("ui", str(project)), folder, {"ATTUNE_UI_PASSWORD": PASSWORD})
    with served(process):
        yield process


@pytest.fixture(scope="module")
def browser():
    """Of a module, as other tests cannot run loops of their own beside it."""
    if not has_browser():
        pytest.skip("needs chromium and playwright")
    with opened_browser() as browser:
        yield browser


@pytest.fixture
def person(browser):
    """Make somebody with a browser of their own; what goes wrong in its scripts fails the test."""
    contexts, errors = [], []

    def make(address, *, working=None, same=None, **context):
        context = {"viewport": {"width": 1200, "height": 860}, **context}
        own = same.tab.context if same else browser.new_context(**context)
        contexts.append(own)
        tab = own.new_page()
        tab.on("pageerror", lambda error: errors.append(str(error)))
        visitor = Visitor(tab, working) if working else Visitor(tab)
        return visitor.visit(address)

    yield make
    for own in contexts:
        own.close()
    assert errors == []


@pytest.fixture
def guest(shop, person):
    """Somebody who has just opened the shop."""
    return person(shop.url)


class Kept:
    """What the store has, looked up by what was said first."""

    def __init__(self, process):
        self.path = process.store.removeprefix("sqlite:///")

    def rows(self, query, *given):
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as connection:
            rows = connection.execute(query, given).fetchall()
        connection.close()
        return rows

    def session(self, first_words):
        query = "SELECT session_id FROM turns WHERE utterance = ? ORDER BY time DESC"
        return self.rows(query, first_words)[0][0]

    def turns(self, session):
        query = "SELECT utterance FROM turns WHERE session_id = ? ORDER BY number"
        return [text for (text,) in self.rows(query, session)]

    def told(self, session):
        """Kind, rank on its slate, value."""
        return self.rows(
            "SELECT e.kind, i.rank, e.value FROM feedback_events e "
            "JOIN slates s ON s.id = e.slate_id LEFT JOIN slate_items i "
            "ON i.slate_id = e.slate_id AND i.item_id = e.item_id "
            "WHERE s.session_id = ? ORDER BY e.time",
            session,
        )

    def answered_by(self, session):
        """Who planned and worded what each event is about, and how its slate was chosen."""
        return self.rows(
            "SELECT DISTINCT e.kind, t.planner, t.model, t.voice, p.policy IS NOT NULL "
            "FROM feedback_events e JOIN slates s ON s.id = e.slate_id "
            "JOIN turns t ON t.id = s.turn_id "
            "LEFT JOIN impressions p ON p.slate_id = e.slate_id AND p.item_id = e.item_id "
            "WHERE s.session_id = ?",
            session,
        )


@pytest.fixture
def kept_by():
    """Return what a process keeps."""
    return Kept


@pytest.fixture
def kept(shop):
    return Kept(shop)
