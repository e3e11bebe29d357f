"""What the tabs show and ask, over the JSON of /v1/owner: no browser, no Gradio events."""

import re

import pytest

pytest.importorskip("gradio")

from ui.owner import experiments as reading
from ui.owner.figures import comparison
from ui.owner.learning import adapters as learned_adapters
from ui.owner.pairs import examples, sets
from ui.web.api import ApiError
from ui.web.owner import adapters, catalog, conversations, experiments, feedback, runs, telling_runs
from ui.web.owner import pairs as read_pairs
from ui.web.owner.desk import in_words
from ui.web.owner.telling import owners_words
from ui.web.owner.turn import mentions, turn_view

EN, ZH = owners_words(), owners_words("zh")
EVIL = '<img src=x onerror="alert(1)">'

TURN = {
    "number": 2, "turns": 3, "utterance": EVIL, "reply": "Here.", "planner": "rules",
    "voice": "taste-1", "model": "house", "prompt_id": "plan@2", "shortened": False,
    "fallback": "no answer within 3 s", "notes": [], "flags": ["fallback"],
    "mentions": [
        {"id": "V1", "kind": "value", "text": "black", "facet": "colour", "values": ["Black"]},
        {"id": "N1", "kind": "number", "text": "under 60", "facet": "price", "high": 60,
         "strict": True, "score": 0.5},
    ],
    "acts": [{"act": "refine", "want": ["N1"], "avoid": ["V1"]}],
    "before": ["Jackets", "red"], "after": ["Jackets", "not Black"], "filter": {"and": []},
    "shown": [], "relaxations": [], "timings": {"retrieve": 8.0, "link": 2.0},
    "matched": 3, "searched": "jackets", "candidates": [
        {"rank": 1, "id": "7", "title": EVIL, "shown": 2, "score": 0.9, "vector": 0.5,
         "words": None, "parts": {"relevance": 1.0, "odd": 0.25}},
    ],
    "told": [], "state": {"before": {}, "after": {}}, "service": None, "written": [],
    "prompt": [{"role": "user", "content": EVIL}],
}  # fmt: skip


def text_of(markup):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup))


def test_turn_is_told_in_words():
    shown = turn_view(EN, TURN)
    assert "<img" not in shown
    said = text_of(shown)
    assert "Turn 2 of 3" in said
    assert "the rules, as the model failed: no answer within 3 s" in said
    assert "house, asked with plan@2" in said
    assert "Answered as taste-1" in said
    assert "Change what is looked for (wanted: under 60; not wanted: black)" in said
    assert "‹ Turn before" in said
    assert "Next turn ›" in said
    assert "10 ms" in said
    assert "relevance" in said
    assert "odd" in said
    assert "['" not in said


def test_wishes_are_kept_new_or_gone():
    shown = turn_view(EN, TURN)
    assert '<li class="at-wish">Jackets' in shown
    assert '<li class="at-wish at-new">' in shown
    assert "<del>red</del>" in shown


def test_mentions_say_how_sure_they_are():
    said = text_of(mentions(EN, TURN["mentions"]))
    assert "colour: Black" in said
    assert "under 60; 50% sure" in said


def test_turn_without_items_says_so():
    shown = text_of(turn_view(EN, {**TURN, "candidates": [], "matched": None, "prompt": []}))
    assert "nothing was searched" in shown
    assert "No model was asked" in shown


def test_conversations_are_rows_to_press():
    rows = [{"id": "abc", "begun": EVIL, "turns": 2, "last": "2026-11-01T10:00:00+00:00",
             "flags": ["nothing"], "found": 2, "said": "", "slowest_ms": 1234.5}]  # fmt: skip
    made = conversations.listing(EN, rows, "abc")
    assert "<img" not in made
    assert 'aria-current="true"' in made
    assert "nothing found" in made
    assert "No conversation has such a turn" in conversations.listing(EN, [], "", ("fallback", ""))
    assert "Nobody has talked" in conversations.listing(EN, [], "")


def test_turns_of_a_conversation_are_steps():
    talk = {"id": "abc", "turns": [
        {"number": n, "utterance": f"say {n}", "flags": [], "time": "2026-11-01T10:00:00+00:00"}
        for n in (1, 2, 3)
    ]}  # fmt: skip
    made = conversations.conversation(EN, talk, 2, TURN)
    assert made.count('class="at-step"') == 3
    assert made.count('aria-current="step"') == 1


