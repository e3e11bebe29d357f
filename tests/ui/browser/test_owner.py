"""The owner's pages in a browser: what a person who steers a shop does there."""

import json
import re

import pytest

from benchmarks.browser.served import served
from tests.ui.browser.owning import PASSWORD, PATIENCE_MS, at, learned_shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def learned(browser, demo, tmp_path_factory):
    """A served shop with three adapters: live, passed, refused."""
    process, names = learned_shop(demo, tmp_path_factory.mktemp("owned"))
    with served(process):
        process.names = names
        yield process


@pytest.fixture
def visit(browser, learned):
    """Make an owner at the door; what goes wrong in the page's scripts fails the test."""
    made, errors = [], []

    def visit(**context):
        owner = at(browser, learned.url, **context)
        owner.tab.on("pageerror", lambda error: errors.append(str(error)))
        made.append(owner)
        return owner

    yield visit
    for owner in made:
        owner.tab.context.close()
    assert errors == []


@pytest.fixture
def owner(visit):
    owner = visit()
    owner.log_in()
    return owner.inside()


@pytest.fixture
def shopper(learned, person):
    return person(learned.url)


def test_wrong_password_is_said_and_stays(visit):
    owner = visit()
    owner.log_in("a guess")
    owner.tab.get_by_text("That is not the password").wait_for()
    assert owner.tab.get_by_label("Password").input_value() == "a guess"
    assert owner.tab.get_by_role("tab").count() == 0
    owner.log_in()
    owner.inside()


def test_logged_out_owner_is_at_the_door(owner):
    owner.tab.get_by_role("button", name="Log out").click()
    owner.tab.get_by_role("button", name="Log in").wait_for()
    owner.tab.go_back()
    owner.tab.reload()
    owner.tab.get_by_role("button", name="Log in").wait_for()


def test_turn_just_taken_is_taken_apart(owner, shopper):
    shopper.say("yellow rain jackets for the owner")
    shopper.say("not under 50")
    owner.press("Refresh")
    owner.tab.locator("#at-owner-listed").get_by_role(
        "button", name="yellow rain jackets for the owner").click()  # fmt: skip
    owner.see("#at-owner-talk", "Turn 2 of 2")
    said = owner.text("#at-owner-talk")
    assert "the rules" in said
    assert "Where the time went" in said
    assert shopper.titles[0] in said
    assert "just now" in said or "1 min ago" in said
    assert "['" not in said
    assert not re.search(r"\d{4}-\d\d-\d\dT", said)
    focused = owner.tab.evaluate("() => document.activeElement.textContent")
    assert focused == "Turn 2 of 2"
    owner.press("‹ Turn before")
    owner.see("#at-owner-talk", "Turn 1 of 2")


def test_only_conversations_worth_a_look(owner, shopper):
    shopper.say("pink scooters for the unhappy")
    shopper.press(0, "Bad suggestion").click()
    shopper.told("Thank")
    owner.tab.get_by_label("Not content").check()
    owner.see("#at-owner-listed", "pink scooters for the unhappy")
    listed = owner.text("#at-owner-listed")
    assert "yellow rain jackets for the owner" not in listed


def test_turn_is_found_by_its_words(owner, shopper):
    shopper.say("striped curtains for the attic")
    shopper.say("not under 50")
    box = owner.tab.get_by_label("Find")
    box.fill("ATTIC striped")
    box.press("Enter")
    row = owner.tab.locator("#at-owner-listed .at-row")
    row.get_by_text("… striped curtains for the attic").wait_for()
    assert row.count() == 1
    row.get_by_role("button").click()
    owner.see("#at-owner-talk", "Turn 1 of 2")
    box.fill("nobody ever said this")
    box.press("Enter")
    owner.see("#at-owner-listed", "Nobody said that")
    assert box.input_value() == "nobody ever said this"


def test_address_leads_to_the_turn_and_the_tab(owner, visit, shopper):
    shopper.say("copper kettles for a link")
    owner.press("Refresh")
    owner.tab.get_by_role("button", name="copper kettles for a link").click()
    owner.see("#at-owner-talk", "Turn 1 of 1")
    owner.tab.wait_for_url(re.compile(r"session=[0-9a-f]+&turn=1"))
    other = visit()
    other.tab.goto(owner.tab.url)
    other.log_in()
    other.inside().see("#at-owner-talk", "copper kettles for a link")
    other.go("Adapters", "#at-owner-adapters", "Answering now")
    other.tab.wait_for_url(re.compile("tab=adapters"))
    other.tab.reload()
    other.see("#at-owner-adapters", "Answering now")


