"""Human sentences as phrase lines: what becomes a slot, what a turn does, what is left out."""

import gzip
import json
from pathlib import Path
from random import Random

import pytest

from finetune.errors import LabelError
from finetune.house import human
from finetune.house.human import human_rows, lines, write_lines
from finetune.house.human_coffee import coffee
from finetune.house.human_film import ccpe, iard, label, redial
from finetune.house.human_sgd import sgd
from finetune.house.human_shop import fashioniq, queries, webshop
from finetune.house.human_text import HumanRow, content_runs, joined, plain, replace_value, sub
from finetune.house.human_titles import slotted, title_slots
from finetune.house.phrases_format import parse_phrase, read_phrases

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def turn(kind: str, text: str, *acts: list, service: str = "Restaurants_1") -> dict:
    return {"kind": kind, "text": text, "acts": list(acts), "service": service, "intent": "X"}


def inform(slot: str, *values: str) -> list:
    return ["INFORM", slot, list(values)]


ASK_FIND = ["INFORM_INTENT", "intent", ["FindRestaurants"]]
ALTS = ["REQUEST_ALTS", "", []]
SELECT = ["SELECT", "", []]

SGD = [
    (
        turn("open_request", "Find me a restaurant in Napa.", inform("city", "Napa"), ASK_FIND),
        ("recommend", "Find me a {C} in {V}.", ""),
    ),
    (
        turn(
            "open_request", "I need a hotel for 3 people.", inform("party_size", "3"), ASK_FIND
        ),
        ("recommend", "I need a {C} for {S}.", ""),
    ),
    (
        turn("constraint", "Something Italian please", inform("cuisine", "Italian")),
        ("refine", "Something {V} please", "need"),
    ),
    (
        turn("constraint", "I'd like a thai or thai one", inform("cuisine", "thai")),
        None,
    ),
    (
        turn("negate_refine", "No, I want two tickets", inform("number_of_tickets", "2")),
        ("refine", "No, I want {V}", "need"),
    ),
    (
        turn("alternatives", "Are there any other restaurants?", ALTS),
        ("more", "Are there any other ones?", "slate"),
    ),
    (
        turn("alternatives", "I don't like it. What else?", ALTS),
        ("reject+more", "I don't like it. What else?", "slate"),
    ),
    (
        turn("alternatives", "Anything else? I'd like Thai.", inform("cuisine", "Thai"), ALTS),
        ("refine+more", "Anything else? I'd like {V}.", "slate"),
    ),
    (
        turn("alternatives", "Any other Thai restaurants?", inform("cuisine", "Thai"), ALTS),
        ("refine", "Any other {V} ones?", "slate"),
    ),
    (
        turn("alternatives", "Anything, any price is ok", inform("price_range", "dontcare"), ALTS),
        ("refine", "Anything, any {xF} is ok", "slate"),
    ),
    (
        turn("question", "Does it have wifi?", ["REQUEST", "has_wifi", []]),
        ("detail", "Does {it} have {!K}?", "focus"),
    ),
    (
        turn("question", "What's the rating of the restaurant?", ["REQUEST", "rating", []]),
        ("detail", "What's the {F} of {R}?", "focus"),
    ),
    (turn("question", "Do they have wifi?", ["REQUEST", "has_wifi", []]), None),
    (turn("question", "Yes. Is it cheap?", ["AFFIRM", "", []]), None),
    (
        turn("select", "That works for me, that's all.", SELECT),
        ("select", "{it} works for me, that's all.", "focus"),
    ),
    (
        turn("select", "Dumbo is perfect", ["SELECT", "movie_name", ["Dumbo"]]),
        ("select", "{T} is perfect", "focus"),
    ),
    (turn("select", "That sounds good.", SELECT), None),
    (turn("reject", "No thanks, not now.", ["NEGATE_INTENT", "", []]),
     ("chitchat", "No thanks, not now.", "")),
    (turn("reject", "No, I do not want it", ["NEGATE_INTENT", "", []]), None),
    (turn("constraint", "On March 1st", inform("date", "March 1st")), None),
    (turn("constraint", "Something Thai", inform("cuisine", "Thai"), service="Banks_1"), None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), SGD, ids=[case[0]["text"] for case in SGD])
