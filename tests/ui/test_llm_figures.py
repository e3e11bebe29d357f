"""The tables of the language model in the loop: ways, clients, cores, and what is missing."""

import json

import pytest

from ui import figures, headlines, llm_figures

SPREAD = {"p50": 12.3, "p95": 99.9}
WAY = {"tokens_per_s": 512.4, "answers_per_s": 73.2, "ratio": 1.0, "ratios": [1.0, 1.0],
       "own_ms": 1.9, "server_ms": 62.5}  # fmt: skip
RUN = {"placement": "apart", "clients": 32, "bare": WAY,
       "planner": {**WAY, "ratio": 0.97, "ratios": [0.95, 0.97]},
       "turns": {**WAY, "ratio": 0.88}}  # fmt: skip
FIRST = {"turns": 168, "item_ms": SPREAD, "word_ms": SPREAD,
         "asked": {"turns": 40, "item_ms": None, "word_ms": SPREAD,
                   "mean_stages_ms": {"link": 0.4, "plan": 41.0}}}  # fmt: skip
RULES = {**FIRST, "asked": {"turns": 0, "item_ms": None, "word_ms": None, "mean_stages_ms": {}}}
CALLS = {"turns": 285, "calls": {"median": 0.0, "mean": 0.42, "max": 2}, "fast_path": 0.61,
         "prompt_tokens": {"per_turn": 20.0, "per_call": 51.0},
         "completion_tokens": {"per_turn": 5.0, "per_call": 12.5},
         "fallbacks": {"the model was unsure": 7}}  # fmt: skip
ALONE = {"clients": 8, "ms": SPREAD, "answers_per_s": 14.2, "tokens_per_s": 170.0}
REPORT = {
    "machine": "x86_64, 2 cores", "load_before": 0.3, "vllm": "0.32.0, cpu", "model": "model",
    "catalog": "demo", "items": 2400, "turns": 336, "requests": 337,
    "saturation": [RUN, {**RUN, "placement": "shared"}, {**RUN, "clients": 8}],
    "first": {"rules": RULES, "house": FIRST}, "calls": {"scripted": CALLS},
    "alone": {"house": [ALONE]},
    "prefix_cache": {"plan@1": {"prompts": 24, "tokens_per_prompt": 2400.0, "hit_rate": 0.875}},
}  # fmt: skip
MAKERS = (llm_figures.under_load, llm_figures.first_words, llm_figures.calls,
          llm_figures.in_process)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    (tmp_path / "llm.json").write_text(json.dumps(REPORT))
    return tmp_path


@pytest.mark.parametrize("make", MAKERS)
def test_not_measured_is_said(tmp_path, make):
    assert make(tmp_path) == figures.MISSING


@pytest.mark.parametrize(("make", "row"), [
    (llm_figures.under_load, "vLLM 0.32.0, cpu; house model `model`, catalog demo (2,400 items), "),
    (llm_figures.under_load, "| apart | 32 | the planner | 512 | 73.2 | 0.97 | 0.95, 0.97 | 1.9 | "
                             "62.5 |"),
    (llm_figures.under_load, "| shared | 32 | whole turns | 512 | 73.2 | 0.88 |"),
    (llm_figures.under_load, "| `plan@1` | 24 | 2400 | 87.5% |"),
    (llm_figures.first_words, "| house | 168 | 12.3 / 99.9 | 12.3 / 99.9 | 40 | – | 12.3 / 99.9 |"),
    (llm_figures.first_words, "house, mean ms of the turns that asked the model: link 0.4, "
                              "plan 41.0."),
    (llm_figures.calls, "| `scripted` | 285 | 0 | 0.42 | 2 | 61% | 51 | 12.5 | the model was "
                        "unsure: 7 |"),
    (llm_figures.in_process, "| house | 8 | 12.3 / 99.9 | 14.2 | 170 |"),
])  # fmt: skip
def test_tables_show_each_measurement(results, make, row):
    assert row in make(results)


def test_planner_that_asks_nothing_has_no_stages(results):
    assert "rules, mean ms" not in llm_figures.first_words(results)


def test_without_vllm_the_reason_is_shown(tmp_path):
    kept = {k: v for k, v in REPORT.items() if k not in ("saturation", "prefix_cache", "vllm")}
    (tmp_path / "llm.json").write_text(json.dumps({**kept, "skipped": "vLLM is not installed"}))
    assert "Without vLLM: vLLM is not installed" in llm_figures.under_load(tmp_path)
    assert "bare HTTP" not in headlines.headlines(tmp_path)


@pytest.mark.parametrize("row", [
    "| vLLM's tokens/s through the planner beside bare HTTP, 32 clients | 0.97 (cores apart) and "
    "0.97 (cores shared) | ≥ .90 | [llm](",
    "| vLLM's tokens/s through whole turns beside bare HTTP, 32 clients | 0.88 (cores apart) ",
    "| first word of a turn, house model in this process | 12.3 / 99.9 ms |",
    "| model calls per turn, median | 0 | ≤ 1 |",
])  # fmt: skip
def test_headlines(results, row):
    assert row in headlines.headlines(results)
