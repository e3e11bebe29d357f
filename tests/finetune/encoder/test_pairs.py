"""Queries made from items, and pairs of which none is another's answer."""

from random import Random

import numpy as np
import pytest

from finetune.encoder import phrases
from finetune.encoder.corpus import Wanted, group_of, held_out, share_of
from finetune.encoder.negatives import mine
from finetune.encoder.pairs import Pair, hash_of, is_answer, make_batches, make_pairs
from retrieval.encoder import HashingEncoder
from tests.finetune.encoder.shop import corpus, item

SHOP = corpus()
ROWS = range(len(SHOP))


def made(make, row, tries=200):
    found = {make(SHOP, row, Random(seed)) for seed in range(tries)}
    return {phrase for phrase in found if phrase is not None}


def test_title_part_is_words_as_they_stand():
    texts = {phrase.text for phrase in made(phrases.title_part, 3)}
    assert texts <= {"Nordix Rain", "Rain Jacket", "Jacket Slim", "Nordix Rain Jacket",
                     "Rain Jacket Slim", "Nordix Rain Jacket Slim"}  # fmt: skip
    assert len(texts) == 6
    assert not made(phrases.title_part, 7)


def test_title_words_drops_some_and_keeps_the_order():
    texts = {phrase.text for phrase in made(phrases.title_words, 3)}
    assert {"Nordix Slim", "Nordix Jacket Slim"} < texts
    assert all(text.split() == sorted(text.split(), key=["Nordix", "Rain", "Jacket", "Slim"].index)
               for text in texts)  # fmt: skip


def test_terms_are_words_that_several_titles_share(monkeypatch):
    monkeypatch.setattr(phrases, "COMMON", 0.4)
    texts = {phrase.text for phrase in made(phrases.terms, 0)}
    assert texts == {"Acme", "Trail", "Boot", "Acme Trail", "Trail Boot"}
    assert {phrase.text for phrase in made(phrases.terms, 6)} == {"Trail"}


def test_facets_come_in_the_order_of_speech():
    texts = {phrase.text for phrase in made(phrases.facets, 0)}
    assert {"black acme boots", "acme boot", "boots", "acme"} <= texts
    assert "black" not in texts
    found = {phrase.text: phrase.wanted for phrase in made(phrases.facets, 3)}
    assert {"black nordix coat", "nordix jackets"} <= set(found)
    assert found["nordix jackets"].values == {("brand", "nordix"), ("type", "jackets & coats")}


def test_mixed_has_a_value_and_words_of_the_title(monkeypatch):
    monkeypatch.setattr(phrases, "COMMON", 0.4)
    wanted = {phrase.text: phrase.wanted for phrase in made(phrases.mixed, 0)}
    assert wanted["black Trail"] == Wanted(frozenset({("colour", "black")}), frozenset({"trail"}))


def test_clause_stays_within_a_sentence():
    texts = {phrase.text for phrase in made(phrases.clause, 0)}
    assert "Waterproof leather boot" in texts
    assert not any("boot made" in text for text in texts)
    assert not made(phrases.clause, 1)


def test_asking_is_held_back_from_training():
    found = {phrase.text for phrase in made(phrases.asking, 0)}
    assert any(text.startswith("do you have ") for text in found)
    assert "asking" not in phrases.FAMILIES


@pytest.mark.parametrize("word", ["boots", "jacket", "waterproof"])
def test_slip_changes_one_long_word_a_little(word):
    slipped = {phrases.slip(f"a {word} x1", Random(seed)) for seed in range(50)}
    assert len(slipped) > 3
    for text in slipped:
        first, changed, last = text.split()
        assert (first, last) == ("a", "x1")
        assert abs(len(changed) - len(word)) <= 1
    assert phrases.slip("a 4k tv", Random(0)) == "a 4k tv"


def test_phrase_of_an_item_without_words_is_none():
    assert phrases.make_phrase(SHOP, 7, Random(0)) is None


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(frozenset({("colour", "black")})), "abd"),
        (Wanted(frozenset({("colour", "black"), ("type", "boots")})), "ab"),
        (Wanted(stems=frozenset({"trail"})), "abg"),
        (Wanted(frozenset({("brand", "acme")}), frozenset({"43"})), "b"),
        (Wanted(stems=frozenset({"unheard"})), ""),
        (Wanted(), ""),
    ],
)
def test_whatever_has_all_that_is_wanted_answers(wanted, ids):
    rows = SHOP.answering(wanted)
    assert "".join(sorted(SHOP.items[row].id for row in rows)) == ids
    assert rows <= {row for row in ROWS if SHOP.answers(row, wanted)}


