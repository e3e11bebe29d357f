"""Claims in Chinese: made, read back as English, and refused where they say anything else."""

import pytest
from rich.cells import cell_len

from agent.claim_reading import readings
from agent.claim_words import Case
from agent.claims import View, likeness
from agent.compare import render
from agent.explain import compare, reasons, verify, why_not
from agent.languages.tongue import Tongue
from agent.state import Constraint, Likeness, Need, Preference, State
from tests.agent.shop import BY_ID

ZH = Tongue(
    "zh",
    {"colour": "颜色", "kind": "种类", "material": "材质", "cost": "价格"},
    {
        "colour": {"blue": "蓝色", "black": "黑色", "red": "红色", "maroon": "栗色"},
        "kind": {"dresses": "连衣裙", "sports shoes": "运动鞋", "casual shoes": "休闲鞋"},
        "material": {"cotton": "棉", "linen": "亚麻", "leather": "皮", "mesh": "网布"},
    },
)
KIND = Constraint(facet="kind", role="category", values=("Dresses",))
RED = Constraint(facet="colour", role="colour", values=("Red", "Blue"))
NO_LEATHER = Constraint(facet="material", role="material", excluded=("Leather",))
UNDER_60 = Constraint(facet="price", role="price", high=60.0, high_strict=True)
BETWEEN = Constraint(facet="price", role="price", low=20.0, high=50.0)
RATED = Constraint(facet="rating", role="rating", low=4.5)
WORDS = Constraint(facet="text", excluded=("formal",))
IN_STOCK = Constraint(facet="in_stock", role="availability", values=("true",))


def state(*constraints: Constraint, **need) -> State:
    return State(need=Need(constraints=constraints, **need), language="zh")


STATES = {
    "values": state(KIND, RED),
    "not": state(KIND, NO_LEATHER, WORDS),
    "bounds": state(UNDER_60, RATED),
    "range": state(BETWEEN, IN_STOCK),
    "soft": state(preferences=(Preference(text="waterproof"),
                               Preference(text="linen", facet="material", values=("Linen",)))),
    "like": state(RED, UNDER_60, like=Likeness(item_id="d2", changed=("colour", "price"))),
}  # fmt: skip


def made(shop, name: str):
    """Return every claim in Chinese on every item, with what it was made for."""
    said = STATES[name]
    for item in BY_ID.values():
        for reason in reasons(item, said, shop.facets, "EUR", BY_ID, ZH):
            yield item, said, reason


@pytest.mark.parametrize("name", STATES)
def test_what_is_made_is_verified(store_shop, name):
    found = list(made(store_shop, name))
    assert len(found) >= 26
    refused = [
        reason.text
        for item, said, reason in found
        if not verify(reason, item, said, BY_ID, store_shop.facets, ZH)
    ]
    assert refused == []


def test_claims_of_another_item_are_refused(store_shop):
    """The same words about an item that has another price."""
    tried = 0
    for item, said, reason in made(store_shop, "bounds"):
        first = reason.evidence[0]
        if first.facet != "price":
            continue
        for other in BY_ID.values():
            if other.number("price") == item.number("price"):
                continue
            evidence = (first.model_copy(update={"item_id": other.id}),)
            moved = reason.model_copy(update={"evidence": evidence})
            assert not verify(moved, other, said, BY_ID, store_shop.facets, ZH)
            tried += 1
    assert tried > 100


TAMPERED = [
    ("低于您的上限", "高于您的下限"),
    ("符合您要的", "，这是您不要的"),
    ("€", "€1"),
    ("有货", "目前无货"),
    ("便宜", "贵"),
    ("一样：", "一样：全新、"),
    ("评分 ", "评分 1"),
    ("不含您不要的", "不是您要的"),
    ("说明里提到", "说明里没有提到"),
    ("，", "，质量最好，"),
]


@pytest.mark.parametrize(("old", "new"), TAMPERED)
def test_changed_words_are_refused(store_shop, old, new):
    tried = 0
    for name in STATES:
        for item, said, reason in made(store_shop, name):
            if old not in reason.text:
                continue
            tried += 1
            changed = reason.model_copy(update={"text": reason.text.replace(old, new, 1)})
            assert not verify(changed, item, said, BY_ID, store_shop.facets, ZH), changed.text
    assert tried > 0


def test_claims_read_back_as_english(store_shop):
    item, said = BY_ID["d1"], STATES["values"]
    texts = {}
    for reason in reasons(item, said, store_shop.facets, "EUR", BY_ID, ZH):
        case = Case(reason, item, said, BY_ID, store_shop.facets)
        texts[reason.text] = [one.reason.text for one in readings(case, ZH)]
    assert texts["红色，符合您要的颜色"] == ["Red, as asked (colour)"]
    assert texts["连衣裙，符合您要的种类"] == ["Dresses, as asked (kind)"]


def test_wish_must_be_the_wish(store_shop):
    item, said = BY_ID["d1"], STATES["values"]
    reason = reasons(item, said, store_shop.facets, "EUR", BY_ID, ZH)[0]
    evidence = (reason.evidence[0].model_copy(update={"wish": "绿色"}),)
    other = reason.model_copy(update={"evidence": evidence})
    assert verify(reason, item, said, BY_ID, store_shop.facets, ZH)
    assert not verify(other, item, said, BY_ID, store_shop.facets, ZH)


def test_english_claims_are_none_in_chinese(store_shop):
    item, said = BY_ID["d1"], STATES["bounds"]
    for reason in reasons(item, said, store_shop.facets, "EUR", BY_ID):
        assert not verify(reason, item, said, BY_ID, store_shop.facets, ZH)


def test_comparison_is_verified_too(store_shop):
    answer = compare([BY_ID["d1"], BY_ID["d2"]], state(), store_shop.facets, "EUR", ZH)
    assert answer.text == "Alto Poppy Dress 最便宜，€55；Alto Evening Gown 评分最高，4.7。"
    assert len(answer.claims) == 2


def test_why_not_is_told_in_chinese(store_shop):
    answer = why_not(BY_ID["c1"], STATES["not"], store_shop.facets, "EUR", tongue=ZH)
    assert answer.text.startswith("没有列出 Puma Ignite Loafers，因为：")
    assert "材质是皮，这是您不要的" in answer.text


def test_likeness_names_what_is_the_same(store_shop):
    view = View(STATES["like"], store_shop.facets, "EUR", BY_ID, ZH)
    told = [reason.text for reason in likeness(BY_ID["d1"], view)]
    assert any(text.startswith("和 Alto Evening Gown 一样：") for text in told)
    assert "比 Alto Evening Gown 便宜 €15" in told


def test_table_lines_up_in_a_terminal(store_shop):
    answer = compare([BY_ID["d1"], BY_ID["d2"]], state(), store_shop.facets, "EUR", ZH)
    lines = render(answer.table).split("\n")
    colour = next(line for line in lines if line.startswith("颜色"))
    price = next(line for line in lines if line.startswith("cost"))
    assert cell_len(colour[: colour.index("红色")]) == cell_len(price[: price.index("€55")])
