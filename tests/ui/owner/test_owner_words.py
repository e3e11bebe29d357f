"""The owner's pages in every language: the same words in each table, and no English left over."""

import re
import string

import pytest

pytest.importorskip("gradio")

from agent.store_looking import Flag
from retrieval.catalog import Role
from ui.owner import experiments as reading
from ui.owner.learning import adapters as learned_adapters
from ui.owner.looking import ONLY
from ui.owner.runs import commands
from ui.web.owner import adapters, conversations, experiments
from ui.web.owner.login import home, words_at
from ui.web.owner.page import head
from ui.web.owner.pairs import answer
from ui.web.owner.pieces import flags
from ui.web.owner.telling import owners_words
from ui.web.owner.turn import SCORES, STAGES, turn_view
from ui.web.words import _table, languages

OF = "ui.web.owner"
ZH = owners_words("zh")
LATIN = re.compile(r"[A-Za-z]{4,}")


@pytest.mark.parametrize("language", languages())
def test_every_table_has_every_word(language):
    assert set(_table(language, OF)) == set(_table("en", OF))


def test_owners_words_take_the_same_values():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, text in _table("zh", OF).items():
        assert fields(text) == fields(_table("en", OF)[key]), key


def test_everything_the_api_names_has_words(tmp_path):
    from typing import get_args

    from agent.feedback import Kind
    from agent.plan import ActName

    named = {"flag": get_args(Flag), "only": ONLY, "kind": get_args(Kind), "act": get_args(ActName),
             "role": get_args(Role), "does": commands(tmp_path), "score": SCORES,
             "stage": STAGES}  # fmt: skip
    known = _table("en", OF)
    assert [f"{section}.{name}" for section, names in named.items() for name in names
            if f"{section}.{name}" not in known] == []  # fmt: skip


TURN = {
    "number": 1, "turns": 2, "utterance": "蓝色", "reply": "好", "planner": "llm", "voice": "x",
    "model": "x", "prompt_id": "p@1", "shortened": True, "fallback": None, "notes": [],
    "flags": ["slow", "nothing"], "acts": [{"act": "refine", "want": ["N1"], "why_not": True}],
    "mentions": [{"id": "N1", "kind": "number", "text": "60", "high": 60, "low": 5,
                  "direction": "up", "items": ["7"], "score": 0.5}],
    "before": ["红"], "after": ["蓝"], "filter": {}, "relaxations": [], "matched": 1,
    "searched": "蓝", "timings": {"plan": 1200.0, "retrieve": 3.0}, "prompt": [],
    "shown": [{"rank": 1, "id": "7", "title": "灯", "score": 0.5, "reasons": ["蓝"]}],
    "candidates": [{"rank": 1, "id": "7", "title": "灯", "shown": None, "score": 0.9,
                    "vector": 0.5, "words": None, "parts": {"relevance": 1.0}}],
    "told": [{"time": "2026-11-01T10:00:00+00:00", "kind": "rating", "value": 1.0, "title": "灯",
              "consent": True, "item": "7"}],
    "state": {"before": {}, "after": {}}, "service": None,
    "written": [{"fallback": None, "writer": "template"}],
}  # fmt: skip


def seen(markup):
    """What is read: no attributes, and nothing that is shown as it is stored."""
    bare = re.sub(r"<(pre|code|time)\b.*?</\1>", " ", markup, flags=re.S)
    return re.sub(r"<[^>]+>", " ", bare)


def test_turn_is_told_in_chinese():
    told = seen(turn_view(ZH, TURN))
    assert "第 1 轮，共 2 轮" in told
    assert "修改寻找条件" in told
    assert "评分" in told
    assert LATIN.findall(told) == []


def test_conversations_are_listed_in_chinese():
    row = {"id": "3f77ab", "begun": "", "turns": 1, "last": "2026-11-01T10:00:00+00:00",
           "flags": ["slow"], "found": 1, "said": "", "slowest_ms": 1200.0}  # fmt: skip
    assert LATIN.findall(seen(conversations.listing(ZH, [row], "", more=50))) == []
    assert "最近的对话" in conversations.listing(ZH, [], "")
    assert "超过一秒" in flags(ZH, ["slow"])


def test_decisions_are_asked_in_chinese(learned, store):
    project, names = learned
    found = {
        **learned_adapters(project / "adapters"),
        "served": False,
        "base": "house",
        "problems": {},
    }
    known = {*names, "house", "base", "owner", "made", "round", "DPO", "attune", "adapters", "add"}
    drawn = [adapters.overview(ZH, found), *(adapters.question(ZH, step, names[1], found) for step
             in ("promote", "canary", "retire", "rollback"))]  # fmt: skip
    trials = reading.overview(project / "adapters", store, "house")
    drawn += [experiments.overview(ZH, trials), experiments.question(ZH, "begin", trials)]
    for markup in drawn:
        told = seen(markup)
        for name in names:
            told = told.replace(name, "")
        assert set(LATIN.findall(told)) <= known


def test_plan_of_a_pair_is_read_in_words():
    plan = '{"acts":[{"act":"recommend","want":["V1"],"avoid":["V2"]}]}'
    told = seen(answer(ZH, plan, {"V1": "类别"}, "x"))
    assert "(想要: 类别 (V1); 不要: V2)" in told
    assert "no plan" in answer(ZH, "no plan", {}, "x")
    assert "[1]" in answer(ZH, "[1]", {}, "x")


@pytest.mark.parametrize(
    ("path", "language"),
    [("/owner/", "en"), ("/owner/zh/", "zh"), ("/owner/zh/gradio_api/x", "zh"), ("/zh/", "en"),
     ("", "en"), ("/owner/xx/", "en")],
)  # fmt: skip
def test_path_has_a_language(path, language):
    assert words_at(path).language == language


def test_head_leads_to_the_other_languages():
    assert f'href="{home("zh")}"' in head(owners_words())
    assert f'href="{home("en")}"' in head(ZH)
    assert 'href="/zh/"' in head(ZH)
