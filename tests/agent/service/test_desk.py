"""Conversations through the one flow, with a desk: pages, people, and items beside them."""

import pytest

from tests.agent.talking import say as take
from tests.agent.talking import shown

PEOPLE = {"handover": {}}


def acts(done):
    return [act.act for act in done.plan.acts]


def test_mixed_turn_gets_quote_and_items(talk):
    say = talk()
    say("blue shirts")
    done = say("is this returnable, and do you have it in black?")
    assert done.reply.startswith("You may return anything within 30 days. (Source: returns.md.)")
    assert done.service.asked == ("is this returnable",)
    assert [quote.source for quote in done.service.quotes] == ["returns.md"]
    assert shown(done)
    assert all(item.fields["colour"] == "Black" for item in done.slate.items)


def test_recommender_sees_only_the_rest(talk):
    done = talk()("what is your return policy? I want red shoes")
    assert done.plan.utterance.strip() == "I want red shoes"
    assert done.plan.mentions[0].start == done.utterance.index("red")
    assert done.utterance == "what is your return policy? I want red shoes"


def test_question_to_the_shop_alone_shows_nothing(talk):
    done = talk()("how long does delivery take?")
    assert done.reply == "Delivery takes two to four days. (Source: delivery.md.)"
    assert shown(done) == []


@pytest.mark.parametrize(
    "text",
    ["blue shirts under 40", "show me red shoes", "something cheaper", "the second one",
     "do you have linen shirts for women?", "not leather", "is the second one in stock?",
     "how much is the first?", "thanks", "start over", "why the first one?"],
)  # fmt: skip
def test_shopping_is_left_alone(talk, pages, text):
    say = talk(PEOPLE)
    say("shirts")
    done = say(text)
    assert done.plan.utterance == text
    assert done.service is None
    assert pages.asked == []


def test_unanswered_is_said_plainly(talk):
    done = talk(PEOPLE)("do you have a loyalty programme with points?")
    assert "I don't know" in done.reply
    assert "just say so" in done.reply
    assert done.service.unanswered == ("do you have a loyalty programme with points?",)
    assert done.service.quotes == ()


def test_contact_is_named_where_nobody_takes_over(talk):
    say = talk({"contact": "Write to help@shop.example."})
    assert say("what is your vat policy?").reply.endswith("Write to help@shop.example.")
    assert say("let me talk to a human").reply.endswith("Write to help@shop.example.")


def test_without_pages_the_answer_stays(talk, parts_of, sessions):
    said = talk(pages=lambda: None)("what are your opening hours?").reply
    bare = parts_of(None)
    session = sessions.create_session()
    assert said == take(bare, session, "what are your opening hours?").reply


@pytest.mark.parametrize(
    "text",
    ["I want to talk to a real person", "can I speak to someone please", "get me a human",
     "please transfer me to an agent", "human please", "I'd like to make a complaint",
     "connect me to customer service", "can someone call me back?"],
)  # fmt: skip
def test_person_is_asked_for(talk, text):
    done = talk(PEOPLE)(text)
    assert done.service.handover.reason == "asked"
    assert done.state.desk.handover == done.service.handover.id
    assert "list of those that wait for a person" in done.reply


@pytest.mark.parametrize(
    "text",
    ["shirts for a real person", "a gift for my manager", "shoes for support staff",
     "something a human would wear", "show me agent style shoes"],
)  # fmt: skip
def test_person_in_a_wish_is_none(talk, text):
    done = talk(PEOPLE)(text)
    assert done.service is None


def test_person_and_items_in_one_turn(talk):
    done = talk(PEOPLE)("show me blue shirts, and can I talk to someone?")
    assert done.service.handover.reason == "asked"
    assert {item.fields["colour"] for item in done.slate.items} == {"Blue"}


def test_yes_to_the_offer_of_a_person_hands_over(talk):
    say = talk(PEOPLE)
    assert say("do you have a loyalty programme with points?").state.desk.offered
    done = say("yes please, and show me blue shirts")
    assert done.service.handover.reason == "asked"
    assert shown(done)


def test_offer_counts_for_one_turn(talk):
    say = talk(PEOPLE)
    say("do you have a loyalty programme with points?")
    say("blue shirts")
    assert say("yes").state.desk.handover is None


class LeaningPages:
    """Answers "and to Austria?" where delivery was asked about before."""

    def __init__(self, pages):
        self._pages = pages

    def ask(self, question, before=None):
        return self._pages.ask(before if before and "austria" in question.lower() else question)

    def relevance(self, text):
        return self._pages.relevance(text)


def test_follow_up_leans_on_the_question_before(talk, pages):
    say = talk(pages=lambda: LeaningPages(pages))
    assert say("how long does delivery take?").state.desk.question
    done = say("and to Austria?")
    assert done.service.quotes[0].source == "delivery.md"
    assert shown(done) == []
    say("blue shirts")
    assert say("and to Austria?").service is None


def test_wish_with_a_word_of_the_shops_is_not_refused(talk):
    done = talk(PEOPLE)("discounted linen shirts under 60")
    assert "I don't know" not in done.reply
    assert shown(done)