HEALTH = {
    "name": "demo", "items": 200, "version": 3, "lacking": {"price": 1}, "never_shown": 150,
    "never_shown_examples": [{"id": "1", "title": EVIL}], "rejects": [],
    "asked_in_vain": {"turns": 1, "given_up": [], "nothing": [], "words": [
        {"word": "zorbly", "turns": 1, "session": "abc", "number": 2}]},
    "facets": [{"facet": "fit", "label": "fit", "kind": "categorical", "role": "",
                "coverage": 0.2, "values": 4, "lacking": True}],
    "columns": [{"column": "sku", "taken for": "id", "facet": "", "kind": "", "role": ""}],
}  # fmt: skip


def test_catalog_is_told_in_figures_and_words():
    made = catalog.health(EN, HEALTH)
    assert "<img" not in made
    said = text_of(made)
    assert "75%" in said
    assert "zorbly" in said
    assert "few have it" in said
    assert "every row of the file became an item" in said
    assert 'href="/owner/files/never-shown.csv"' in made
    assert "CSV" not in catalog.health(EN, {**HEALTH, "never_shown": 0})


def test_adapters_are_side_by_side(learned):
    project, (live, other, refused) = learned
    found = {
        **learned_adapters(project / "adapters"),
        "served": True,
        "base": "house",
        "problems": {other: "it is damaged"},
    }
    said = text_of(adapters.overview(EN, found))
    assert f"Answering now: {live}" in said
    assert f"{other} cannot be loaded on this server" in said
    assert said.count("held.preferred") == 1
    assert "0.560 (+0.030, 0.000 to 0.060)" in said
    assert "refused beside" in said
    asked = adapters.question(EN, "promote", other, found)
    assert 'data-form="promote"' in asked
    assert "has not passed" not in asked
    assert "has not passed" in adapters.question(EN, "promote", refused, found)
    assert 'name="share"' in adapters.question(EN, "canary", other, found)
    assert "What answered before" in adapters.question(EN, "rollback", "", found)


def test_project_without_adapters_says_how_to_get_one():
    found = {"live": None, "trial": None, "version": 0, "adapters": [], "history": [],
             "served": False, "base": "rules", "problems": {}}  # fmt: skip
    said = text_of(adapters.overview(EN, found))
    assert "A round of learning" in said or "a round of learning" in said
    assert "No language model is served here" in said
    assert "Roll back" not in said


@pytest.mark.parametrize(
    ("typed", "share"),
    [("10", 0.1), ("12.5 %", 0.125), ("12,5", 0.125), ("0", None), ("100", None), ("half", None),
     ("nan", None), ("", None)],
)  # fmt: skip
def test_shares_are_typed_in_percent(typed, share):
    assert adapters.share_of(typed) == share


def test_experiment_says_what_the_test_says(learned, store, put, shop_as):
    from datetime import UTC, datetime

    from ui.owner import deciding

    project, (live, other, _) = learned
    folder = project / "adapters"
    nothing = reading.overview(folder, store, "house")
    assert "Begin an experiment" in experiments.overview(EN, nothing)
    deciding.begin(folder, EVIL, {live: 0.5, other: 0.5}, interleaved=False, force=False, why="w")
    now = datetime.now(UTC)
    put(*(shop_as(n, live, bought=False, begun=now) for n in range(30)),
        *(shop_as(n, other, bought=True, begun=now) for n in range(30)))  # fmt: skip
    found = reading.overview(folder, store, "house")
    made = experiments.overview(EN, found)
    assert "<img" not in made
    said = text_of(made)
    assert f"{other} is better than {live}." in said
    assert "however often it is looked at" in said
    assert "100.0%" in said
    assert 'name="trial"' in experiments.question(EN, "reshare", found)
    deciding.end(folder, why="")
    after = reading.overview(folder, store, "house")
    assert "stopped" in text_of(experiments.overview(EN, after))
    assert "None is under way any more" in experiments.question(EN, "end", after)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"test": None, "interleaved": None, "waiting": "no session"}, "Nothing to read yet"),
        ({"waiting": "", "interleaved": None, "test": {
            "difference": 0.1, "low": None, "high": None, "users": (3, 4), "least": 20}},
         "Too few people"),
        ({"waiting": "", "test": None, "interleaved": {
            "wins_a": 1, "wins_b": 9, "ties": 1, "evidence": 30.0, "decides": 20.0,
            "decided": "B"}}, "b is chosen from more."),
    ],
    ids=["nobody", "few", "interleaved"],
)  # fmt: skip
def test_every_state_of_a_test_has_words(given, says):
    assert says in text_of(experiments.in_words(EN, {"trial": "b", "control": "a", **given}))


