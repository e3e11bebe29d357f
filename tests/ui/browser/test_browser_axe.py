"""axe-core finds nothing serious or critical on any screen. `make axe` fetches it."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

AXE = Path(__file__).parents[3] / ".axe/node_modules/axe-core/axe.min.js"


@pytest.fixture
def check():
    if not AXE.exists():
        pytest.skip("needs axe-core: make axe")
    text = AXE.read_text("utf-8")

    def check(tab, screen):
        tab.wait_for_timeout(400)
        tab.evaluate(text)
        found = tab.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        assert found["passes"], screen
        bad = [
            (one["id"], [(node["target"], node["failureSummary"]) for node in one["nodes"]])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert bad == [], screen

    return check


def walked(person, check, name):
    """Check the shop's screens one after the other."""
    check(person.tab, f"{name}, empty")
    person.say("a blue dress under 120")
    check(person.tab, f"{name}, items")
    person.card(0).locator(".at-reason").first.focus()
    check(person.tab, f"{name}, evidence")
    person.open(person.card(0).get_by_role("button").filter(has_text="…"), "picker")
    check(person.tab, f"{name}, picker")
    person.tab.locator(".at-close").click()
    person.tab.locator(".at-panel").wait_for(state="detached")
    compare = ".at-actions button[aria-pressed] >> nth=0"
    for place in (0, 1):
        person.card(place).locator(compare).click()
        person.tab.wait_for_selector(f".at-card >> nth={place} >> [aria-pressed=true]")
    person.open(person.tab.locator(".at-tray button", has_text="2"), "compare")
    check(person.tab, f"{name}, comparison")
    person.open(person.card(0).locator(".at-title"), "details")
    check(person.tab, f"{name}, details")
    person.open(person.card(0).locator(".at-hide"), "because")
    check(person.tab, f"{name}, reasons")
    person.turn(person.tab.locator(".at-panel-because button").last)
    person.open(person.tab.locator(".at-tray button").nth(2), "missing")
    check(person.tab, f"{name}, missing")
    person.open(person.tab.locator("#at-top nav button").nth(2), "profile")
    check(person.tab, f"{name}, profile")


def test_desktop_has_no_serious_finding(guest, check):
    walked(guest, check, "desktop")


def test_dark_has_no_serious_finding(shop, person, check):
    walked(person(shop.url + "?__theme=dark"), check, "dark")


def test_chinese_on_a_phone_has_no_serious_finding(shop, person, check):
    phone = {"width": 390, "height": 844}
    reader = person(shop.url + "zh/", working=("正在查找……", "正在回答……"), viewport=phone)
    walked(reader, check, "Chinese, phone")


def test_trouble_has_no_serious_finding(guest, check):
    guest.box.fill("w" * 20_001)
    guest.box.press("Enter")
    guest.told("20,001")
    check(guest.tab, "trouble")
