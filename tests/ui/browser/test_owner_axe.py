"""axe-core finds nothing on the owner's pages. `make axe` fetches it."""

from pathlib import Path

import pytest

from benchmarks.browser.served import served
from tests.ui.browser.owning import PATIENCE_MS, at, learned_shop

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[3] / ".axe/node_modules/axe-core/axe.min.js"

ASKED = {
    "Adapters": ("Try on some …", ".at-panel-canary"),
    "Experiments": ("Begin an experiment …", ".at-panel-begin"),
    "Feedback": ("Show some", ".at-panel-pairs"),
}
"""What is pressed on a tab before it is looked at, and what opens."""


@pytest.fixture(scope="module")
def learned(browser, demo, tmp_path_factory):
    process, _ = learned_shop(demo, tmp_path_factory.mktemp("owned"))
    with served(process):
        yield process


def checked(owner, screen):
    owner.tab.wait_for_timeout(400)
    owner.tab.evaluate(AXE.read_text("utf-8"))
    found = owner.tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    assert found["passes"], screen
    bad = [
        (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
        for one in found["violations"]
    ]
    assert bad == [], screen


@pytest.mark.parametrize(
    ("query", "width"), [("", 1280), ("?__theme=dark", 1280), ("", 390)],
    ids=["light", "dark", "phone"],
)  # fmt: skip
def test_owners_pages_have_no_finding(browser, learned, person, query, width):
    if not AXE.exists():
        pytest.skip("needs axe-core: make axe")
    person(learned.url).say("a blue dress under 4")
    owner = at(browser, learned.url, viewport={"width": width, "height": 900})
    checked(owner, "login")
    owner.log_in()
    owner.inside()
    if query:
        owner.tab.goto(f"{learned.url}owner/{query}")
        owner.inside()
    owner.tab.locator("#at-owner-listed .at-open").first.click()
    owner.see("#at-owner-talk", "Turn 1 of 1")
    checked(owner, "a turn")
    for name in ("Catalog", "Feedback", "Adapters", "Experiments", "Runs"):
        tab = owner.tab.get_by_role("tab", name=name, exact=True)
        if not tab.is_visible():
            owner.tab.locator("#at-owner-tabs .overflow-menu > button").click()
            tab = owner.tab.locator(".overflow-dropdown button", has_text=name)
        tab.click()
        if name in ASKED:
            button, panel = ASKED[name]
            first = owner.tab.get_by_role("button", name=button, exact=True).first
            first.click(timeout=PATIENCE_MS)
            owner.tab.locator(panel).wait_for(timeout=PATIENCE_MS)
        owner.tab.wait_for_timeout(1_500)
        checked(owner, name)
    owner.tab.context.close()