def test_sgd_turn(given, expected):
    assert list(sgd([given])) == ([expected] if expected else [])


WEBSHOP = [
    ("i am looking for a red dress", "i am looking for a {V:colour} {C}"),
    ("i need shoes in size 12", "i need {C} in size {V:size}"),
    (
        "i want a leather wallet, and price lower than 50.00 dollars",
        "i want a {V:material} {C}, and price lower than {n}",
    ),
    ("i need a hollow side console table", "i need a {K} {C}"),
    ("i need a lamp for my living room", "i need a {C} for {S}"),
    ("find me crackers without added sugar", "find me {C} without added {-K}"),
    ("i need my phone to charge", None),
    ("i would like a table that is easy to assemble", "i would like a {C} that is {K}"),
    ("look for a phone by acme", "look for a {C} by {V:brand}"),
    ("i need socks that don't have holes", "i need {C} that don't have {-K}"),
    ("i need socks that can't be pink", None),
    ("12 pieces", None),
]


@pytest.mark.parametrize(("given", "expected"), WEBSHOP)
def test_webshop_task(given, expected):
    found = [text for _, text, _ in webshop([{"text": given}])]
    assert found == ([expected] if expected else [])


def test_webshop_alternatives_of_a_facet_are_added():
    assert [row[0] for row in webshop([{"text": "i want shoes in red or blue"}])] == [
        "recommend:add"
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("earbuds without microphone", "{C} without {-K}"),
        ("office chair for kids", "{C} for {V:audience}"),
        ("saucepan without metal strips", "{C} without {-K}"),
        ("earbuds", None),
        ("the times they are changing", None),
        ("chair (red)", None),
    ],
)
def test_search_box_query(given, expected):
    assert [text for _, text, _ in queries([{"query": given}])] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("is blue and has longer sleeves", "is {V:colour} and has {K}"),
        ("The shirt is darker", "is {D}"),
        ("has no sleeves", "has no {-K}"),
        ("is more  blue", None),
        ("is a yellow shirt", None),
        ("black", None),
    ],
)
def test_caption_says_what_should_differ(caption, expected):
    rows = list(fashioniq([{"captions": [caption]}], Random(0)))
    assert bool(rows) == bool(expected)
    assert all(row[0] == "like" and row[1].endswith(expected) for row in rows)
    assert all("{it}" in row[1] or "{R}" in row[1] for row in rows if row[2] == "slate")


@pytest.mark.parametrize(
    ("text", "acts", "expected"),
    [
        ("Hi! I'm looking for a good comedy", "recommend", "Hi! I'm looking for a good {C}"),
        ("I need a horror movie", "recommend", "I need a {V} {C}"),
        ("Something like Cars (2006)", "like", "Something like {T}"),
        (
            "I'd like a movie. Something like Cars (2006)",
            "recommend+like",
            "I'd like a {C@1}. Something like {T@2}",
        ),
        ("Any other suggestions?", "more", "Any other suggestions?"),
        (
            "I've seen that one. Do you have one more?",
            "reject+more",
            "I've seen {it@1}. Do you have one more?",
        ),
        ("I don't like horror. I like drama", "refine", "I don't like {-V}. I like {V}"),
        ("I like drama or horror", "refine:add", "I like {V} or {V}"),
        ("Is it a comedy?", "detail", "Is {it} a {!V}?"),
        ("Ok, I'll check it out. Thanks!", "select", "Ok, I'll check {it} out. Thanks!"),
        ("I have not seen Up (2009)", "chitchat", "I have not seen {!T}"),
        ("Thanks, bye!", "chitchat", "Thanks, bye!"),
    ],
)
def test_film_sentence(text, acts, expected):
    found = label(slotted(title_slots(text, [])))
    assert found is not None
    assert found[:2] == (acts, expected)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, I will check it out",
        "I loved it",
        "What is your favorite?",
        "My uncle played drums in that",
        "I have seen Up (2009). Great one!",
        "Can you tell me more about them?",
    ],
)
def test_unclear_film_sentence_is_left_out(text):
    assert label(slotted(title_slots(text, []))) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I loved The Wizard of Oz (1939)!", "I loved {T}!"),
        ("Or Cars (2006)", "Or {T}"),
        ("Yes. Up (2009) or Cars (2006).", "Yes. {T} or {T}."),
        ("it came out (2006)", "it came out (2006)"),
        ("i liked up in the air", "i liked {T}"),
    ],
)
def test_titles_become_slots(text, expected):
    assert title_slots(text, ["Up in the Air (2009)"]) == expected


