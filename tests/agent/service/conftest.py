"""The clothes shop with a service desk: scripted pages, a clock that stands still."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from agent.dialogue import Parts
from agent.planner import RulePlanner
from agent.privacy.port import MASKS_NOTHING
from agent.service.config import ServiceConfig
from agent.service.desk import ServiceDesk
from agent.service.escalation import Escalation
from agent.service.openings import Openings
from agent.service.tooling import ToolDesk
from agent.service.values import Offer, Quote
from agent.tools import Caller, Server, read_tools
from agent.tools.matching import Matcher
from tests.agent.clothes import linker_of
from tests.agent.talking import say as take
from tests.agent.tools.shop_api import API, SECRET, serving

MONDAY_NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)

PAGES = (
    (r"return|refund|send .*back", "You may return anything within 30 days.", "returns.md"),
    (r"ship|deliver|arrive", "Delivery takes two to four days.", "delivery.md"),
    (r"pay|klarna|invoice", "We take cards and PayPal.", "payment.md"),
    (r"warrant|guarantee", "Two years of warranty.", "warranty.md"),
)


@dataclass(frozen=True)
class ScriptedAnswer:
    quotes: tuple[Quote, ...] = ()
    unanswered: tuple[str, ...] = ()
    offered: tuple[Offer, ...] = ()


@dataclass
class ScriptedPages:
    """Pages that answer by a word of the question; everything else they don't know."""

    asked: list[str] = field(default_factory=list)

    def ask(self, question, before=None):
        self.asked.append(question)
        for pattern, text, source in PAGES:
            if re.search(pattern, question.lower()):
                return ScriptedAnswer((Quote(text=text, source=source, score=0.9),))
        return ScriptedAnswer(unanswered=(question,))

    def quote(self, offer):
        return next((Quote(text=text, source=offer.source) for _, text, source in PAGES
                     if source == offer.source), None)  # fmt: skip

    def relevance(self, text):
        return 0.8 if any(re.search(page[0], text.lower()) for page in PAGES) else 0.1


@dataclass
class Waiting:
    """Hand-overs that are open until they are closed."""

    closed: set[str] = field(default_factory=set)

    def is_open(self, id):
        return id not in self.closed


@pytest.fixture
def pages():
    return ScriptedPages()


@pytest.fixture
def waiting():
    return Waiting()


@pytest.fixture
def clock():
    """The present moment, in a list of one so that tests can change it."""
    return [MONDAY_NOON]


@pytest.fixture
def linker(clothes):
    return linker_of(clothes)


@pytest.fixture
def desk_of(linker, pages, waiting, clock):
    """Make a desk of what a service.toml says, with or without pages and tools."""

    def make(config=None, **own):
        read = ServiceConfig.model_validate(config or {})
        hours = read.hours.hours() if read.hours else None

        def now():
            return clock[0]

        escalation = Escalation(read.handover, hours, read.contact, waiting, now)
        given = {"pages": lambda: pages, "openings": Openings(read.openings, hours, now), **own}
        return ServiceDesk(linker, escalation, **given)

    return make


@pytest.fixture
def parts_of(sessions, clothes, linker):
    """Parts over the clothes shop with a desk."""

    def make(desk, **own):
        return Parts(sessions, clothes, linker, own.pop("planner", RulePlanner()), desk=desk, **own)

    return make


@pytest.fixture
def talk(parts_of, desk_of, sessions):
    """Say something in one session at a desk; returns the last turn."""

    def begin(config=None, **own):
        parts = parts_of(desk_of(config, **own))
        session = sessions.create_session()
        return lambda *texts: take(parts, session, *texts)

    return begin


@pytest.fixture
def shop_api():
    """The shop's own API, on this machine."""
    with serving() as shop:
        shop.answers = {
            "GET /orders/A-1234": (200, {"status": "shipped", "arrives": "2026-11-27"}),
            "DELETE /orders/A-1234": (200, {}),
            "POST /returns": (201, {"return_id": "R-9"}),
            "POST /cart": (200, {"items": 1}),
        }
        yield shop


@pytest.fixture
def tools_of(shop_api, clock):
    """Make a desk's tools: those of the shop's API."""

    def make(masker=MASKS_NOTHING, encode=None, timeout_s=10.0, **own):
        document = {**API, "servers": [{"url": shop_api.url}], **own}
        tools = read_tools(document, "shop")
        caller = Caller({"shop": Server(secret=SECRET, timeout_s=timeout_s)})
        return ToolDesk(tools, Matcher(tools, encode), caller, lambda: clock[0], masker)

    return make


@pytest.fixture
def ask(talk, tools_of):
    """Talk at a desk with tools, pages and people."""
    return talk({"handover": {}}, tools=tools_of())
