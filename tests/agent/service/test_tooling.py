"""Conversations with the shop's own API: asked for arguments, confirmed, called, told."""

import json
from dataclasses import replace

import pytest
from standardwebhooks import Webhook

from agent.desk import ClientTool, Extras, ToolResult
from agent.dialogue import respond
from agent.tools.matching import Matcher
from tests.agent.talking import shown
from tests.agent.tools.shop_api import SECRET


def uses(done):
    return [(use.tool, use.status) for use in done.service.tools]


def test_status_of_an_order_is_looked_up(ask, shop_api):
    done = ask("where is my order A-1234?")
    assert done.reply == "Order A-1234 is shipped; it arrives on 27 November 2026."
    assert uses(done) == [("order_status", "done")]
    assert done.service.tools[0].arguments == {"order_id": "A-1234"}
    assert done.service.tools[0].result["body"]["status"] == "shipped"
    assert shown(done) == []
    assert [one["path"] for one in shop_api.asked] == ["/orders/A-1234"]


def test_missing_argument_is_asked_for(ask, shop_api):
    done = ask("where is my order?")
    assert done.reply == "Which order is it? Its number looks like A-1234."
    assert uses(done) == [("order_status", "missing")]
    assert done.service.tools[0].lacking == ("order_id",)
    assert shop_api.asked == []
    assert ask("a-1234").reply.startswith("Order A-1234 is shipped")
    assert ask("and cheaper shirts?").state.desk.pending is None


@pytest.mark.parametrize(
    "text",
    ["where is my order? it's A-1234", "my order number is A-1234. where is it?",
     "hi, A-1234, where is my order?"],
)  # fmt: skip
def test_argument_is_told_beside_the_question(ask, shop_api, text):
    done = ask(text)
    assert uses(done) == [("order_status", "done")]
    assert shop_api.asked[0]["path"].endswith("/orders/A-1234")
    assert not done.slate.items


def test_argument_and_items_in_one_turn(ask):
    ask("where is my order?")
    done = ask("A-1234, and show me blue shirts")
    assert done.reply.startswith("Order A-1234 is shipped")
    assert {item.fields["colour"] for item in done.slate.items} == {"Blue"}


@pytest.mark.parametrize("text", ["never mind", "forget it", "no thanks", "cancel", "I don't know"])
def test_pending_tool_is_left_on_request(ask, shop_api, text):
    ask("where is my order?")
    done = ask(text)
    assert uses(done) == [("order_status", "cancelled")]
    assert done.state.desk.pending is None
    assert shown(done) == []
    assert shop_api.asked == []


def test_new_topic_drops_the_pending_tool(ask, shop_api):
    ask("where is my order?")
    done = ask("show me black shoes")
    assert uses(done) == [("order_status", "cancelled")]
    assert "aside" in done.reply or "leave that" in done.reply
    assert {item.fields["type"] for item in done.slate.items} == {"Shoes"}
    assert done.state.desk.pending is None


def test_what_is_no_argument_is_asked_again_once(ask):
    ask("where is my order?")
    again = ask("the big one from last week")
    assert "couldn't make out the order number" in again.reply
    assert again.state.desk.pending.tries == 2
    assert ask("well the brown parcel").state.desk.pending is None


def test_change_needs_a_yes(ask, shop_api):
    done = ask("cancel my order A-1234")
    assert done.reply.startswith("Shall I cancel order A-1234?")
    assert uses(done) == [("cancel_order", "confirm")]
    assert shop_api.asked == []
    done = ask("yes please")
    assert done.reply == "Order A-1234 is cancelled."
    assert uses(done) == [("cancel_order", "done")]
    assert [one["method"] for one in shop_api.asked] == ["DELETE"]


@pytest.mark.parametrize(
    "text",
    ["no", "no, don't", "hmm", "what does it cost?", "maybe later", "yes but not today",
     "show me red shoes", "yesterday I ordered it", "wait", "yes, if I get my money back",
     "not yet", "sure about that?", "yes unless it is shipped"],
)  # fmt: skip
def test_nothing_but_a_clear_yes_confirms(ask, shop_api, text):
    ask("cancel my order A-1234")
    done = ask(text)
    assert shop_api.asked == []
    assert ("cancel_order", "cancelled") in uses(done)
    ask("yes")
    assert shop_api.asked == []


@pytest.mark.parametrize(
    "text",
    ["yes", "Yes, please.", "ok do it", "go ahead", "sure", "yep", "yes, cancel it", "correct"],
)
def test_clear_yes_confirms(ask, shop_api, text):
    ask("cancel my order A-1234")
    assert uses(ask(text)) == [("cancel_order", "done")]
    assert len(shop_api.asked) == 1


def test_yes_counts_only_in_the_next_turn(ask, shop_api):
    ask("cancel my order A-1234")
    ask("show me shirts")
    ask("yes")
    assert shop_api.asked == []


