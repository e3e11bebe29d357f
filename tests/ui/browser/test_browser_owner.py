"""The owner's pages in a browser: the password, a conversation taken apart, a run stopped."""

import pytest

from tests.ui.browser.conftest import PASSWORD

pytestmark = pytest.mark.slow

PATIENCE_MS = 60_000


def logged_in(browser, shop, password=PASSWORD):
    tab = browser.new_context(viewport={"width": 1300, "height": 900}).new_page()
    tab.goto(shop.url + "owner/")
    tab.get_by_label("username").fill("owner")
    tab.get_by_label("password").fill(password)
    tab.get_by_role("button", name="Login").click()
    return tab


@pytest.fixture
def owner(browser, shop):
    tab = logged_in(browser, shop)
    tab.get_by_role("tab", name="Conversations").wait_for(timeout=PATIENCE_MS)
    yield tab
    tab.context.close()


def test_wrong_password_opens_nothing(browser, shop):
    tab = logged_in(browser, shop, "a guess")
    tab.get_by_text("Incorrect").or_(tab.get_by_text("incorrect")).first.wait_for()
    assert tab.get_by_role("tab").count() == 0
    tab.context.close()


def test_conversation_is_taken_apart(guest, owner, kept):
    guest.say("yellow rain jackets for the owner")
    session = kept.session("yellow rain jackets for the owner")
    owner.get_by_label("Session").fill(session)
    owner.get_by_label("Session").press("Enter")
    owner.get_by_text("yellow rain jackets for the owner").first.wait_for(timeout=PATIENCE_MS)
    text = owner.locator("body").inner_text()
    assert "Turn 1 of 1" in text
    assert guest.titles[0] in text


def test_unknown_session_is_said(owner):
    owner.get_by_label("Session").fill("nobody")
    owner.get_by_label("Session").press("Enter")
    trouble = owner.locator("#at-owner-trouble")
    trouble.get_by_text("Refused").wait_for(timeout=PATIENCE_MS)
    assert "nobody" in trouble.inner_text()


def test_run_is_started_and_stopped(owner):
    owner.get_by_role("tab", name="Runs").click()
    owner.get_by_role("button", name="Start").wait_for()
    owner.wait_for_function("() => document.querySelector('[role=listbox], input[role=combobox],"
                            " [aria-label=\"What to run\"]')?.value")  # fmt: skip
    owner.get_by_role("button", name="Start").click()
    owner.get_by_text("· running ·").first.wait_for(timeout=PATIENCE_MS)
    owner.get_by_role("button", name="Stop").click()
    owner.get_by_text("· stopped ·").first.wait_for(timeout=PATIENCE_MS)


def test_expired_login_is_not_served(owner, shop):
    owner.context.clear_cookies()
    owner.get_by_label("Session").fill("anything")
    owner.get_by_label("Session").press("Enter")
    owner.wait_for_timeout(1500)
    assert "Turn 1 of" not in owner.locator("body").inner_text()
    owner.reload()
    owner.get_by_role("button", name="Login").wait_for(timeout=PATIENCE_MS)