def dialogue(text: str, *intents: str, split: str = "train") -> dict:
    said = {"role": "seeker", "text": text, "intents": list(intents)}
    return {"redial_split": split, "utterances": [said, {**said, "role": "recommender"}]}


def test_iard_needs_pattern_and_intent_to_agree():
    assert list(iard([dialogue("Seen it", "SEE")])) == [("reject", "Seen {it}", "")]
    assert list(iard([dialogue("Seen it", "IQU")])) == []


def test_iard_leaves_the_test_dialogues_out():
    assert list(iard([dialogue("Seen it", "SEE", split="test")])) == []


def test_iard_small_talk_keeps_its_words():
    found = list(iard([dialogue("my cat sat on the keyboard", "OTH")]))
    assert found == [("chitchat", "my cat sat on the keyboard", "")]


def test_redial_reads_the_seeker_alone():
    messages = [
        {"role": "recommender", "text": "Any other suggestions?", "movies": []},
        {"role": "seeker", "text": "i liked cars 2", "movies": ["7"]},
    ]
    talk = {"movies": {"7": {"title": "Cars 2 (2011)"}}, "messages": messages}
    assert list(redial([talk])) == [("like", "i liked {T}", "")]


def test_ccpe_takes_clear_sentences_out_of_an_answer():
    said = "I don't like horror. My uncle took me to a cinema. I like drama."
    turns = [{"role": "user", "text": said}, {"role": "system", "text": "I like drama."}]
    assert [row[:2] for row in ccpe([{"turns": turns}])] == [
        ("refine", "I don't like {-V}."),
        ("refine", "I like {V}."),
    ]


def test_coffee_order_and_its_change():
    talk = {
        "scenario": "Auto template 1",
        "turns": [
            ["user", "Can I get an iced latte with oat milk?"],
            ["assistant", "Sure"],
            ["user", "Actually, can I add vanilla?"],
            ["user", "Yes that's correct"],
        ],
    }
    assert list(coffee([talk])) == [
        ("recommend", "Can I get an {K} {C} with {V}?", ""),
        ("refine", "Actually, can I add {K}?", "need"),
    ]


def test_coffee_off_topic_is_small_talk_unless_a_shop_sells_it():
    said = ["Who won the world cup?", "Do you have snacks?"]
    talks = [{"scenario": "13 completely off topic", "turns": [["user", one]]} for one in said]
    assert list(coffee(talks)) == [("chitchat", said[0], "")]


def test_plain_words_mean_nothing_to_a_catalog():
    assert plain("i am looking for a {C}, please")
    assert not plain("i am looking for a lamp")
    assert not plain("a {C} (or two)")


def test_value_must_occur_once():
    assert replace_value("thai or Thai", "thai", "{V}") is None
    assert replace_value("a thai place", "Thai", "{V}") == "a {V} place"
    assert replace_value("no such value", "thai", "{V}") is None


