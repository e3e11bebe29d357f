"""Turns in Chinese over the department store: the right plan, a Chinese answer, the right items."""

import re
from dataclasses import replace

import pytest

from agent.desk import Extras
from agent.dialogue import respond
from agent.languages.languages import Languages
from agent.languages.tongue import table
from agent.pressed import Press, PressedWish
from agent.turn import Done
from retrieval.filters import text_of
from tests.agent.shop import BY_ID, bounds, refuses, wants

WORDS = """
[facets]
kind = "种类"
colour = "颜色"
material = "材质"
[values.kind]
"Dresses" = ["连衣裙"]
"T-Shirts" = ["T恤"]
"Sports Shoes" = ["运动鞋"]
"Casual Shoes" = ["休闲鞋"]
[values.colour]
"Red" = ["红色"]
"Blue" = ["蓝色"]
"Green" = ["绿色"]
[values.material]
"Cotton" = ["棉"]
"Linen" = ["亚麻"]
"""


@pytest.fixture
def shop(parts, store_shop, tmp_path):
    """The parts over the department store, which has Chinese words for some of its values."""
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages/zh.toml").write_text(WORDS, encoding="utf-8")
    return replace(parts, languages=Languages(tmp_path, store_shop))


def talk(parts, *texts, language="zh") -> Done:
    """Take turns in one session and return the last."""
    session = parts.store.create_session(language=language)
    for text in texts:
        done = next(e for e in respond(parts, session, text) if isinstance(e, Done))
    return done


def acts(done: Done) -> list[str]:
    return [act.act for act in done.plan.acts]


def letters(text: str) -> set[str]:
    return set(re.findall("[A-Za-z]{2,}", text))


def of_the_catalog(shop) -> set[str]:
    """Return the words that stand in the catalog, and so may stand in an answer as they are."""
    labels = " ".join(facet.label for facet in shop.retriever.facets)
    texts = " ".join(text_of(item) for item in BY_ID.values())
    return set(re.findall("[A-Za-z]+", f"{labels} {texts}"))


def test_wishes_are_understood_and_answered(shop):
    done = talk(shop, "红色的连衣裙，60以下，不要亚麻")
    assert acts(done) == ["recommend"]
    assert wants(done.state).get("kind") == ("Dresses",)
    assert wants(done.state).get("colour") == ("Red",)
    assert refuses(done.state).get("material") == ("Linen",)
    assert bounds(done.state).get("price") == (None, 60.0)
    assert [item.item_id for item in done.slate.items] == ["d1"]
    assert "红色，符合您要的颜色" in done.reply
    assert "不超过 €60" in done.reply
    assert all(reason.evidence for item in done.slate.items for reason in item.reasons)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("便宜一点", ["refine"]),
        ("比较前两个", ["compare"]),
        ("为什么是第一个？", ["explain"]),
        ("撤销", ["undo"]),
        ("重新开始", ["reset"]),
        ("换一批", ["more"]),
        ("类似第二个，但要绿色的", ["like"]),
        ("我要第一个", ["select"]),
        ("隐藏第二个", ["reject"]),
        ("第一个多少钱", ["detail"]),
        ("谢谢", ["chitchat"]),
        ("转人工", ["handoff"]),
        ("怎么退货？", ["answer"]),
    ],
)
def test_acts_are_understood(shop, said, expected):
    done = talk(shop, "连衣裙", said)
    assert acts(done) == expected
    assert done.utterance == said
    assert letters(done.reply) <= of_the_catalog(shop)


def test_references_point_at_the_slate(shop):
    session = shop.store.create_session(language="zh")
    first = next(e for e in respond(shop, session, "连衣裙") if isinstance(e, Done))
    ids = [item.item_id for item in first.slate.items]
    done = next(e for e in respond(shop, session, "类似第二个，但要绿色的") if isinstance(e, Done))
    assert done.state.need.like is not None
    assert done.state.need.like.item_id == ids[1]
    assert wants(done.state).get("colour") == ("Green",)
    assert done.plan.mentions[0].text == "第二个"
    assert all(done.utterance[m.start : m.end] == m.text for m in done.plan.mentions)


def test_undo_keeps_the_language(shop):
    done = talk(shop, "红色的连衣裙", "60以下", "撤销")
    assert done.state.language == "zh"
    assert done.reply.startswith(("已撤销", "回到"))


def test_language_of_a_turn_holds_from_then_on(shop):
    session = shop.store.create_session()
    replies = []
    for text, language in (("dresses", None), ("red ones", "zh"), ("cheaper", None)):
        extras = Extras(language=language)
        done = next(e for e in respond(shop, session, text, extras) if isinstance(e, Done))
        replies.append(done.state.language)
    assert replies == ["en", "zh", "zh"]
    assert "€" in done.reply
    assert shop.store.load(session).state.language == "zh"


def test_letters_choose_where_nothing_is_asked(shop):
    done = talk(shop, "红色的连衣裙", language="en")
    assert done.state.language == "zh"
    assert wants(done.state).get("colour") == ("Red",)


def test_english_is_answered_where_it_is_asked_for(shop):
    session = shop.store.create_session()
    events = respond(shop, session, "红色的连衣裙", Extras(language="en"))
    done = next(e for e in events if isinstance(e, Done))
    assert wants(done.state).get("colour") == ("Red",)
    assert "Red, as asked (colour)" in done.reply


def test_english_words_in_a_chinese_session(shop):
    done = talk(shop, "red dresses under 60")
    assert wants(done.state).get("colour") == ("Red",)
    assert done.plan.carried == ""
    assert "红色" in done.reply


def test_nothing_understood_names_examples(shop):
    done = talk(shop, "饕餮魑魅")
    assert acts(done) == ["chitchat"]
    assert done.reply.startswith("我没有听懂这句话。您可以这样说：“")
    example = done.reply.split("“")[1].split("”")[0]
    assert talk(shop, example).slate.items


def test_unknown_words_beside_known_ones_are_named(shop):
    done = talk(shop, "饕餮图案的连衣裙")
    assert wants(done.state).get("kind") == ("Dresses",)
    assert "饕餮" in done.reply


def test_soft_words_search_in_english(shop):
    done = talk(shop, "防水的运动鞋")
    words = done.state.need.preferences
    assert [(one.text, one.words) for one in words] == [("waterproof", "防水")]
    assert done.slate.items[0].item_id in ("s2", "s3")


def test_presses_are_answered_in_the_language(shop):
    session = shop.store.create_session(language="zh")
    press = Press(act="refine", want=(PressedWish(facet="colour", values=("Red",)),))
    events = respond(shop, session, "红色", Extras(press=press))
    done = next(e for e in events if isinstance(e, Done))
    assert "红色" in done.reply
    assert done.plan.mentions[0].text == "红色"


def test_no_way_out_is_named_in_chinese(shop):
    done = talk(shop, "红色的连衣裙，10以下")
    assert done.relaxations
    assert all("：" in one.text for one in done.relaxations)
    assert all(letters(one.text) <= of_the_catalog(shop) for one in done.relaxations)


def test_every_greeting_has_its_answer(shop):
    replies = {said: talk(shop, said).reply for said in ("你好", "谢谢", "再见")}
    assert replies["你好"].startswith("您好！")
    assert replies["谢谢"] in table("zh")["reply"]["thanks"]
    assert replies["再见"] == "再见！"
