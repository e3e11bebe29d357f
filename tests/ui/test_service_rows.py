"""Rows of the README's table for the service and its pages."""

import pytest

from ui import service_rows

SLOPE = {"slope": {"mb_at_start": 391.8, "mb_at_end": 394.9}}
RUN = {"store": "sqlite", "planner": "rules", "sessions": 64, "think": 0.0, "code": "now",
       "per_s": 78.7, "p50": 788.6, "p95": 1116.4, "turns": 1574, **SLOPE}  # fmt: skip
LOAD = {
    "load": {"runs": [
        RUN, {**RUN, "sessions": 256, "per_s": 71.8, "p50": 3489.1, "p95": 4173.6},
        {**RUN, "sessions": 256, "per_s": 47.0, "code": "before"},
        {**RUN, "sessions": 256, "store": "postgres", "per_s": 53.6, "p50": 4620, "p95": 5306.9},
    ]},
    "think": {"runs": [{**RUN, "sessions": 256, "think": 10.0, "p50": 20.4, "p95": 61.0},
                       {**RUN, "sessions": 256, "think": 10.0, "code": "before"}]},
    "memory": {"runs": [{**RUN, "turns": 20_000}]},
}  # fmt: skip
FAULT = {"turns": 1500, "events": 200, "lost": 0, "twice": 0, "halves": 1}
KINDS = {"card": {"recall": 0.94}, "address": {"recall": 0.92}}
OURS = {"answerable": 120, "unanswerable": 70, "right": 0.525, "precision": 0.887,
        "false_answers": 1}  # fmt: skip
WAY = {"calls_per_turn": 0.77, "turns_per_s": 2.62, "p95_s": 2.543}
OTHER = {"calls_per_turn": 1.66, "turns_per_s": 0.79, "p95_s": 5.845}
SPREAD = {"card": {"p50": 165.7, "p95": 236.7}, "word": {"p50": 179.7, "p95": 252.0}}


@pytest.mark.parametrize(("rows", "report", "expected"), [
    (service_rows.load, LOAD, [
        ("turns a second, 256 people without a pause, by rules, SQLite and PostgreSQL",
         "72 and 54", ""),
        ("their turns, p50 / p95", "3.5 / 4.2 and 4.6 / 5.3 s", "< 3.5 s"),
        ("turns of 256 people who read for 10 s, p50 / p95", "0.02 / 0.061 s", "< 3.5 s"),
        ("memory over 20,000 turns, at the start and at the end", "392 and 395 MB", "flat"),
    ]),
    (service_rows.faults, {"killed": FAULT, "full": FAULT}, [
        ("lost / twice / by half, 2 kinds of faults under load",
         "0 / 0 / 2 of 3,400 turns and clicks", "0"),
    ]),
    (service_rows.fuzz, {"requests": 12_502, "server_errors": 3},
     [("server errors, schemathesis", "3 of 12,502", "0")]),
    (service_rows.hostile, {"attacks": 310, "conversations": 672, "broken": ["one"]},
     [("attacks by text that changed behaviour", "1 of 310 (672 conversations)", "0 of ≥ 200")]),
    (service_rows.knowledge, {"config": {"fitted_on": ["demo"]}, "demo": {"ways": {"ours": OURS}},
                              "library": {"ways": {"ours": OURS, "bm25": OURS}}}, [
        ("answers from pages, library: right of answerable, of answered; false answers",
         "0.53, 0.89; 1 of 190", ""),
    ]),
    (service_rows.privacy, {"held_out_first_look": {"generated": {"kinds": KINDS}}},
     [("personal data masked, by kind", "address 0.92, card 0.94", "")]),
    (service_rows.frameworks, {"rows": {"attune": WAY, "langgraph": OTHER}}, [
        ("model calls a turn, same model server", "0.77 (langgraph 1.66)", ""),
        ("turns a second, same model server", "2.62 (langgraph 0.79)", ""),
        ("p95 of a turn, s, same model server", "2.5 (langgraph 5.8)", ""),
    ]),
    (service_rows.ui_speed, {"milliseconds": [{"items": 2400, "browser": {}},
                                              {"items": 44_446, "browser": SPREAD}]}, [
        ("Enter to first card in the browser, 44,446 items, p50 / p95", "166 / 237 ms", ""),
        ("Enter to first word in the browser, 44,446 items, p50 / p95", "180 / 252 ms", ""),
    ]),
    (service_rows.languages, {"zh_tuned": {}, "zh_heldout": {"share": 0.929, "utterances": 84}},
     [("held-out utterances in zh, state exact", "0.93 of 84", "")]),
], ids=lambda value: getattr(value, "__name__", None))  # fmt: skip
def test_rows_of_each_benchmark(rows, report, expected):
    assert list(rows(report)) == expected


def test_load_that_was_not_put_has_no_rows():
    assert list(service_rows.load({})) == []
