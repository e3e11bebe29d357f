"""Old against new: measured on what training never saw, and decided beyond chance."""

import math
from random import Random

import numpy as np
import pytest

from finetune.encoder.card import EncoderCard, keep, license_of, readme, weights_hash, write_card
from finetune.encoder.compare import (
    Case,
    Measured,
    decide,
    decisive,
    halves,
    in_pool,
    made_cases,
    make_pool,
    mean_of,
    measure,
)
from finetune.errors import TrainingError
from retrieval.encoder import HashingEncoder
from tests.finetune.encoder.shop import corpus

SHOP = corpus()
EYE = np.eye(8, dtype=np.float32)


def test_cases_are_made_of_held_out_items_with_all_answers():
    cases = made_cases(SHOP, [0, 3], 40, seed=0)
    assert 4 <= len(cases) <= 8
    assert {case.source for case in cases} == {"made"}
    for case in cases:
        assert {0, 3} & set(case.ratings)
        assert set(case.ratings.values()) == {1.0}
    assert any(len(case.ratings) > 1 for case in cases)
    assert "asking" in {case.family for case in made_cases(SHOP, [0, 1, 2, 3, 6], 40, seed=0)}
    assert cases == made_cases(SHOP, [0, 3], 40, seed=0)


def test_pool_has_what_is_held_out_and_what_people_rated(monkeypatch):
    monkeypatch.setattr("finetune.encoder.compare.POOL", 5)
    cases = [Case("boots", {2: 1.0, 5: 0.0}, "judged"), Case("map", {6: 1.0})]
    pool = make_pool(SHOP, [0, 1], cases, seed=0)
    assert len(pool) == 5
    assert {0, 1, 2, 5} < set(pool)
    assert pool == sorted(pool)
    assert in_pool(cases, [0, 5]) == []
    assert in_pool(cases, [0, 2]) == cases[:1]


def test_measure_ranks_the_pool_for_each_case():
    cases = [Case("first", {3: 1.0}), Case("last", {7: 1.0, 6: 0.5})]
    queries = {"first": EYE[3], "last": -np.arange(8, dtype=np.float32)}
    got = measure(cases, range(8), EYE, lambda texts: np.stack([queries[t] for t in texts]))
    assert got.ndcg[0] == got.reciprocal[0] == 1.0
    assert got.reciprocal[1] == pytest.approx(1 / 7)
    gain = 2**0.5 - 1
    best = 1 + gain / math.log2(3)
    assert got.ndcg[1] == pytest.approx((gain / math.log2(8) + 1 / math.log2(9)) / best)


def test_measure_counts_only_answers_in_the_pool():
    cases = [Case("x", {2: 1.0, 7: 1.0})]
    got = measure(cases, [1, 2], EYE[[1, 2]], lambda texts: EYE[[2]])
    assert got.ndcg == [1.0]


def test_halves_share_no_query():
    cases = [Case(f"query {n % 50}", {0: 1.0}) for n in range(200)]
    one, other = halves(cases, seed=0)
    assert sorted(one + other) == list(range(200))
    assert not {cases[n].query for n in one} & {cases[n].query for n in other}
    assert 40 < len(one) < 160


@pytest.mark.parametrize(
    ("judged", "feedback", "source"),
    [(30, 100, "judged"), (29, 30, "feedback"), (0, 29, "made"), (0, 0, "made")],
)
def test_people_decide_where_there_are_enough_of_them(judged, feedback, source):
    cases = [Case("a", {0: 1.0}, "judged")] * judged + [Case("b", {0: 1.0}, "feedback")] * feedback
    assert decisive([*cases, Case("c", {0: 1.0})]) == source


def values(mean, spread=0.2, n=400, seed=0):
    random = Random(seed)
    return [min(1.0, max(0.0, random.gauss(mean, spread))) for _ in range(n)]


CASES = [Case(str(n), {0: 1.0}) for n in range(400)]