def test_owner_reads_chinese(visit, learned, shopper):
    shopper.say("yellow umbrellas in Chinese")
    owner = visit()
    owner.tab.goto(learned.url + "owner/zh/")
    owner.tab.get_by_label("密码").fill(PASSWORD)
    owner.tab.get_by_role("button", name="登录").click()
    owner.see("#at-owner-listed", "最近的对话")
    assert owner.tab.evaluate("() => document.documentElement.lang") == "zh"
    owner.tab.get_by_role("button", name="yellow umbrellas in Chinese").click()
    owner.see("#at-owner-talk", "第 1 轮，共 1 轮")
    owner.go("适配器", "#at-owner-adapters", "现在回答的是")
    owner.tab.context.clear_cookies()
    owner.go("运行", "#at-owner-door", "登录已失效")


def test_two_owners_go_back_once(owner, visit, learned):
    live = learned.names[0]
    second = visit()
    second.log_in()
    second.inside()
    for one in (owner, second):
        one.go("Adapters", "#at-owner-adapters", f"Answering now: {live}")
        one.press("Roll back …")
        one.see("#at-owner-adapter-asked", "Roll back?")
    owner.press("Roll back", "#at-owner-adapter-asked")
    owner.told("the model without an adapter answers everybody again")
    second.press("Roll back", "#at-owner-adapter-asked")
    second.told("Something else was decided meanwhile")
    second.see("#at-owner-adapters", "without an adapter")
    second.press("Cancel", "#at-owner-adapter-asked")
    begins = re.compile(rf"^\s*{live}")  # others name it as what they were measured beside
    row = owner.tab.locator("#at-owner-adapters tr", has_text=begins)
    row.get_by_role("button", name="Promote …").click()
    owner.tab.get_by_label("although the gate").check()
    owner.press("Promote", "#at-owner-adapter-asked")
    owner.told(f"{live} answers everybody now")


def test_conversation_is_opened_by_keyboard(owner, shopper):
    shopper.say("green lamps by keyboard")
    owner.press("Refresh")
    row = owner.tab.get_by_role("button", name="green lamps by keyboard")
    row.wait_for()
    row.focus()
    owner.tab.keyboard.press("Enter")
    owner.see("#at-owner-talk", "Turn 1 of 1")


def test_items_never_shown_are_saved(owner, learned):
    owner.go("Catalog", "#at-owner-catalog", "never shown")
    with owner.tab.expect_download() as saved:
        owner.tab.get_by_role("link", name=re.compile("Save all")).click()
    lines = saved.value.path().read_text("utf-8").splitlines()
    assert saved.value.suggested_filename == "never-shown.csv"
    assert lines[0].startswith("id,title,")
    assert len(lines) > 2_000


def test_what_was_told_is_listed_and_saved(owner, shopper):
    shopper.say("orange buckets that were judged")
    shopper.press(0, "Bad suggestion").click()
    shopper.told("Thank")
    owner.go("Feedback", "#at-owner-told-lately", "orange buckets that were judged")
    with owner.tab.expect_download() as saved:
        owner.tab.locator("#at-owner-told-lately").get_by_role("link", name="Save all").click()
    lines = saved.value.path().read_text("utf-8").splitlines()
    assert saved.value.suggested_filename == "feedback.csv"
    assert any("orange buckets that were judged" in line for line in lines)
    owner.tab.locator("#at-owner-told-lately").get_by_role(
        "link", name="orange buckets that were judged").first.click()  # fmt: skip
    owner.see("#at-owner-talk", "What they told about this answer")


def test_pairs_are_shown_and_saved(owner):
    owner.go("Feedback", "#at-owner-pairs", "choices between items")
    owner.press("Show some", "#at-owner-pairs")
    owner.see("#at-owner-examples", "passed over")
    with owner.tab.expect_download() as saved:
        owner.tab.get_by_role("link", name="Save train.jsonl").click()
    rows = [json.loads(line) for line in saved.value.path().read_text("utf-8").splitlines()]
    assert {"chosen", "rejected"} <= rows[0].keys()


def test_run_is_started_seen_after_a_reload_and_stopped(owner):
    owner.go("Runs", "#at-owner-runs", "Runs")
    owner.press("Start")
    owner.see("#at-owner-run", "running")
    owner.tab.reload()
    owner.see("#at-owner-strip", "Under way")
    owner.press("Stop", "#at-owner-strip")
    owner.tab.get_by_role("tab", name="Runs", exact=True).click()
    owner.see("#at-owner-runs", "stopped")
    owner.tab.locator("#at-owner-strip .at-strip").wait_for(state="hidden")


