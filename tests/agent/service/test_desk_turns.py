"""Turns as people take them: half questions, anger, what happened, what was offered, never mind."""

import pytest

from agent.quick import quick_replies
from agent.service.readable import readable
from agent.service.values import Offer, Quote
from tests.agent.service.conftest import ScriptedAnswer
from tests.agent.talking import shown

PEOPLE = {"handover": {}}
OFFERS = (
    Offer(id="returns.md#0", title="Returning shoes", source="returns.md"),
    Offer(id="delivery.md#0", title="Delivery abroad", source="delivery.md"),
)


@pytest.fixture
def offering(pages, monkeypatch):
    """Pages that offer two of theirs for a question with "moon" or "broken"."""
    plain = pages.ask

    def ask(question, before=None):
        if "moon" in question or "broken" in question:
            pages.asked.append(question)
            return ScriptedAnswer(unanswered=(question,), offered=OFFERS)
        return plain(question, before)

    monkeypatch.setattr(pages, "ask", ask)
    return pages


MOON = "how long is shipping to the moon?"


def test_pages_are_offered_and_chosen(talk, offering):
    say = talk(PEOPLE)
    done = say(MOON)
    assert done.service.offered == OFFERS
    assert done.service.unanswered == (MOON,)
    assert "Is it one of these? 1. Returning shoes; 2. Delivery abroad" in done.reply
    assert "person" not in done.reply
    done = say("the second one")
    assert done.reply == "Delivery takes two to four days. (Source: delivery.md.)"
    assert done.state.desk.failures == 0
    assert shown(done) == []


def test_offered_pages_are_quick_replies(talk, offering, clothes):
    say = talk()
    replies = quick_replies(say(MOON).state, clothes)
    assert [one.text for one in replies] == [one.title for one in OFFERS]
    assert say(replies[1].text).service.quotes[0].source == "delivery.md"


def test_choice_counts_for_one_turn(talk, offering):
    say = talk()
    say(MOON, "red shoes")
    assert not say("the second one").service


def test_none_of_the_pages_leads_to_a_person(talk, offering):
    say = talk(PEOPLE)
    say(MOON)
    done = say("none of them")
    assert done.reply.startswith("Then I don't know")
    assert "person" in done.reply
    assert say("yes").service.handover.reason == "asked"


def test_yes_to_several_pages_asks_which(talk, offering):
    say = talk()
    say(MOON)
    assert say("yes").reply.startswith("Which of them?")
    assert say("1").service.quotes[0].source == "returns.md"


def test_new_wish_after_an_offer_is_a_wish(talk, offering):
    say = talk()
    say(MOON)
    done = say("no, show me blue shirts")
    assert shown(done)
    assert "don't know" not in done.reply


@pytest.mark.parametrize(
    "text",
    ["do you wrap gifts", "do you do gift wrapping?", "can you wrap it as a present",
     "can i have it gift wrapped"],
)  # fmt: skip
def test_wrapping_is_the_shops(talk, pages, text):
    done = talk()(text)
    assert len(pages.asked) == 1
    assert done.service.unanswered
    assert shown(done) == []


@pytest.mark.parametrize("text", ["wrap dresses", "show me wrap dresses as a gift"])
def test_wrap_dresses_are_items(talk, pages, text):
    assert not talk()(text).service
    assert pages.asked == []


def test_half_question_is_read_with_the_one_before(talk, pages, monkeypatch):
    say, asked = talk(), []
    say("how long does delivery take?")

    def ask(question, before=None):
        asked.append((question, before))
        return ScriptedAnswer(unanswered=(question,))

    monkeypatch.setattr(pages, "ask", ask)
    say("what about outside Germany?")
    assert ("what about outside Germany?", "how long does delivery take?") in asked
    say("blue shirts")
    asked.clear()
    say("what about outside Germany?")
    assert all(before is None for _, before in asked)


@pytest.mark.parametrize(
    "text", ["to Canada then?", "in dublin?", "what about canada?", "how much"]
)
def test_half_question_after_the_desk_is_no_search(talk, pages, monkeypatch, text):
    say = talk(PEOPLE)
    say("how long does delivery take?")
    monkeypatch.setattr(pages, "ask", lambda question, before=None: ScriptedAnswer())
    done = say(text)
    assert done.service.unanswered == (text,)
    assert "person" in done.reply
    assert shown(done) == []
    assert done.state.desk.question == "how long does delivery take?"


@pytest.mark.parametrize("text", ["what about blue shirts?", "anything blue?", "and red shoes?"])
def test_half_question_for_items_is_a_search(talk, text):
    say = talk(PEOPLE)
    say("how long does delivery take?")
    assert shown(say(text))


