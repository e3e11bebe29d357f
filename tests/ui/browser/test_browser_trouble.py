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
    guest.tab.wait_for_function(
        "() => document.querySelector('#at-box textarea').value.length === 20001"
    )
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


def test_two_tabs_show_the_same_conversation(guest, shop, person, kept):
    guest.say("brown boots for two tabs")
    other = person(shop.url, same=guest)
    assert other.said == guest.said
    other.say("under 200")
    # The first tab follows without being touched.
    guest.answered(2)
    guest.told("in another window")
    assert (guest.said, guest.titles, guest.wishes) == (other.said, other.titles, other.wishes)
    guest.say("in leather")
    other.answered(3)
    assert (other.said, other.answers, other.titles) == (guest.said, guest.answers, guest.titles)
    assert kept.turns(kept.session("brown boots for two tabs")) == guest.said


def test_windows_share_what_is_saved(guest, shop, person):
    guest.say("white shirts for two windows")
    other = person(shop.url, same=guest)
    guest.press(0, "Save").click()
    other.tab.get_by_role("button", name="Saved (1)").wait_for()
    other.press(0, "Saved").click()
    guest.tab.get_by_role("button", name="Saved (1)").wait_for(state="detached")
    guest.press(0, "Save").wait_for()


def test_no_network_is_told_and_passes(guest):
    guest.say("grey hoodies")
    before = guest.status
    guest.tab.context.set_offline(True)
    guest.told("You are offline")
    guest.box.fill("under 80")
    guest.tab.context.set_offline(False)
    guest.told(before)
    assert not guest.tab.locator("[data-testid=toast-body]").is_visible()
    guest.box.press("Enter")
    guest.answered(2)
    assert guest.said == ["grey hoodies", "under 80"]


def test_enter_while_words_come_is_sent_next(guest, kept):
    guest.tab.evaluate("""() => {
      const box = () => document.querySelector('#at-box textarea');
      const type = (text) => {
        box().value = text;
        box().dispatchEvent(new Event('input', {bubbles: true}));
        const enter = {key: 'Enter', bubbles: true, cancelable: true};
        for (const kind of ['keydown', 'keypress'])
          box().dispatchEvent(new KeyboardEvent(kind, enter));
      };
      const watch = new MutationObserver(() => {
        if (!document.querySelector('[data-working]')) return;
        watch.disconnect();
        type('under 150');
        window.waiting = document.querySelector('#at-entry').dataset.waits;
      });
      watch.observe(document.body, {childList: true, subtree: true, attributes: true});
    }""")
    guest.box.fill("black sneakers, and more soon")
    guest.box.press("Enter")
    guest.answered(2)
    said = ["black sneakers, and more soon", "under 150"]
    assert guest.tab.evaluate("() => window.waiting") == "Will be sent next"
    assert guest.said == said
    assert guest.box.input_value() == ""
    assert kept.turns(kept.session(said[0])) == said


def test_words_typed_while_sending_are_kept(guest):
    guest.box.fill("white shirts under 90")
    guest.box.press("Enter")
    guest.box.type("in lin")
    guest.answered(1)
    assert guest.box.input_value() == "in lin"
    guest.box.type("en")
    guest.tab.reload()
    guest.tab.wait_for_selector(".at-card", timeout=60_000)
    guest.tab.wait_for_function("() => document.querySelector('#at-box textarea').value")
    assert guest.box.input_value() == "in linen"


def test_conversation_deleted_elsewhere_can_still_be_read(guest, shop, kept):
    guest.say("grey hoodies, soon deleted")
    session = kept.session("grey hoodies, soon deleted")
    assert httpx.delete(f"{shop.url}v1/sessions/{session}", timeout=30).status_code == 204
    shown = guest.titles
    guest.box.fill("under 80")
    guest.box.press("Enter")
    guest.told("was deleted")
    assert guest.said == ["grey hoodies, soon deleted"]
    assert (guest.titles, guest.box.input_value()) == (shown, "under 80")
    guest.box.press("Enter")
    guest.tab.wait_for_function("() => document.querySelectorAll("
                                "'#at-chat [data-testid=user]').length === 2")  # fmt: skip
    guest.answered(2)
    assert kept.turns(kept.session("under 80")) == ["under 80"]


def test_missing_picture_becomes_a_tile(shop, browser):
    context = browser.new_context(viewport={"width": 1200, "height": 860})
    context.route("**/pictures/**", lambda route: route.fulfill(status=404))
    reader = Visitor(context.new_page()).visit(shop.url)
    reader.say("black sneakers")
    tile = reader.tab.locator(".at-card .at-picture.at-none").first
    tile.wait_for(timeout=30_000)
    assert reader.tab.locator(".at-card img").count() == 0
    assert tile.inner_text() == "Sneakers"
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


def test_server_of_the_page_itself_is_lost_and_back(tmp_path, demo, person, kept_by):
    process = Process(("ui", str(copied(demo, tmp_path))), tmp_path)
    with served(process):
        guest = person(process.url)
        guest.say("a blue dress under 120")
        shown = (guest.said, guest.answers, guest.titles)
        process.kill()
        guest.box.fill("in linen")
        guest.box.press("Enter")
        guest.told("cannot be reached")
        assert guest.box.input_value() == "in linen"
        assert (guest.said, guest.answers, guest.titles) == shown
        process.start()
        # The page is loaded again when its server is back.
        guest.tab.wait_for_function("() => document.querySelector('#at-box textarea')?.value"
                                    " && !document.querySelector('.at-trouble')")  # fmt: skip
        assert (guest.said, guest.answers, guest.titles) == shown
        assert guest.box.input_value() == "in linen"
        guest.turn(guest.tab.get_by_role("button", name="Send"))
        assert kept_by(process).turns(kept_by(process).session("in linen")) == guest.said


def test_revoked_key_keeps_words_and_conversation(tmp_path, demo, person):
    admin = "an operator's key that nobody knows"
    api = Process(("serve", str(copied(demo, tmp_path))), tmp_path, {"ATTUNE_ADMIN_KEY": admin},
                  ready="/ready")  # fmt: skip
    with served(api), httpx.Client(base_url=api.url, timeout=30) as operator:
        operator.headers["Authorization"] = f"Bearer {admin}"
        key = operator.post("v1/keys", json={"name": "shop", "scopes": ["chat", "feedback"]}).json()
        pages = Process(("ui", "--url", api.url), tmp_path, {"ATTUNE_KEY": key["key"]}, ready="/")
        with served(pages):
            guest = person(pages.url)
            guest.say("a blue dress under 120")
            guest.tab.get_by_role("button", name="What do you know about me?").click()
            guest.told("may not look into profiles")
            shown = (guest.said, guest.titles)
            operator.delete(f"v1/keys/{key['id']}").raise_for_status()
            guest.tab.wait_for_timeout(2500)  # keys are read every two seconds
            guest.box.fill("in linen")
            guest.box.press("Enter")
            guest.told("expired or was revoked")
            assert guest.box.input_value() == "in linen"
            assert (guest.said, guest.titles) == shown
            guest.press(0, "Save").click()
            guest.tab.wait_for_timeout(500)
            assert "expired or was revoked" in guest.status