def test_two_runs_are_compared(owner):
    owner.go("Runs", "#at-owner-runs", "Runs")
    for count in (1, 2):
        owner.tab.get_by_label("What to run").click()
        owner.tab.get_by_role("option", name=re.compile("What people did")).click()
        owner.press("Start")
        done = owner.tab.locator("#at-owner-runs tr", has_text="What people did").locator(
            ".at-badge-good")  # fmt: skip
        done.nth(count - 1).wait_for(timeout=PATIENCE_MS)
    owner.press("Choose", "#at-owner-runs")
    owner.see("#at-owner-runs", "1 chosen to compare")
    owner.press("Choose", "#at-owner-runs")
    owner.see("#at-owner-run", "Two runs side by side")
    assert "with_feedback" in owner.text("#at-owner-run")


def test_adapter_is_promoted_and_rolled_back(owner, learned):
    live, other, refused = learned.names
    owner.go("Adapters", "#at-owner-adapters", f"Answering now: {live}")
    row = owner.tab.locator("#at-owner-adapters tr", has_text=refused).first
    row.get_by_role("button", name="Promote …").click()
    owner.see("#at-owner-adapter-asked", f"Promote {refused}?")
    owner.press("Promote", "#at-owner-adapter-asked")
    owner.told("the gate refused it")
    owner.press("Cancel", "#at-owner-adapter-asked")
    row = owner.tab.locator("#at-owner-adapters tr", has_text=other).first
    row.get_by_role("button", name="Promote …").click()
    owner.see("#at-owner-adapter-asked", f"Promote {other}?")
    owner.tab.get_by_label("Why (kept in the history)").fill("it chooses better")
    owner.press("Promote", "#at-owner-adapter-asked")
    owner.told(f"{other} answers everybody now")
    owner.see("#at-owner-adapters", "it chooses better")
    owner.press("Roll back …")
    owner.see("#at-owner-adapter-asked", "Roll back?")
    owner.press("Roll back", "#at-owner-adapter-asked")
    owner.told(f"{live} answers everybody again")
    owner.see("#at-owner-adapters", "rolled back")


def test_experiment_is_begun_shared_and_stopped(owner, learned):
    live, other, _ = learned.names
    owner.go("Experiments", "#at-owner-experiments", "None is under way")
    owner.press("Begin an experiment …")
    form = owner.tab.locator("#at-owner-experiment-asked")
    form.get_by_label("What it is called").fill("taste of the test")
    form.locator("select[name=control]").select_option(live)
    form.locator("select[name=trial]").select_option(other)
    form.get_by_label("although the gate").check()
    owner.press("Begin", "#at-owner-experiment-asked")
    owner.told("taste of the test has begun")
    owner.see("#at-owner-experiments", "Nothing to read yet")
    owner.press("Change shares …")
    form.get_by_label(re.compile("Percent of the conversations")).fill("200")
    form.locator("form").evaluate("form => form.noValidate = true")
    owner.press("Change", "#at-owner-experiment-asked")
    owner.told("must be a number above 0 and below 100")
    form.get_by_label(re.compile("Percent of the conversations")).fill("20")
    owner.press("Change", "#at-owner-experiment-asked")
    owner.told("The shares are changed")
    owner.see("#at-owner-experiments", "80%")
    owner.press("Stop …")
    owner.see("#at-owner-experiment-asked", "will answer everybody")
    owner.press("Stop it", "#at-owner-experiment-asked")
    owner.told("It has ended")
    row = owner.tab.get_by_role("button", name="taste of the test")
    row.click()
    owner.see("#at-owner-experiment-asked", "what it said")


def test_ended_login_is_said_and_what_was_typed_stays(owner):
    box = owner.tab.get_by_label("Find")
    box.fill("half a thought")
    owner.tab.context.clear_cookies()
    owner.press("Refresh")
    owner.see("#at-owner-door", "Your login has ended. What you typed stays")
    door = owner.tab.locator("#at-owner-door")
    door.get_by_label("Password").fill("wrong")
    owner.press("Log in again", "#at-owner-door")
    owner.see("#at-owner-door", "That is not the password")
    door.get_by_label("Password").fill(PASSWORD)
    owner.press("Log in again", "#at-owner-door")
    door.wait_for(state="detached")
    assert box.input_value() == "half a thought"
    box.press("Enter")
    owner.see("#at-owner-listed", "Nobody said that")


def test_page_is_usable_on_a_phone(visit, shopper):
    shopper.say("purple rugs on a phone")
    owner = visit(viewport={"width": 390, "height": 844})
    owner.log_in()
    owner.inside()
    owner.tab.get_by_role("button", name="purple rugs on a phone").click()
    owner.see("#at-owner-talk", "Turn 1 of 1")
    wide = owner.tab.evaluate("() => document.documentElement.scrollWidth")
    assert wide <= 390
    box = owner.tab.locator("#at-owner-talk h2").bounding_box()
    assert 0 <= box["y"] < 844