def test_sub_spares_slots_and_counts():
    assert sub("V|one", "{R}", "{V} one one", 1) == "{V} {R} one"


def test_runs_are_maximal_and_spare_slots():
    text = "i need a desk lamp and a {K} chair"
    assert [text[start:end] for start, end in content_runs(text)] == ["desk lamp", "chair"]


def test_joined_needs_one_sort():
    assert joined("{V:colour} or {V:colour}")
    assert not joined("{V:colour} or {V:size}")


def test_row_is_a_phrase_line():
    row = HumanRow("sgd", "CC BY-SA 4.0", "not {-V}, {V}", "refine", "need")
    assert row.line == "[need] refine | not {-V}, {V}"
    assert row.slots == ("{-V}", "{V}")
    assert parse_phrase(row.line).context == "need"


def queries_file(folder: Path, *texts: str) -> None:
    text = "\n".join(json.dumps({"query": one}) for one in texts)
    with gzip.open(folder / "queries_shopping.jsonl.gz", "wt", encoding="utf-8") as out:
        out.write(text)


def test_lines_are_written_for_the_sources_there_are(tmp_path):
    queries_file(tmp_path, "red lamp", *["desk lamp", "wall clock"] * 5)
    assert write_lines(tmp_path, tmp_path / "out") == {"queries": 9}
    written = (tmp_path / "out" / "human_queries.txt").read_text(encoding="utf-8")
    assert written.startswith("# queries, Apache-2.0 and MIT.")
    texts = [p.text for p in read_phrases([tmp_path / "out" / "human_queries.txt"])]
    assert sorted(texts) == ["{C}"] * 8 + ["{V:colour} {C}"]


def test_caps_limit_a_source(tmp_path):
    queries_file(tmp_path, "desk lamp", "red lamp", "blue metal lamp")
    assert len(list(human_rows(tmp_path, seed=1, caps={"queries": 2}))) == 2
    assert list(human_rows(tmp_path, seed=1, caps={"queries": 0})) == []


def test_test_splits_are_left_out(tmp_path):
    rows = [{"query": "red lamp", "split": "test"}, {"query": "desk lamp", "split": "train"}]
    with gzip.open(tmp_path / "queries_shopping.jsonl.gz", "wt", encoding="utf-8") as out:
        out.write("\n".join(map(json.dumps, rows)))
    assert [row.text for row in human_rows(tmp_path, seed=0)] == ["{C}"]


def test_same_seed_gives_the_same_rows(tmp_path):
    queries_file(tmp_path, "desk lamp", "red lamp", "blue metal lamp", "lamp for kids")
    assert list(human_rows(tmp_path, seed=1)) == list(human_rows(tmp_path, seed=1))


def test_small_talk_is_a_part_at_most(tmp_path):
    texts = ["thanks", "bye", "hi", "hello", "cool", "great", "ok", "nice", "i like drama"]
    movie = {"movies": {}, "messages": [{"role": "seeker", "text": t, "movies": []} for t in texts]}
    for name in human.SOURCES["redial"].files:
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as out:
            out.write(json.dumps(movie))
    acts = [row.acts for row in human_rows(tmp_path, seed=0)]
    assert acts.count("refine") == 2
    assert acts.count("chitchat") == int(human.CHATTER * 18)


def test_missing_data_is_refused(tmp_path):
    with pytest.raises(LabelError, match="no human data in"):
        list(human_rows(tmp_path, seed=0))
    with pytest.raises(LabelError, match=r"caps names \['amazon'\]"):
        list(human_rows(tmp_path, seed=0, caps={"amazon": 1}))


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "utterances_sgd.jsonl.gz").exists(), reason="needs shared data")
def test_real_data_gives_lines_that_parse():
    found = lines(SHARED)
    assert set(found) == set(human.SOURCES)
    assert sum(map(len, found.values())) > 10_000
    for line in (line for some in found.values() for line in some):
        phrase = parse_phrase(line)
        assert phrase.text.strip()