def test_corrected_argument_is_confirmed_anew(ask, shop_api):
    ask("cancel my order A-9999")
    done = ask("no, I meant A-1234")
    assert done.reply.startswith("Shall I cancel order A-1234?")
    ask("yes")
    assert [one["path"] for one in shop_api.asked] == ["/orders/A-1234"]


def test_yes_and_items_in_one_turn(ask, shop_api):
    ask("cancel my order A-1234")
    done = ask("yes, and show me red shoes")
    assert uses(done) == [("cancel_order", "done")]
    assert shown(done)
    assert len(shop_api.asked) == 1


def test_several_arguments_are_asked_one_by_one(ask, shop_api):
    assert "order number" in ask("I want to return my order").reply
    assert ask("it's A-1234").reply == "Why do you send it back?"
    assert "mail address" in ask("because it is too small").reply
    done = ask("ann@shop.example")
    assert uses(done) == [("start_return", "confirm")]
    assert "too small" in done.reply
    assert ask("yes").reply == "Return R-9 is registered; the label is on its way."
    body = json.loads(shop_api.asked[0]["body"])
    assert body == {"order_id": "A-1234", "reason": "it is too small", "email": "ann@shop.example"}


def test_it_is_the_item_spoken_of(talk, tools_of, parts_of, desk_of, sessions, shop_api):
    parts = parts_of(desk_of(tools=tools_of()))
    session = sessions.create_session()
    extras = Extras(context={"customer": "c-77"})
    for text in ("blue shirts", "put the second one in my cart"):
        *_, done = respond(parts, session, text, extras)
    assert uses(done) == [("add_to_cart", "confirm")]
    second = parts.retriever.get_many(done.state.slate)[1]
    assert second.title in done.reply
    assert "c-77" not in done.reply
    *_, done = respond(parts, session, "yes", extras)
    assert json.loads(shop_api.asked[0]["body"]) == {"item_id": second.id, "customer": "c-77"}


def test_calls_are_signed_and_carry_a_key(ask, shop_api):
    ask("where is my order A-1234?")
    ask("cancel my order A-1234")
    ask("yes")
    looked, cancelled = shop_api.asked
    hook = Webhook(SECRET)
    hook.verify("GET /orders/A-1234", looked["headers"], json_parse=False)
    hook.verify("DELETE /orders/A-1234", cancelled["headers"], json_parse=False)
    assert cancelled["headers"]["idempotency-key"] == cancelled["headers"]["webhook-id"]


def test_same_turn_taken_again_has_the_same_key(
    talk, tools_of, parts_of, desk_of, sessions, shop_api
):
    """Where a turn is lost after the call (a crash, a client that left), it is told by its key."""
    parts = parts_of(desk_of(tools=tools_of()))
    session = sessions.create_session()
    list(respond(parts, session, "cancel my order A-1234"))
    lost = respond(parts, session, "yes")
    next(lost)
    lost.close()
    list(respond(parts, session, "yes"))
    keys = {one["headers"]["idempotency-key"] for one in shop_api.asked}
    assert len(shop_api.asked) == 2
    assert len(keys) == 1


def test_failure_is_said_and_counted(ask, shop_api):
    shop_api.answers = {"GET /orders/A-1234": (503, {})}
    done = ask("where is my order A-1234?")
    assert uses(done) == [("order_status", "failed")]
    assert done.service.tools[0].error == "HTTP 503"
    assert "again in a little while" in done.reply
    assert done.state.desk.failures == done.state.desk.tool_failures == 1


def test_uncertain_change_is_not_called_a_failure(talk, tools_of, shop_api):
    ask = talk(tools=tools_of(timeout_s=0.3))
    shop_api.delay_s = 1
    ask("cancel my order A-1234")
    done = ask("yes")
    assert "can't tell whether that went through" in done.reply
    assert done.state.desk.pending is None


def test_unknown_order_is_told_as_described(ask, shop_api):
    done = ask("where is my order B-5555?")
    assert done.reply == "There is no order B-5555."
    assert done.state.desk.tool_failures == 0


class Masks:
    """Masks mail addresses."""

    def mask(self, text):
        import re

        return re.sub(r"\S+@\S+?(?=[\s,;]|$)", "[mail]", text)


def test_personal_arguments_are_never_stored(
    sessions, parts_of, desk_of, tools_of, shop_api, tmp_path
):
    parts = replace(parts_of(desk_of(tools=tools_of(Masks()))), masker=Masks())
    session = sessions.create_session()
    for text in ("I want to return my order A-1234", "too small", "it's ann@shop.example"):
        *_, done = respond(parts, session, text)
    assert done.service.tools[-1].arguments["email"] == "[mail]"
    assert "[mail]" in done.reply
    *_, done = respond(parts, session, "yes")
    assert json.loads(shop_api.asked[0]["body"])["email"] == "ann@shop.example"
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("sessions.db*"))
    assert b"ann@shop" not in stored


