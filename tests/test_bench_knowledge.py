"""The benchmark of answers: its questions fit its pages, and what it counts."""

from dataclasses import replace

import numpy as np
import pytest

from agent.knowledge.passages import passages
from agent.knowledge.reading import read_bytes
from benchmarks.knowledge import figures, limit_of, offered, ours, recognised
from benchmarks.knowledge_fit import Row, decided, fit, fit_ranks, opened, score, threshold
from benchmarks.knowledge_sets import PAGES, Question, pages, questions
from retrieval.encoder import HashingEncoder, make_encoder

ASKED = [Question("a", ("yes",)), Question("b", ("yes",)), Question("c"), Question("d")]


@pytest.mark.parametrize("business", PAGES)
def test_every_answer_stands_in_a_page(business):
    texts = [one.text for upload in pages(business) for one in passages(read_bytes(upload))]
    asked = questions(business)
    assert len(texts) > 15
    assert sum(bool(one.answers) for one in asked) >= 40
    assert sum(not one.answers for one in asked) >= 30
    assert len({one.text for one in asked}) == len(asked)
    for answer in (words for one in asked for words in one.answers):
        assert any(answer in text for text in texts), answer


def test_figures_count_what_they_say():
    quotes = {"a": "oh yes", "b": "no", "c": "", "d": "yes"}
    found = figures(ASKED, lambda text: (quotes[text], 1.0))
    assert (found.answerable, found.unanswerable, found.false_answers) == (2, 2, 1)
    assert (found.right, found.refusal_recall, found.refusal_precision) == (0.5, 0.5, 1.0)
    assert found.precision == pytest.approx(1 / 3)


def test_offers_are_counted_apart(tmp_path):
    knowledge = opened("boxes", tmp_path, HashingEncoder(256))
    never = replace(knowledge.models.answers, threshold=1.1)
    knowledge.use(replace(knowledge.models, answers=never, offers=0.0))
    asked = [Question("do you have recipes", ("Each box has three recipe cards",)), Question("hm")]
    found = offered(knowledge, asked)
    assert (found.answerable, found.unanswerable) == (1, 1)
    assert (found.helpful, found.reached) == (1, 1.0)
    knowledge.close()


def test_limits_are_where_answers_are_right_enough():
    answers = {"a": ("yes", 0.9), "b": ("yes", 0.8), "c": ("yes", 0.7), "d": ("yes", 0.6)}
    assert limit_of(ASKED, answers.__getitem__) == 0.8


def test_fits_find_what_decides():
    rows = [Row({"good": n % 2, "noise": n % 3}, n % 2 == 1) for n in range(60)]
    weights = fit(rows, ("good", "noise"))
    assert score(weights, ("good", "noise"), {"good": 1, "noise": 1}) > 0.8
    assert score(weights, ("good", "noise"), {"good": 0, "noise": 1}) < 0.2
    here, there = np.eye(2, dtype=np.float32)
    bad = Row({"good": 0, "best": 0.1}, False, "a", here)
    groups = [[bad, Row({"good": 1, "best": 0.2}, True, "b", there)]] * 9
    ranks = fit_ranks(groups, ("good",))
    assert ranks[0] > 0
    assert all(row.right for row in decided(groups, ("good",), ranks))
    assert threshold([(0.9, True), (0.5, False)], lambda right, wrong: wrong == 0) == 0.7


def test_words_alone_answer_little_but_right(tmp_path):
    knowledge = opened("demo", tmp_path, HashingEncoder(256))
    found = figures(questions("demo"), ours(knowledge))
    assert found.precision > 0.8
    assert found.false_answers <= 6
    knowledge.close()


LEAST = {"music": (0.36, 0.6), "boxes": (0.24, 0.5)}
"""Shares answered rightly, and taken for questions to the shop, where they are asked otherwise."""


@pytest.mark.slow
@pytest.mark.parametrize("business", PAGES)
def test_answers_stay_as_good(business, tmp_path):
    knowledge = opened(business, tmp_path, make_encoder(cache=tmp_path / "models"))
    asked = questions(business)
    found = figures(asked, ours(knowledge))
    least, known = LEAST.get(business, (0.45, 0.6))
    assert found.right > least
    assert found.precision > 0.75
    assert found.refusal_recall > 0.88
    assert recognised(knowledge, asked) > known
    knowledge.close()


@pytest.mark.slow
@pytest.mark.parametrize("question", ["is this returnable", "is it returnable?", "return policy"])
def test_whole_subject_is_answered_on_the_demo(question, tmp_path):
    knowledge = opened("demo", tmp_path, make_encoder(cache=tmp_path / "models"))
    answer = knowledge.ask(question)
    assert {quote.source for quote in answer.quotes} <= {"returns.md", "shops-and-contact.md"}
    assert len(answer.quotes) == 2
    assert answer.unanswered == ()
    knowledge.close()
