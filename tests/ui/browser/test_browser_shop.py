"""Parts of the shop one by one: comparison, evidence, what is missing, votes, focus, reading."""

import pytest

pytestmark = pytest.mark.slow

WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
WITHIN = """(selector) => {
  const one = document.querySelector(selector).getBoundingClientRect();
  return one.top >= 0 && one.bottom <= innerHeight && one.left >= 0 && one.right <= innerWidth;
}"""


def chosen(person, count):
    """Choose the first cards to be compared."""
    for place in range(count):
        person.press(place, "Compare").click()
        person.tab.wait_for_selector(f".at-card >> nth={place} >> [aria-pressed=true]")


def compared(person, count):
    """Put the first cards side by side, and wait until that was said."""
    chosen(person, count)
    before = len(person.said)
    side = person.open(person.tab.get_by_role("button", name=f"Compare {count}"), "compare")
    person.answered(before + 1)
    return side


def test_four_fit_side_by_side(guest):
    guest.say("a blue dress under 150")
    side = compared(guest, 4)
    region = side.locator(".at-scroll")
    assert region.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 0
    assert side.locator("thead th").count() == 4
    for head in side.locator("thead .at-clamp").all():
        assert head.bounding_box()["width"] >= 90
        assert head.evaluate("(one) => getComputedStyle(one).whiteSpace") == "normal"
    assert side.locator("tbody tr.at-differs").count() == side.locator("tbody tr").count()
    cells = " ".join(side.locator("tbody td").all_inner_texts())
    assert ".0 " not in cells.replace("5.0 ", "").replace("4.0 ", "")
    folded = side.locator("details dl")
    assert not folded.is_visible()
    side.locator("summary").click()
    assert folded.is_visible()
    top = side.locator("thead th").first.bounding_box()["y"]
    region.evaluate("(one) => one.scrollTo(0, 400)")
    assert side.locator("thead th").first.bounding_box()["y"] == pytest.approx(top, abs=2)


def test_taking_one_out_leaves_the_others(guest):
    guest.say("a blue dress under 150")
    side = compared(guest, 3)
    side.locator(".at-out-of").first.click()
    guest.tab.wait_for_function("() => document.querySelectorAll('thead th').length === 2")
    side.locator(".at-out-of").first.click()
    side.wait_for(state="detached")


def test_first_column_stays_on_a_phone(shop, person):
    reader = person(shop.url, viewport={"width": 375, "height": 812}, has_touch=True)
    reader.say("a blue dress under 150")
    side = compared(reader, 4)
    assert reader.tab.evaluate(WIDE) <= 0
    region, label = side.locator(".at-scroll"), side.locator("tbody th").first
    assert region.evaluate("(one) => one.scrollWidth - one.clientWidth") > 0
    left = label.bounding_box()["x"]
    region.evaluate("(one) => one.scrollTo(300, 0)")
    assert label.bounding_box()["x"] == pytest.approx(left, abs=2)


def test_one_alone_waits_for_another(guest):
    guest.say("black sneakers")
    chosen(guest, 1)
    guest.tab.get_by_text("Choose one more to compare").wait_for()
    assert guest.tab.get_by_role("button", name="Compare 1").count() == 0
    chosen_second = guest.press(1, "Compare")
    chosen_second.click()
    guest.tab.get_by_role("button", name="Compare 2").wait_for()


def test_comparing_in_words_opens_the_table(guest):
    guest.say("black sneakers")
    pair = guest.titles[:2]
    guest.say("compare the first two")
    heads = guest.tab.locator(".at-panel-compare thead .at-clamp")
    heads.first.wait_for()
    assert heads.all_inner_texts() == pair


def test_reason_shows_evidence_by_mouse_and_keyboard(guest):
    guest.say("a blue dress under 120")
    chips, tips = guest.card(0).locator(".at-reason"), guest.card(0).locator(".at-rests")
    assert not tips.first.is_visible()
    chips.first.click()
    assert tips.first.is_visible()
    assert "In the catalog: colour is Blue" in tips.first.inner_text()
    assert "You asked for: Blue" in tips.first.inner_text()
    guest.tab.mouse.move(0, 0)
    guest.tab.keyboard.press("Tab")
    assert not tips.first.is_visible()
    assert tips.nth(1).is_visible()
    assert chips.nth(1).get_attribute("aria-describedby") == tips.nth(1).get_attribute("id")
    assert "price is €" in tips.nth(1).inner_text()