def test_personal_argument_is_asked_again_elsewhere(
    sessions, parts_of, desk_of, tools_of, shop_api
):
    """Another process takes the next turn: it has only what is stored."""

    def elsewhere():
        return replace(parts_of(desk_of(tools=tools_of(Masks()))), masker=Masks())

    session = sessions.create_session()
    for text in ("I want to return my order A-1234", "too small", "ann@shop.example", "yes"):
        *_, done = respond(elsewhere(), session, text)
    assert shop_api.asked == []
    assert uses(done) == [("start_return", "missing")]
    same = elsewhere()
    for text in ("ann@shop.example", "yes"):
        *_, done = respond(same, session, text)
    assert uses(done) == [("start_return", "done")]


NUMBER = {"type": "string", "examples": ["12345"]}
OFFERED = ClientTool(
    "get_order_status",
    "Look up the status of an order",
    {"type": "object", "required": ["order"], "properties": {"order": NUMBER}},
)


def test_clients_tool_gets_what_was_said(parts_of, desk_of, tools_of, sessions, tmp_path, caplog):
    caplog.set_level("DEBUG")
    tools = replace(tools_of(Masks()), tools=(), matcher=Matcher(()))
    parts = replace(parts_of(desk_of(tools=tools)), masker=Masks())
    by_mail = {"type": "object", "required": ["email"],
               "properties": {"email": {"type": "string", "format": "email"}}}  # fmt: skip
    offered = Extras(tools=(ClientTool("order_status", "Where is my order", by_mail),))
    session = sessions.create_session()
    text = "where is my order? my email is ann@shop.example"
    *_, done = respond(parts, session, text, offered)
    (use,) = done.service.tools
    assert (use.status, use.said) == ("requested", {"email": "ann@shop.example"})
    assert use.arguments == {"email": "[mail]"}
    assert "ann@shop" not in f"{done!r}{done.model_dump_json()}{caplog.text}"
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("sessions.db*"))
    assert b"ann@shop" not in stored


def test_clients_own_tool_is_requested(parts_of, desk_of, tools_of, sessions):
    parts = parts_of(desk_of(tools=replace(tools_of(), tools=(), matcher=Matcher(()))))
    session = sessions.create_session()
    extras = Extras(tools=(OFFERED,))
    *_, done = respond(parts, session, "what is the status of order 55512?", extras)
    assert uses(done) == [("get_order_status", "requested")]
    assert done.service.tools[0].arguments == {"order": "55512"}
    result = ToolResult("get_order_status", '{"status": "shipped"}')
    extras = Extras(tools=(OFFERED,), results=(result,), repeated=True)
    *_, done = respond(parts, session, "what is the status of order 55512?", extras)
    assert done.reply == "status: shipped"
    assert uses(done) == [("get_order_status", "done")]


@pytest.mark.parametrize("text", ["where is A-1234?", "A-1234?", "status of A-1234"])
def test_number_alone_says_what_it_is_of(ask, shop_api, text):
    assert uses(ask(text)) == [("order_status", "done")]
    assert shop_api.asked[0]["path"] == "/orders/A-1234"


def test_another_number_uses_the_same_tool_again(ask, shop_api):
    ask("where is my order A-1234?")
    assert uses(ask("and A-1235?")) == [("order_status", "done")]
    assert [one["path"] for one in shop_api.asked] == ["/orders/A-1234", "/orders/A-1235"]


def test_several_numbers_are_seen_to_one_by_one(ask, shop_api):
    shop_api.answers["DELETE /orders/A-1235"] = (200, {})
    done = ask("cancel order A-1234 and A-1235")
    assert uses(done) == [("cancel_order", "confirm")]
    done = ask("yes")
    assert uses(done) == [("cancel_order", "done"), ("cancel_order", "confirm")]
    assert done.reply.endswith("Shall I cancel order A-1235? It is done once you say yes.")
    assert [one["path"] for one in shop_api.asked] == ["/orders/A-1234"]
    assert uses(ask("yes")) == [("cancel_order", "done")]


def test_second_number_is_left_with_the_first(ask, shop_api):
    ask("cancel order A-1234 and A-1235")
    assert uses(ask("no")) == [("cancel_order", "cancelled")]
    assert not ask("yes").service
    assert shop_api.asked == []


def test_what_was_asked_about_is_at_hand_for_another_tool(ask, shop_api):
    ask("cancel my order A-1234")
    done = ask("no, where is my order?")
    assert uses(done) == [("cancel_order", "cancelled"), ("order_status", "done")]
    assert [one["method"] for one in shop_api.asked] == ["GET"]
