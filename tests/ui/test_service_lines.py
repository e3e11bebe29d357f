from agent.service.openings import Opening
from agent.service.values import Handover, Quote, Service, ToolUse
from ui.service_lines import opening_texts, service_texts

QUOTE = Quote(text="30 days.", source="returns.md", title="Returns › How long?",
              url="https://shop.example/returns")  # fmt: skip


def test_links_tools_and_people_are_lines():
    service = Service(
        quotes=(QUOTE, QUOTE.model_copy(update={"url": None}), QUOTE),
        tools=(
            ToolUse(tool="cancel", status="confirm", arguments={"order": "A-1"}),
            ToolUse(tool="track", status="failed", error="HTTP 503"),
            ToolUse(tool="track", status="missing", lacking=("order",)),
        ),
        handover=Handover(id="h1", reason="rule", detail="dear"),
    )
    assert list(service_texts(service)) == [
        ("https://shop.example/returns", "dim"),
        ("tool cancel(order=A-1): not done yet; say yes to do it", "bold yellow"),
        ("tool track(): failed (HTTP 503)", "dim"),
        ("tool track(): asked for order", "dim"),
        ("hand-over h1 (rule dear)", "magenta"),
    ]


def test_nothing_done_is_no_line():
    assert list(service_texts(None)) == []
    assert opening_texts(None) == []


def test_opening_offers_what_to_say():
    opening = Opening(text="Hello!\x1b[2J", suggestions=["Blue shirts", "Returns?"])
    assert opening_texts(opening) == ["Hello! [2J", 'Try "Blue shirts" · "Returns?"']
    assert opening_texts(Opening(text="Hi")) == ["Hi"]
