"""The figures of results of every kind, and two runs compared."""

import pytest

from ui.owner.figures import Figure, better, compared, comparison, figures

SHOPPERS = {"name": "rules", "n": 30, "success": {"mean": 0.7, "low": 0.6, "high": 0.8, "n": 30},
            "turns": {"mean": 3.2, "low": 2.5, "high": 3.8, "n": 30}}  # fmt: skip
LABELLED = {"ours": {"state_exact": 0.9}, "intervals": {"state_exact": [0.85, 0.94]}, "n": {"d": 3}}
DRIFT = {"before": 5, "changes": [{"signal": "length", "psi": 0.2, "p": 0.1}]}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (LABELLED, [Figure("state_exact", 0.9, 0.85, 0.94, "higher")]),
        (SHOPPERS, [Figure("n", 30.0), Figure("success", 0.7, 0.6, 0.8, "higher"),
                    Figure("turns", 3.2, 2.5, 3.8, "lower")]),
        (DRIFT, [Figure("before", 5.0), Figure("psi length", 0.2, better="lower")]),
        ({"kinds": {"click": 3}}, [Figure("kinds.click", 3.0)]),
        ({"ok": True, "ratio": float("nan")}, []),
        ("no JSON", []), (None, []), ([1], []),
    ],
    ids=["labels", "shoppers", "drift", "kinds", "no number", "text", "nothing", "list"],
)  # fmt: skip
def test_numbers_of_a_result_are_found(result, expected):
    assert figures(result) == expected


def test_less_of_some_figures_is_better():
    assert better("violation_rate") == better("turns") == "lower"
    assert better("state_exact") == "higher"
    assert better("events") == better("pairs.train.choice") == ""


def run(**values):
    return {"name": "x", "result": None, "figures": [
        {"name": name, "value": v, "low": v - half, "high": v + half, "better": better(name)}
        for name, (v, half) in values.items()
    ]}  # fmt: skip


def test_interval_says_whether_it_could_be_chance():
    found = comparison(run(success=(0.5, 0.02), turns=(3.0, 0.1), mrr=(0.5, 0.1)),
                       run(success=(0.6, 0.02), turns=(4.0, 0.1), mrr=(0.55, 0.1)))  # fmt: skip
    verdicts = {row["name"]: row["verdict"] for row in found["rows"]}
    assert verdicts == {"success": "better", "turns": "worse", "mrr": "unclear"}
    (success,) = [row for row in found["rows"] if row["name"] == "success"]
    assert success["difference"] == pytest.approx(0.1)
    assert success["high"] - success["low"] == pytest.approx(2 * 0.02 * 2**0.5)


def test_figures_without_interval_are_said_to_be_so():
    first, second = (
        {"name": "x", "result": None, "figures": [vars_of("mrr", v)]} for v in (0.4, 0.5)
    )
    found = comparison(first, second)
    assert found["rows"][0]["low"] is None


def vars_of(name, value):
    return {"name": name, "value": value, "low": None, "high": None, "better": better(name)}


def test_runs_with_nothing_in_common():
    assert compared([Figure("a", 1.0)], [Figure("b", 1.0)]) == []
    assert comparison(run(mrr=(1, 0)), run(ndcg=(1, 0)))["rows"] == []


def by_case(values):
    """A run of ten cases in which a figure had some values."""
    cases = {f"case {n}": {"mrr": [value, 1]} for n, value in enumerate(values)}
    mean = sum(values) / len(values)
    figure = {"name": "mrr", "value": mean, "low": mean - 0.3, "high": mean + 0.3,
              "better": "higher"}  # fmt: skip
    return {"name": "x", "figures": [figure], "result": {"cases": cases}}


def test_same_cases_are_compared_in_pairs():
    easy = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    (row,) = comparison(by_case(easy), by_case([one + 0.05 for one in easy]))["rows"]
    assert (row["cases"], row["verdict"]) == (10, "better")
    assert row["low"] == pytest.approx(0.05)
    assert row["high"] == pytest.approx(0.05)


def test_other_cases_are_not_compared_in_pairs():
    first, second = by_case([0.1] * 10), by_case([0.2] * 10)
    second["result"]["cases"]["another"] = second["result"]["cases"].pop("case 3")
    (row,) = comparison(first, second)["rows"]
    assert (row["cases"], row["verdict"]) == (None, "unclear")


@pytest.mark.parametrize("count", [5, 5.0], ids=["count", "share"])
def test_whole_numbers_are_neither_good_nor_bad(count):
    (figure,) = figures({"turns": count})
    assert figure.better == ("" if isinstance(count, int) else "lower")
