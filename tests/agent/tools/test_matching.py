"""Which tool a sentence means, and how answers are told."""

import numpy as np
import pytest

from agent.tools import read_tools
from agent.tools.matching import ENOUGH, Matcher, blend, normal, overlap
from agent.tools.spec import client_tool
from agent.tools.telling import tell
from tests.agent.tools.shop_api import API

TOOLS = read_tools(API, "shop")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("where is my order?", "order_status"),
        ("hi, could you please track my parcel B-9911", "order_status"),
        ("has my order arrived?", "order_status"),
        ("I'd like to cancel my order", "cancel_order"),
        ("please cancel order A-1111", "cancel_order"),
        ("I want to send my order back", "start_return"),
        ("put this in my basket", "add_to_cart"),
    ],
)
def test_words_alone_find_the_tool(text, name):
    best = Matcher(TOOLS).rank(text)[0]
    assert best.tool.name == name
    assert best.score >= ENOUGH


@pytest.mark.parametrize(
    "text",
    ["show me blue shirts", "where are the red ones?", "do you have it in black?", "track pants",
     "cancel the colour", "my size is 42", "put the price under 50", "order by price", "", "!!!"],
)  # fmt: skip
def test_shopping_means_no_tool(text):
    assert all(match.score < ENOUGH for match in Matcher(TOOLS).rank(text))


def test_meaning_counts_where_words_differ():
    def encode(texts):
        near = ("order", "package", "stuff")
        return np.array([[1.0, 0.0] if any(w in t for w in near) else [0.0, 1.0] for t in texts])

    words = {m.tool.name: m.score for m in Matcher(TOOLS).rank("where did my stuff go")}
    meant = {m.tool.name: m.score for m in Matcher(TOOLS, encode).rank("where did my stuff go")}
    assert meant["order_status"] > words["order_status"]


def test_codes_and_courtesy_do_not_count():
    assert normal("Please, where is my order A-1234?") == normal("where is my order B-77")
    assert overlap("where is my order #", "where is my order #") == pytest.approx(1.0)
    assert blend(1.0, 0.0) == pytest.approx(0.92)


def test_clients_tools_join_for_once():
    offered = client_tool("open_ticket", "Open a support ticket", {"type": "object"})
    matcher = Matcher(TOOLS)
    assert matcher.rank("open a support ticket", (offered,))[0].tool is offered
    assert matcher.rank("open a support ticket")[0].score < ENOUGH


TOLD = [
    (["{order} is {status}."], {"status": "packed"}, "A-1 is packed."),
    (["It comes on {eta}.", "It is {status}."], {"status": "packed"}, "It is packed."),
    (["{a.b} and {list.0}"], {"a": {"b": 2.5}, "list": ["x"]}, "2.5 and x"),
    (["Arrives {eta}."], {"eta": "2026-12-24"}, "Arrives 24 December 2026."),
    (["At {at}."], {"at": "2026-12-24T09:05:00+01:00"}, "At 24 December 2026, 9:05."),
    (["{missing}"], {"order_status": "packed", "open": True}, "order status: packed; open: yes"),
    ([], {"nested": {"a": 1}, "list": [1, 2]}, "list: 1 and 2"),
    (["{status.__class__}"], {"status": "packed"}, "status: packed"),
    (["{status}"], {"status": "{order} {x}"}, "{order} {x}"),
    ([], ["a", "b"], "a and b"),
    ([], {}, ""),
]


@pytest.mark.parametrize(("templates", "result", "words"), TOLD)
def test_answer_is_told_in_words(templates, result, words):
    assert tell(templates, result, {"order": "A-1"}) == words