def test_near_duplicates_are_held_out_together():
    assert group_of("Acme Trail Boot 42") == group_of("boot ACME trail 43") != group_of("Boot")
    for seed in range(20):
        held = held_out(SHOP, 0.5, seed)
        assert held[0] == held[1]
        assert held[4] == held[5]
    assert {tuple(held_out(SHOP, 0.5, seed)) for seed in range(20)} != {(True,) * len(SHOP)}


def test_share_depends_on_key_and_seed_only():
    shares = [share_of(f"key {n}", 3) for n in range(1000)]
    assert 0.45 < np.mean(shares) < 0.55
    assert share_of("key 0", 3) == shares[0] != share_of("key 0", 4)
    assert 0 <= share_of("half \ud83d", 0) < 1


def test_pairs_are_of_the_given_items_and_repeat_with_the_seed():
    pairs = make_pairs(SHOP, [0, 3, 4], 60, seed=1)
    assert len(pairs) == 60
    assert {pair.positive for pair in pairs} == {0, 3, 4}
    assert pairs == make_pairs(SHOP, [0, 3, 4], 60, seed=1) != make_pairs(SHOP, [0, 3, 4], 60, 2)
    assert all(is_answer(SHOP, pair.positive, pair) for pair in pairs)
    assert make_pairs(SHOP, [7], 10, seed=0) == []


def test_known_and_near_duplicate_items_are_answers():
    pair = Pair("trail", 0, known=frozenset({6}))
    assert [row for row in ROWS if is_answer(SHOP, row, pair)] == [0, 1, 6]


def test_batches_hold_no_answer_to_another_query():
    pairs = make_pairs(SHOP, list(range(7)), 400, seed=0)
    batches = list(make_batches(SHOP, pairs, 3))
    assert len(batches) > 30
    for batch in batches:
        assert len(batch) == 3
        for one in batch:
            for other in batch:
                assert one is other or not is_answer(SHOP, other.positive, one)
    used = [id(pair) for batch in batches for pair in batch]
    assert len(set(used)) == len(used)


def test_batch_minds_the_negatives_too():
    boots = Wanted(frozenset({("type", "boots")}))
    boot = Pair("boots", 2, boots)
    cable = Pair("cable", 4, Wanted(stems=frozenset({"cabl"})), negative=0)
    map_ = Pair("map", 6, Wanted(stems=frozenset({"map"})), negative=3)
    assert list(make_batches(SHOP, [boot, cable], 2)) == []
    assert list(make_batches(SHOP, [boot, cable, map_], 2)) == [[boot, map_]]
    assert list(make_batches(SHOP, [boot, boot], 2)) == []


def test_items_all_alike_give_no_batch():
    same = corpus([item(str(n), "Plain Boot", type="Boots") for n in range(10)])
    assert list(make_batches(same, make_pairs(same, range(10), 50, 0), 2)) == []


def test_hash_tells_the_texts_apart():
    pairs = make_pairs(SHOP, [0, 3], 5, seed=0)
    assert hash_of(SHOP, pairs) == hash_of(SHOP, list(pairs)) != hash_of(SHOP, pairs[:4])


def mined(pairs, rows=tuple(ROWS), by_words=lambda text, k: ()):
    encoder = HashingEncoder()
    vectors = encoder.encode_items(SHOP.texts)
    return mine(SHOP, pairs, rows, vectors, encoder.encode_queries, by_words, seed=0)


def test_hard_negative_is_close_but_no_answer():
    wanted = Wanted(frozenset({("brand", "acme"), ("type", "boots")}))
    [_, pair] = mined([Pair("x", 7), Pair("acme trail boot", 0, wanted)])
    assert pair.negative not in (None, 0, 1)
    close = {mined([Pair("x", 7), Pair("acme trail boot", 0, wanted)], (0, 1, 2, 5))[1].negative
             for _ in range(5)}  # fmt: skip
    assert close <= {2, 5}


def test_words_choose_now_and_then():
    wanted = Wanted(frozenset({("type", "boots")}))
    asked = []

    def by_words(text, k):
        asked.append(text)
        return [0, 2, 6]

    pairs = mined([Pair("trail boots", 0, wanted)] * 8, by_words=by_words)
    assert len(asked) == 2
    assert pairs[0].negative == pairs[4].negative == 6


def test_negative_that_scores_like_the_positive_is_left_alone():
    pairs = [Pair("x", 7), Pair("velora patch cable 2 m", 4, Wanted(stems=frozenset({"2"})))]
    assert mined(pairs, (4, 5, 6))[1].negative != 5 or SHOP.groups[4] != SHOP.groups[5]
    kept = mined([Pair("boots", 0, negative=3)])
    assert kept[0].negative == 3


def test_query_that_everything_answers_gets_no_negative():
    wanted = Wanted(frozenset({("type", "boots")}))
    assert mined([Pair("x", 7), Pair("boots", 0, wanted)], (0, 1, 2))[1].negative is None
