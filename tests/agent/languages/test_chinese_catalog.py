"""A catalog in Chinese, ours: its own names are understood as they are written."""

from dataclasses import replace

import pytest

from agent.languages.languages import Languages
from agent.linking import Linker
from agent.planner import RulePlanner
from retrieval.catalog import Item
from retrieval.encoder import HashingEncoder
from retrieval.loading import Column, LoadedCatalog, Mapping, infer_facets
from retrieval.retriever import Retriever
from tests.agent.languages.test_turns import acts, talk
from tests.agent.shop import bounds, refuses, wants

MAPPING = Mapping(
    (
        Column("编号", "id"),
        Column("名称", "title"),
        Column("价格", "price", "price", "numeric", "price", unit="CNY"),
        Column("种类", "facet", "kind", "categorical", "category", label="种类"),
        Column("颜色", "facet", "colour", "categorical", "colour", label="颜色"),
        Column("材质", "facet", "material", "categorical", "material", label="材质"),
        Column("产地", "facet", "origin", "categorical", label="产地"),
        Column("评分", "facet", "rating", "numeric", "rating", label="评分"),
    ),
    currency="CNY",
)

_KINDS = ("茶壶", "茶杯", "盖碗", "公道杯", "茶盘", "茶叶罐")
_COLOURS = ("青花", "天青色", "朱红", "米白", "墨绿色", "黑")
_MATERIALS = ("紫砂", "白瓷", "玻璃", "竹")
_ORIGINS = ("宜兴", "景德镇", "德化")


def goods() -> tuple[Item, ...]:
    """Return 36 things for tea, each combination of kind and colour once."""
    return tuple(
        Item(
            f"{k}{c}", f"{_COLOURS[c]}{_MATERIALS[(k + c) % 4]}{_KINDS[k]}", "手工制作",
            {
                "kind": _KINDS[k], "colour": _COLOURS[c], "material": _MATERIALS[(k + c) % 4],
                "origin": _ORIGINS[(k + c) % 3], "price": 40.0 + 20 * k + 10 * c,
                "rating": 3.5 + (k * 5 + c) % 15 / 10,
            },
            "CNY",
        )
        for k in range(6)
        for c in range(6)
    )  # fmt: skip


@pytest.fixture(scope="module")
def tea(tmp_path_factory):
    """The tea shop behind a real retriever."""
    items, folder = goods(), tmp_path_factory.mktemp("tea")
    loaded = LoadedCatalog("茶", items, infer_facets(items, MAPPING), MAPPING, currency="CNY")
    encoder = HashingEncoder(32)
    Retriever.build(loaded, folder, encoder=encoder)
    with Retriever.open(folder, encoder) as retriever:
        yield retriever


@pytest.fixture
def shop(parts, tea):
    return replace(
        parts, retriever=tea, linker=Linker.build(tea), planner=RulePlanner(tea.facets),
        languages=Languages(None, tea),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "kind", "colour", "material"),
    [
        ("青花茶壶", ("茶壶",), ("青花",), ()),
        ("我想买一个天青色的茶杯", ("茶杯",), ("天青色",), ()),
        ("有没有紫砂的盖碗？", ("盖碗",), (), ("紫砂",)),
        ("墨绿的茶叶罐", ("茶叶罐",), ("墨绿色",), ()),
        ("黑色公道杯", ("公道杯",), ("黑",), ()),
        ("竹茶盘", ("茶盘",), (), ("竹",)),
    ],
)
def test_own_values_are_linked(shop, said, kind, colour, material):
    state = talk(shop, said).state
    assert wants(state).get("kind", ()) == kind
    assert wants(state).get("colour", ()) == colour
    assert wants(state).get("material", ()) == material


def test_bounds_and_refusals_go_with_them(shop):
    done = talk(shop, "茶壶，100块以下，不要玻璃")
    assert acts(done) == ["recommend"]
    assert bounds(done.state).get("price") == (None, 100.0)
    assert refuses(done.state).get("material") == ("玻璃",)
    assert {item.fields["kind"] for item in done.slate.items} == {"茶壶"}
    assert "不要玻璃" in done.reply
    assert "¥" in done.reply


def test_items_are_spoken_of(shop):
    done = talk(shop, "茶杯", "类似第一个，但要朱红的")
    assert acts(done) == ["like"]
    assert wants(done.state).get("colour") == ("朱红",)
    done = talk(shop, "茶杯", "第一个的产地是什么")
    assert acts(done) == ["detail"]
    assert "产地：" in done.reply


def test_own_facet_does_not_matter(shop):
    done = talk(shop, "青花茶壶", "颜色无所谓")
    assert wants(done.state).get("colour") is None
    assert wants(done.state).get("kind") == ("茶壶",)