RUN = {
    "id": "r1", "name": "shoppers", "status": "done", "seconds": 80.0, "progress": None,
    "begun": "2026-11-01T10:00:00+00:00", "log": "100%|###|", "result": {"success": 0.5},
    "about": {"catalog": "demo", "items": 2400, "version": 1, "answers": "rules"},
    "figures": [{"name": "success", "value": 0.5, "low": 0.4, "high": 0.6, "better": "higher"}],
}  # fmt: skip
DOES = {"shoppers": "How well shoppers are served"}


def test_run_is_told_with_its_figures():
    said = text_of(telling_runs.one_run(EN, RUN, DOES))
    assert "How well shoppers are served" in said
    assert "1 min 20 s" in said
    assert "demo, 2,400 items, version 1" in said
    assert "0.400 to 0.600 more is better" in said
    lost = text_of(telling_runs.one_run(EN, {**RUN, "status": "lost", "figures": []}, DOES))
    assert "The server ended before this did" in lost


def test_run_under_way_can_be_stopped():
    on = {**RUN, "status": "running", "progress": 0.4, "result": None}
    for made in (telling_runs.one_run(EN, on, DOES), telling_runs.strip_of(EN, on, DOES)):
        assert "40%" in made
        assert "stop" in made
    assert telling_runs.strip_of(EN, None, DOES) == ""


def test_two_runs_are_compared_in_words():
    better = [{**RUN["figures"][0], "value": 0.8, "low": 0.75, "high": 0.85}]
    second = {**RUN, "id": "r2", "figures": better}
    both = {"first": RUN, "second": second, **comparison(RUN, second)}
    said = text_of(telling_runs.comparison(EN, both, DOES))
    assert "The second is better: shoppers who found what they wanted." in said
    assert "+0.300" in said


def test_at_most_two_runs_are_chosen():
    assert runs.chosen((), "a") == ("a",)
    assert runs.chosen(("a",), "b") == ("a", "b")
    assert runs.chosen(("a", "b"), "c") == ("b", "c")
    assert runs.chosen(("a", "b"), "a") == ("b",)


def test_figures_over_time_are_those_of_runs_that_are_done():
    failed = {**RUN, "status": "failed"}
    rows = runs.over_time(EN, [RUN, failed, {**RUN, "name": "drift"}], "shoppers", ["success"])
    assert rows.values.tolist() == [[rows["time"][0], EN("measure.success"), 0.5]]
    assert runs.measured({"runs": [RUN], "choices": [
        {"name": "shoppers", "does": "x", "measures": True},
        {"name": "drift", "does": "y", "measures": True},
    ]}) == [("x", "shoppers")]  # fmt: skip


def test_pairs_are_shown_side_by_side(tmp_path):
    from benchmarks.browser.learned import write_pairs

    write_pairs(tmp_path / "pairs")
    (one,) = sets(tmp_path)
    said = text_of(read_pairs.pair_set(EN, one))
    assert "Made by the run of 12 conversations, 10 people" in said
    assert "9 × nothing was corrected (plans corrected)" in said
    shown = text_of(read_pairs.examples(EN, examples(tmp_path, "pairs", "choice"), "pairs"))
    assert "chosen 1. Rain jacket, green" in shown
    assert "none of that kind" in read_pairs.examples(
        EN, examples(tmp_path, "pairs", "plan"), "pairs"
    )


def test_days_of_feedback_are_plotted_in_words():
    told = [{"day": "2026-11-01", "kind": kind, "events": 3} for kind in ("select", "impression")]
    found = {"kinds_by_day": told}
    assert feedback.by_day(EN, found)[["kind", "events"]].values.tolist() == [["chosen", 3]]


@pytest.mark.parametrize(
    ("kind", "says"),
    [("login", "revoked"), ("server", "cannot be reached"), ("refused", "That was refused."),
     ("slow", "too long"), ("session", "no such conversation")],
)  # fmt: skip
def test_every_trouble_is_said_in_words(kind, says):
    told = in_words(EN, ApiError(kind, "the reason"))
    assert says in told
    assert "he reason" in told


def test_latest_runs_are_shown_with_their_intervals():
    made = telling_runs.intervals_over_time(EN, [RUN], ["success", "turns"])
    assert "2026-11-01 10:00 UTC" in made
    assert "0.500 (0.400 to 0.600)" in made
    unsure = {**RUN, "figures": [{**RUN["figures"][0], "low": None, "high": None}]}
    assert telling_runs.intervals_over_time(EN, [unsure], ["success"]) == ""