def test_half_question_leans_on_each_question_before(talk, pages, monkeypatch):
    say, plain = talk(), pages.ask
    say("how long does delivery take? can I pay by invoice?")

    def ask(question, before=None):
        both = f"{before or ''} {question}"
        return plain(both) if "delivery" in both else ScriptedAnswer(unanswered=(question,))

    monkeypatch.setattr(pages, "ask", ask)
    assert say("what about canada?").service.quotes[0].source == "delivery.md"


@pytest.mark.parametrize(
    ("text", "title", "reply"),
    [
        ("It costs €5.", "Costs › Post", "It costs €5. (Source: Costs › Post, a.md.)"),
        ("opened coffee", "Help › Not taken back", "Help: Not taken back: opened coffee (Source"),
        ("tea\ncups", "Returns › Not taken", "Returns: Not taken:\ntea\ncups (Source"),
        ("Visa, PayPal", "Do you take cards?", "Do you take cards? Visa, PayPal (Source"),
    ],
)
def test_what_is_no_sentence_is_said_with_its_heading(talk, pages, monkeypatch, text, title, reply):
    quote = Quote(text=text, source="a.md", title=title)
    monkeypatch.setattr(pages, "ask", lambda *asked: ScriptedAnswer((quote,)))
    done = talk()("can i return it?")
    assert done.reply.startswith(reply)
    assert done.service.quotes == (quote,)


def test_offered_pages_are_no_failure(talk, offering):
    say = talk(PEOPLE)
    for _ in range(3):
        done = say(MOON)
    assert done.service.handover is None
    assert done.state.desk.failures == 0


def test_rule_of_words_leaves_nothing_to_search(talk):
    rules = [{"name": "legal", "words": ["solicitor"]}]
    say = talk({"handover": {"rules": rules}})
    done = say("I'll call my solicitor")
    assert (done.service.handover.reason, done.service.handover.detail) == ("rule", "legal")
    assert "found nothing" not in done.reply
    other = talk({"handover": {"rules": rules}})
    assert shown(other("blue shirts, or I call my solicitor"))


def test_person_who_is_asked_for_is_not_offered(talk):
    done = talk(PEOPLE)("you are useless, get me a manager")
    assert done.service.handover.reason == "asked"
    assert "just say so" not in done.reply


def test_trouble_is_answered_with_an_apology(talk, offering):
    done = talk(PEOPLE)("my mug came broken")
    assert done.reply.startswith("I'm sorry")
    assert "Is it one of these? 1. Returning shoes" in done.reply
    assert shown(done) == []


def test_anger_is_no_search(talk, pages):
    done = talk(PEOPLE)("this is ridiculous, i've been waiting 3 weeks for my stuff!!!")
    assert done.reply.startswith("I'm sorry")
    assert "person" in done.reply
    assert shown(done) == []
    assert talk(PEOPLE)("you are useless").reply.startswith("I'm sorry")


@pytest.mark.parametrize("text", ["the first one is too expensive", "these look awful in red"])
def test_anger_at_items_is_the_recommenders(talk, text):
    say = talk(PEOPLE)
    say("blue shirts")
    assert not say(text).service


def test_never_mind_undoes_no_wish(talk):
    say = talk()
    say("blue shirts", "how long does delivery take?")
    done = say("never mind")
    assert done.reply in ("All right.", "Fine.")
    assert done.state.need.constraints
    say("how long does delivery take?")
    assert say("ok thx").reply in ("You're welcome.", "My pleasure.")


def test_a_number_alone_cancels_nothing(ask, shop_api):
    done = ask("order number is A-1234")
    assert not done.service or done.service.tools[0].tool != "cancel_order"
    assert all(one["method"] == "GET" for one in shop_api.asked)


def test_it_is_the_order_just_told(ask, shop_api):
    ask("where is my order A-1234?")
    done = ask("cancel that order")
    assert [(use.tool, use.status) for use in done.service.tools] == [("cancel_order", "confirm")]
    ask("no", "blue shirts")
    (use,) = ask("cancel my order").service.tools
    assert use.status == "missing"
    assert len(shop_api.asked) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wheres my stuff", "where is my order"),
        ("whats ur phone nr", "what is your phone number"),
        ("returnns polcy", "returns policy"),
        ("<v1> in blue", "<v1> in blue"),
        ("hobbelind sneakers", "hobbelind sneakers"),
    ],
)
def test_words_are_read_as_meant(text, expected):
    assert readable(text) == expected
