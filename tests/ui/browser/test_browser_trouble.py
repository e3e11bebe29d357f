"""What goes wrong in a browser: the page says what happened and keeps the conversation."""

import httpx
import pytest

from benchmarks.browser.served import Process, copied, served
from benchmarks.browser.visitor import Visitor

pytestmark = pytest.mark.slow


def item_of(person, place):
    return person.card(place).get_attribute("data-item")


def test_too_long_words_stay_in_the_box(guest):
    guest.say("black sneakers")
    guest.box.fill("w" * 20_001)
    guest.box.press("Enter")
    guest.told("20,001 characters")
    assert len(guest.box.input_value()) == 20_001
    assert guest.said == ["black sneakers"]
    assert guest.titles
    guest.say("under 150")
    assert len(guest.said) == 2


def test_paste_of_a_megabyte_is_refused_in_words(guest):
    guest.box.focus()
    guest.tab.keyboard.insert_text("blue " * 200_000)
    guest.box.press("Enter")
    guest.told("characters. At most 20,000")
    guest.say("black sneakers")
    assert guest.said == ["black sneakers"]


def test_double_submit_is_one_turn(guest, kept):
    words = "white shirts under 90, twice"
    guest.box.fill(words)
    guest.tab.evaluate("""() => {
      const box = document.querySelector('#at-box textarea');
      const press = () => box.dispatchEvent(
        new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
      press(); press();
      document.querySelector('#at-send').click();
    }""")
    guest.answered(1)
    guest.tab.wait_for_timeout(1500)
    assert guest.said == [words]
    assert kept.turns(kept.session(words)) == [words]


def test_card_pressed_twice_is_one_turn(guest, kept):
    guest.say("grey hoodies, pressed twice")
    guest.press(0, "More like this").dblclick()
    guest.answered(2)
    guest.tab.wait_for_timeout(1500)
    assert len(kept.turns(kept.session("grey hoodies, pressed twice"))) == 2


def test_two_tabs_share_a_conversation(guest, shop, person, kept):
    guest.say("brown boots for two tabs")
    other = person(shop.url, same=guest)
    assert other.said == guest.said
    other.say("under 200")
    guest.box.fill("in leather")
    guest.box.press("Enter")
    guest.tab.wait_for_function("() => document.querySelector('#at-chat').textContent"
                                ".includes('in leather')", timeout=60_000)  # fmt: skip
    guest.tab.wait_for_timeout(1500)
    everything = ["brown boots for two tabs", "under 200", "in leather"]
    assert kept.turns(kept.session(everything[0])) == everything
    guest.tab.reload()
    guest.tab.wait_for_selector(".at-card", timeout=60_000)
    assert guest.said == everything


def test_missing_picture_becomes_a_tile(shop, browser):
    context = browser.new_context(viewport={"width": 1200, "height": 860})
    context.route("**/pictures/**", lambda route: route.fulfill(status=404))
    reader = Visitor(context.new_page()).visit(shop.url)
    reader.say("black sneakers")
    tile = reader.tab.locator(".at-card .at-picture.at-none").first
    tile.wait_for(timeout=30_000)
    assert reader.tab.locator(".at-card img").count() == 0
    assert tile.get_attribute("aria-label")
    context.close()


@pytest.fixture
def own(tmp_path, demo):
    """A shop of the test's own, whose catalog it may change; API and pages are two processes."""
    project = copied(demo, tmp_path)
    api = Process(("serve", str(project)), tmp_path, ready="/ready")
    with served(api):
        pages = Process(("ui", "--url", api.url), tmp_path, ready="/")
        with served(pages):
            yield api, pages


def test_lost_server_and_a_changed_catalog(own, person, kept_by):
    api, pages = own
    kept = kept_by(api)
    guest = person(pages.url)
    guest.say("a blue dress under 120")
    lost_item_is_told(api, guest)
    item_without_a_price(api, guest)
    shown = (guest.said, guest.titles)
    api.kill()
    guest.box.fill("in linen")
    guest.box.press("Enter")
    guest.told("cannot be reached")
    assert guest.box.input_value() == "in linen"
    assert (guest.said, guest.titles) == shown
    api.start()
    guest.turn(guest.tab.get_by_role("button", name="Send"))
    assert guest.said == [*shown[0], "in linen"]
    assert kept.turns(kept.session("in linen")) == guest.said


def lost_item_is_told(api, guest):
    gone = item_of(guest, 0)
    answer = httpx.post(f"{api.url}v1/items:delete", json={"ids": [gone]}, timeout=60)
    assert answer.json() == {"deleted": 1}
    guest.card(0).locator(".at-title").click()
    guest.tab.wait_for_selector(".at-status.at-trouble", timeout=30_000)
    assert guest.titles
    assert guest.status


def item_without_a_price(api, guest):
    row = {"id": "no-price", "title": "Unpriced teal raincoat", "category": "Jackets",
           "colour": "Teal"}  # fmt: skip
    answer = httpx.post(f"{api.url}v1/items:upsert", json={"items": [row]}, timeout=60)
    assert answer.json()["stored"] == 1, answer.text
    guest.turn(guest.tab.get_by_role("button", name="Start over", exact=True))
    guest.say("teal jackets")
    while "Unpriced teal raincoat" not in guest.titles and len(guest.said) < 9:
        guest.say("show me more")
    assert "Unpriced teal raincoat" in guest.titles
    place = guest.titles.index("Unpriced teal raincoat")
    assert "Price on request" in guest.card(place).inner_text()
    assert guest.card(place).locator(".at-none").count() == 1