@pytest.mark.parametrize(
    ("old", "new", "accepted"),
    [
        (values(0.5), values(0.6, seed=1), True),
        (values(0.5), values(0.505, seed=1), False),
        (values(0.5), values(0.4, seed=1), False),
        (values(0.5), values(0.5), False),
    ],
)
def test_only_better_beyond_chance_is_accepted(old, new, accepted):
    decision = decide(Measured(old, old), Measured(new, new), CASES, range(400))
    assert decision.accepted is accepted
    assert ("not above 0" in decision.reason) is not accepted
    assert [gain.figure for gain in decision.gains] == ["ndcg@10", "mrr"]
    assert decision.gains[0].new == pytest.approx(np.mean(new))
    assert decision.gains[0].difference.mean == pytest.approx(np.mean(new) - np.mean(old))


def test_judged_queries_decide_over_made_ones():
    cases = [Case(str(n), {0: 1.0}, "judged" if n < 100 else "made") for n in range(400)]
    old, new = values(0.5), values(0.7, seed=1)
    worse = [0.1] * 100 + new[100:]
    decision = decide(Measured(old, old), Measured(worse, worse), cases, range(400))
    assert not decision.accepted
    assert "held-out judged queries" in decision.reason
    assert mean_of(Measured(worse, worse), cases, range(400)) == pytest.approx(0.1)


def test_no_case_is_no_reason_to_change():
    decision = decide(Measured([], []), Measured([], []), [], [])
    assert (decision.accepted, decision.gains) == (False, ())
    assert math.isnan(mean_of(Measured([], []), [], []))


def test_better_encoder_measures_better():
    cases = made_cases(SHOP, list(range(7)), 28, seed=0)
    found = []
    for encoder in (HashingEncoder(2), HashingEncoder(256)):
        items = encoder.encode_items(SHOP.texts)
        found.append(measure(cases, range(len(SHOP)), items, encoder.encode_queries))
    assert np.mean(found[1].ndcg) > np.mean(found[0].ndcg) + 0.1


def card(**given):
    decision = decide(
        Measured(values(0.5), values(0.5)), Measured(values(0.7), values(0.7)), CASES, range(400)
    )
    about = {
        "name": "tuned:0123456789ab", "base": "all-MiniLM-L6-v2", "base_license": "apache-2.0",
        "base_hash": "b", "data_hash": "d", "data": {"items": 7}, "config": {"steps": 3},
        "alpha": 0.7, "alphas": {"0.7": 0.6}, "decision": decision, "libraries": {"torch": "2"},
        "created": "2026-01-01",
    } | given  # fmt: skip
    return EncoderCard(**about)


def test_card_tells_base_license_data_and_figures(tmp_path):
    write_card(tmp_path, card())
    told = (tmp_path / "README.md").read_text("utf-8")
    assert told == readme(card())
    assert told.startswith("---\nlicense: apache-2.0\nbase_model: ")
    for part in ("| data | d |", "| alpha | 0.7 |", "| items | 7 |", "nDCG@10 on 400 held-out"):
        assert part.lower() in told.lower()
    assert license_of(tmp_path) == "apache-2.0"
    (tmp_path / "README.md").unlink()
    assert license_of(tmp_path) == "apache-2.0"
    assert license_of(tmp_path / "nowhere") == "unknown"


class Model:
    """Saves some bytes as a model does."""

    def __init__(self, data, name="model.safetensors"):
        self.data, self.name = data, name

    def save(self, folder, create_model_card):
        from pathlib import Path

        (Path(folder) / self.name).write_bytes(self.data)
        if not self.data:
            raise OSError("disk full")


def test_folder_is_named_by_its_weights(tmp_path):
    one, same, other = (keep(Model(data), tmp_path / "in") for data in (b"1", b"1", b"2"))
    assert one == same != other
    assert one.name == f"encoder-{weights_hash(one)[:12]}"
    with pytest.raises(OSError, match="disk full"):
        keep(Model(b""), tmp_path / "in")
    with pytest.raises(TrainingError, match="no safetensors"):
        keep(Model(b"1", "model.bin"), tmp_path / "in")
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == sorted(
        [one.name, other.name]
    )