def test_hidden_items_come_back_one_by_one(guest):
    guest.say("grey hoodies")
    first, second = guest.titles[:2]
    for _ in (first, second):
        because = guest.open(guest.press(0, "Not for me"), "because")
        guest.turn(because.get_by_role("button", name="something else"))
    panel = guest.open(guest.tab.get_by_role("button", name="Hidden (2)"), "missing")
    rows = panel.locator("li")
    assert first in rows.nth(0).inner_text()
    guest.turn(rows.nth(0).get_by_role("button", name="Why not?"))
    assert first[:20] in guest.answers[-1]
    panel = guest.open(guest.tab.get_by_role("button", name="Hidden (2)"), "missing")
    guest.turn(panel.locator("li").nth(0).get_by_role("button", name="Bring back"))
    guest.tab.get_by_role("button", name="Hidden (1)").wait_for()
    assert first in guest.titles
    assert second not in guest.titles


def test_why_not_is_asked_in_words_too(guest):
    guest.say("a blue dress under 150, not polyester")
    panel = guest.open(guest.tab.get_by_role("button", name="Something missing?"), "missing")
    panel.locator("input[name=named]").fill("the Lumivarra one")
    guest.turn(panel.get_by_role("button", name="Ask"))
    assert guest.said[-1] == "Why isn't the Lumivarra one here?"
    assert "Lumivarra" in guest.answers[-1]
    see = guest.tab.locator(".at-reply", has_text="See ")
    details = guest.open(see.first, "details")
    assert "Lumivarra" in details.inner_text()


def test_votes_are_there_after_a_reload(guest, kept):
    guest.say("navy shirts, judged")
    guest.press(0, "Good suggestion").click()
    guest.told("Thank you")
    chat = guest.tab.locator("#at-chat")
    chat.get_by_role("button", name="Bad answer").last.click()
    guest.tab.locator(".at-panel-wrong").wait_for()
    guest.tab.keyboard.press("Escape")
    guest.tab.locator(".at-panel-wrong").wait_for(state="detached")
    for words in ("under 90", "in cotton"):
        guest.say(words)
    guest.tab.get_by_role("button", name="4 of 5").click()
    guest.told("Thank you")
    session = kept.session("navy shirts, judged")
    values = [(rank, value) for kind, rank, value in kept.told(session) if kind == "rating"]
    assert [(rank, float(value)) for rank, value in values] == [(1, 5), (None, 1), (None, 4)]
    guest.tab.reload()
    guest.tab.wait_for_selector(".at-card", timeout=60_000)
    stars = guest.tab.get_by_role("button", name="4 of 5")
    stars.wait_for()
    assert stars.get_attribute("aria-pressed") == "true"
    chat.locator("[aria-label='Bad answer'][aria-pressed=true]").wait_for()


def test_box_has_the_focus_and_stays_in_view(guest):
    for words in ("a blue dress", "under 150", "not polyester", "in linen or cotton", "show more"):
        guest.say(words)
        assert guest.tab.evaluate("() => document.activeElement.tagName") == "TEXTAREA"
        assert guest.tab.evaluate(WITHIN, "#at-box textarea")
    last = "#at-chat .bot-row:last-of-type"
    log = guest.tab.locator("#at-chat [role=log]")
    rest = log.evaluate("(one) => one.scrollHeight - one.scrollTop - one.clientHeight")
    assert rest <= 2, last


def test_answer_is_read_out_once(guest):
    guest.tab.evaluate("""() => {
      window.heard = [];
      for (const one of document.querySelectorAll('[aria-live], [role=status], [role=log]'))
        if (one.getAttribute('aria-live') !== 'off')
          new MutationObserver(() => window.heard.push(one.textContent))
            .observe(one, {childList: true, characterData: true, subtree: true});
    }""")
    guest.say("black sneakers under 150")
    guest.tab.wait_for_function("() => window.heard.length > 0")
    assert guest.tab.evaluate("() => window.heard") == [f"{guest.status} {guest.answers[-1]}"]
    assert guest.tab.locator("#at-chat [role=log]").get_attribute("aria-live") == "off"


def test_closing_a_panel_gives_the_focus_back(guest):
    guest.say("black sneakers")
    opener = guest.press(1, "Like this, but …")
    panel = guest.open(opener, "picker")
    assert guest.tab.evaluate("() => document.activeElement.id") == "at-picker"
    guest.tab.keyboard.press("Escape")
    panel.wait_for(state="detached")
    guest.tab.wait_for_function("() => document.activeElement.textContent.startsWith('Like this')")


def test_shapes_stand_in_for_the_first_items(guest):
    guest.tab.evaluate("""() => {
      window.bones = false;
      new MutationObserver(() => { window.bones ||= !!document.querySelector('.at-bones'); })
        .observe(document.querySelector('#at-items'), {childList: true, subtree: true});
    }""")
    guest.say("a warm jacket")
    assert guest.tab.evaluate("() => window.bones")
    assert guest.tab.locator(".at-bones").count() == 0
