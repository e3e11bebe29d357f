"""Carrying over: Chinese into the linker's English, with a way back to what was typed."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.languages.carrying import LONGEST
from agent.languages.languages import Languages
from agent.plan import Act, Mention, Plan

PLAIN = Languages()


def carried(text: str, language: str = "zh"):
    return PLAIN.carried(text, language)


def english(text: str) -> str:
    return carried(text).text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("蓝色的连衣裙，60以下，不要涤纶", "blue dress, at most 60, not polyester"),
        ("类似第二个，但要绿色的", "something like the second one but green"),
        ("便宜一点", "cheaper"),
        ("比较前两个", "compare the first 2"),
        ("为什么是第一个？", "why the first one?"),
        ("撤销", "undo"),
        ("低于五十欧元", "under 50"),
        ("100到200之间", "between 100 and 200"),
        ("至少4星", "rated at least 4 stars"),
        ("评分4.5以上", "rated at least 4.5 stars"),
        ("第十二个", "the 12th one"),
        ("颜色无所谓", "the colour does not matter"),
        ("红色或者蓝色", "red or blue"),
        ("黑色也行", "also black"),
        ("不要羊毛，也不要棉的", "not wool, not cotton"),
        ("不要羊毛 也不要棉的", "not wool, not cotton"),
        ("除了红色都行", "anything but red"),
        ("最好是棉的", "ideally cotton"),
        ("宽度不超过80厘米", "width at most 80 cm"),
        ("2022年以后上市的", "from 2022 or newer"),
        ("谢谢", "thanks"),
        ("怎么退货？", "how can I return something?"),
    ],
)
def test_phrases_are_carried_over(said, meant):
    assert english(said) == meant


@pytest.mark.parametrize("text", ["blue dress under 60", "", "42", "Ünder 60 €"])
def test_english_is_left_alone(text):
    assert PLAIN.carried(text, "en") is None


def test_english_in_a_chinese_session_is_left_alone():
    assert PLAIN.carried("show me more", "zh") is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [("藍色的連衣裙", "blue dress"), ("６０以下的襯衫", "at most 60 shirt"),
     ("比較前兩個", "compare the first 2")],
)  # fmt: skip
def test_other_signs_mean_the_same(said, meant):
    assert english(said) == meant


def test_names_stay_between_phrases():
    assert english("Nike 的黑色鞋子") == "Nike black shoes"
    assert english("42码的Air Max") == "size 42 Air Max"


def test_words_of_no_table_stay():
    found = carried("蓝色的饕餮")
    assert found.text == "blue 饕餮"
    assert found.known
    assert not carried("饕餮").known


def test_four_figures_are_no_year():
    assert english("两千以下") == "at most 2000.00"
    assert english("1800元以内") == "at most 1800.00"


def test_mentions_point_into_what_was_typed():
    found = carried("想买蓝色的连衣裙，60以下")
    at = found.text.index("dress")
    value = Mention(id="V1", kind="value", start=at, end=at + 5, text="dress", values=("Dresses",))
    at = found.text.index("at most 60")
    bound = Mention(id="N1", kind="number", start=at, end=at + 10, text="at most 60", high=60.0)
    plan = Plan(acts=(Act(act="recommend", want=("V1", "N1")),), mentions=(value, bound))
    home = found.home(plan)
    assert [one.text for one in home.mentions] == ["连衣裙", "60以下"]
    assert [one.carried for one in home.mentions] == ["dress", "at most 60"]
    assert all(home.utterance[m.start : m.end] == m.text for m in home.mentions)
    assert home.carried == found.text


def test_words_are_told_as_they_were_typed():
    found = carried("你好，怎么退货？便宜一点")
    assert found.said("how can I return something?") == "怎么退货"
    assert found.said("nowhere said") == "nowhere said"
    assert found.said("") == ""


def test_long_text_is_carried_in_part():
    found = carried("蓝色" * LONGEST)
    assert found.text.startswith("blue blue")
    assert found.text.endswith("蓝色" * (LONGEST // 2))


SIGNS = (
    "蓝色的连衣裙以下不要第二个六十便宜一点比较前两和或者，。？！、 \n《》ß\u0130㍿"
    + string.printable
)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(SIGNS), max_size=60))
def test_every_piece_leads_back(text):
    found = carried(f"蓝{text}")
    assert all(0 <= a < b <= len(found.typed) for _, _, a, b in found.spans)
    assert all(0 <= a < b <= len(found.text) for a, b, _, _ in found.spans)
    starts = [first for first, _, _, _ in found.spans]
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("蓝色的连衣裙", "zh"),
        ("blue dress", None),
        ("Nike 鞋", None),
        ("что это", None),
        ("", None),
    ],
)
def test_letters_tell_the_language(text, language):
    assert PLAIN.of_letters(text) == language
