import json

import pytest

from agent.plan import Act, Mention
from agent.plan_answer import KINDS, BadPlan, answer_schema, read_acts, turn_schema
from prompts import schema
from tests.agent.planning import GOOD, GOOD_ACTS, MENTIONS, SAYS

FACETS = ("colour", "price")


def one_of_each():
    kinds = {"value": "V", "number": "N", "reference": "R", "item": "T", "facet": "F",
             "relative": "D", "order": "O", "keyword": "K", "unknown": "U"}  # fmt: skip
    return [
        Mention(id=f"{letter}1", kind=kind, start=0, end=1, text="x")
        for kind, letter in kinds.items()
    ]


def read(text, mentions=MENTIONS, utterance=SAYS):
    return read_acts(text, mentions, FACETS, utterance)


def test_schema_file_equals_the_model():
    assert schema("plan@1") == answer_schema()


def test_fields_of_schema_are_fields_of_act():
    fields = turn_schema(one_of_each(), FACETS)["$defs"]["Act"]["properties"]
    assert set(fields) == set(Act.model_fields)


@pytest.mark.parametrize(
    ("field", "ids"),
    [
        ("want", ["V1", "N1", "K1", "U1"]),
        ("avoid", ["V1", "N1", "R1", "T1", "K1", "U1"]),
        ("prefer", ["V1", "N1", "K1", "U1"]),
        ("drop", ["V1", "N1", "F1", "D1", "O1", "K1", "U1"]),
        ("change", ["D1", "O1"]),
        ("refs", ["R1", "T1"]),
    ],
)
def test_ids_of_a_field_are_an_enum(field, ids):
    form = turn_schema(one_of_each(), FACETS)["$defs"]["Act"]["properties"][field]
    assert form["items"] == {"type": "string", "enum": ids}
    assert form["maxItems"] == len(ids)


def test_facets_are_an_enum():
    fields = turn_schema((), FACETS)["$defs"]["Act"]["properties"]
    assert fields["facet"] == {"type": "string", "enum": ["colour", "price"]}


def test_fields_without_ids_are_left_out():
    fields = turn_schema((), ())["$defs"]["Act"]["properties"]
    assert not set(fields) & {*KINDS, "facet"}


def test_good_answer_becomes_acts():
    assert read(GOOD) == GOOD_ACTS


def test_nulls_mean_absent():
    assert read('{"acts":[{"act":"more","want":null,"text":null}]}') == (Act(act="more"),)


def test_text_may_use_other_word_forms():
    [act] = read('{"acts":[{"act":"refine","text":"Leathers, blue"}]}')
    assert act.text == "Leathers, blue"


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        ("I would show the blue one.", "not JSON", "expected one JSON object"),
        (GOOD[:-20], "not JSON", "found no complete one"),
        (GOOD[:-2], "not the form asked for", "acts: Field required"),
        ("{}", "not the form asked for", "acts: Field required"),
        ('{"acts":[]}', "not the form asked for", "at least 1 item"),
        ('{"acts":[{"act":"more"}],"id":1}', "not the form asked for", "id: Extra inputs"),
        ('{"acts":[{"act":"buy"}]}', "not the form asked for", "'recommend', 'refine'"),
        ('{"acts":[{"act":"more","want":"V1"}]}', "not the form asked for", "acts.0.want: "),
        ('{"acts":[{"want":["V1"]}]}', "not the form asked for", "acts.0.act: Field required"),
        (
            '{"acts":' + '[{"act":"more"}' + ',{"act":"more"}' * 6 + "]}",
            "not the form",
            "at most 6",
        ),
        ('{"acts":[{"act":"refine","want":["V7"]}]}', "unknown mention", "there are: R1, V1, N1"),
        ('{"acts":[{"act":"refine","want":["s2"]}]}', "unknown mention", "'s2' in want"),
        ('{"acts":[{"act":"like","refs":["V1"]}]}', "wrong kind", "'V1' cannot stand in refs"),
        ('{"acts":[{"act":"refine","want":["R1"]}]}', "wrong kind", "'R1' cannot stand in want"),
        ('{"acts":[{"act":"refine","change":["N1"]}]}', "wrong kind", "'N1' cannot stand in"),
        ('{"acts":[{"act":"refine","want":["V1"],"avoid":["V1"]}]}', "contradiction", "keep one"),
        ('{"acts":[{"act":"detail","facet":"weight"}]}', "unknown facet", "'weight' is none of"),
        ('{"acts":[{"act":"refine","text":"blue velvet"}]}', "invented text", "'velvet' is no"),
    ],
)
def test_bad_answers_say_what_is_wrong(answer, reason, detail):
    with pytest.raises(BadPlan, match=reason) as raised:
        read(answer)
    assert detail in str(raised.value)
    assert "velvet" not in raised.value.reason


def test_long_text_is_refused():
    utterance = "blue " * 100
    answer = json.dumps({"acts": [{"act": "refine", "text": utterance}]})
    with pytest.raises(BadPlan, match="text too long"):
        read(answer, (), utterance)


def test_ids_without_mentions_are_refused():
    with pytest.raises(BadPlan, match="none, so leave the field out"):
        read('{"acts":[{"act":"refine","want":["V1"]}]}', ())
