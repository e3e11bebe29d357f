"""The answer to a turn as /openapi.json shows it; a test holds it to the model."""

from __future__ import annotations

from typing import Any

EVENTS: dict[str, Any] = {
    "itemSchema": {
        "type": "object",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "required": ["data"],
    }
}
"""One event of a stream, as OpenAPI 3.2 describes it; older readers pass it over."""

TURN: dict[str, Any] = {
    "turn_id": "f2c1…",
    "session_id": "9ab0…",
    "slate_id": "3f77…",
    "utterance": "blue shirts under 40",
    "reply": "1 item fits: Alto men blue cotton shirt, €35.",
    "items": [
        {
            "id": "1",
            "title": "Alto men blue cotton shirt",
            "price": 35.0,
            "currency": "EUR",
            "brand": "Alto",
            "category": "Shirts",
            "availability": True,
            "image": None,
            "url": None,
            "attributes": {"colour": "Blue", "material": "Cotton"},
            "reasons": ["Blue, as asked (colour)"],
            "evidence": [
                {
                    "kind": "constraint",
                    "item_id": "1",
                    "facet": "colour",
                    "value": "Blue",
                    "wish": "Blue",
                    "other_id": None,
                    "reason": 0,
                }
            ],
            "rank": 1,
            "score": 0.89,
        }
    ],
    "state": {
        "need": {"constraints": [{"facet": "colour", "values": ["Blue"], "label": "blue"}]},
        "slate": ["1"],
        "turn": 1,
    },
    "plan": {"acts": [{"act": "recommend", "want": ["V1"]}], "planner": "rules"},
    "timings": {"link": 0.4, "plan": 0.3, "retrieve": 0.6},
    "planner": "rules",
    "written": [],
    "relaxations": [],
    "notes": [],
    "claims": [],
    "service": None,
    "voice": "rules",
}

TURN_EVENTS = """event: understood
data: {"plan": {…}, "state": {…}}

event: items
data: {"slate_id": "3f77…", "items": […]}

event: text
data: {"delta": "1 item fits"}

event: done
data: {"turn_id": "f2c1…", …}
"""
