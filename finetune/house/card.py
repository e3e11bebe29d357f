"""The house model's card: what it is, what it was made from, how well it does. Written by

    attune house install --from build/house/model

from the training report and the results of `benchmarks/planners.py`, so that no figure is typed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from finetune.errors import FinetuneError
from finetune.weights import file_hash

MODEL = Path(__file__).parent / "model"
MOST_BYTES = 40_000_000
FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
         "tokenizer_config.json", "chat_template.jinja")  # fmt: skip

_HEAD = """\
---
license: apache-2.0
language: en
pipeline_tag: text-generation
---

# Attune house model

A Llama of {parameters:,} parameters ({learnt:,} of them learnt, the rest MiniLM's token embeddings,
frozen) that plans turns over tagged mentions (prompt `plan@2`) and words explanations from checked
facts (prompt `explain@1`). English. It is no chat model: it knows these two prompts and nothing
else. How it was made, from which data under which licences: `finetune/house/README.md` and
`finetune/house/LOG.md`.

| | |
|---|---|
| weights | {megabytes:.1f} MB bf16, SHA-256 `{hash}` |
| shape | {shape} |
| last stage of training | {rows:,} rows, {tokens:,} tokens a pass |
| | {steps:,} steps, {minutes:.0f} minutes on {device} |
| licence | Apache-2.0 (code and weights); data: see the README; MiniLM embeddings: Apache-2.0 |

"""

_CHECKS = """\
## Exact plans

The whole answer, token for token, on rows that training never saw.

| rows | n | exact |
|---|---|---|
{rows}

"""

_LIMITS = """\
## Limits

- English only; other languages need a larger base.
- It sees one turn with the state before it, not the conversation.
- It places mentions and cannot find what the linker missed.
- Above all it is small: `LLMPlanner(sure=…)` keeps the rules' plan where it is not sure.
"""


def install(source: Path, target: Path = MODEL, planners: Path | None = None) -> Path:
    """Put a trained model where `house` is found, with its card.

    Args:
        planners: JSON of `benchmarks/planners.py` over this model.

    Raises:
        FinetuneError: If the folder is not a finished training, or too large to ship.
    """
    missing = [name for name in (*FILES, "report.json") if not (source / name).exists()]
    if missing:
        raise FinetuneError(
            f"{source} is no finished house model, it lacks {', '.join(missing)}; "
            "train one with `attune house train`"
        )
    size = sum((source / name).stat().st_size for name in FILES)
    if size > MOST_BYTES:
        raise FinetuneError(
            f"{source} has {size / 1e6:.1f} MB, at most {MOST_BYTES / 1e6:.0f} can be shipped; "
            "serve it with `attune llm serve --base` instead"
        )
    target.mkdir(parents=True, exist_ok=True)
    for name in (*FILES, "report.json"):
        if source.resolve() != target.resolve():
            shutil.copyfile(source / name, target / name)
    (target / "README.md").write_text(card(target, planners), encoding="utf-8")
    return target


def card(folder: Path, planners: Path | None = None) -> str:
    """Return the card of a model folder as Markdown."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    weights = folder / "model.safetensors"
    shape = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in report["shape"].items()
    )
    text = _HEAD.format(
        parameters=report["parameters"], learnt=report["learnt_parameters"],
        megabytes=weights.stat().st_size / 1e6, hash=file_hash(weights), shape=shape,
        rows=report["rows"], tokens=report["tokens"], steps=report["steps"],
        minutes=report["seconds"] / 60, device=report["config"]["device"],
    )  # fmt: skip
    checks = [f"| {name} | {one['n']} | {one['exact']:.3f} |"
              for name, one in report["checks"].items()]  # fmt: skip
    text += _CHECKS.format(rows="\n".join(checks))
    if planners is not None:
        text += planner_table(json.loads(planners.read_text(encoding="utf-8")))
    return text + _LIMITS


def planner_table(results: Mapping[str, Any]) -> str:
    """Return rules, house and both side by side on every set that they were measured on."""
    told = "From `benchmarks/planners.py`; heldout was never tuned on."
    lines = ["## As a planner", "", told, "",
             "| set | planner | state | references | acts |", "|---|---|---|---|---|"]  # fmt: skip
    for name, measured in results["sets"].items():
        shown = f"{name} (trained on)" if measured["trained_on"] else name
        for planner, figures in measured["planners"].items():
            lines.append(f"| {shown} | {planner} | {_cells(figures)} |")
    return "\n".join(lines) + "\n\n"


def _cells(figures: Mapping[str, Any]) -> str:
    found = (figures.get(name) for name in ("state_exact", "reference_accuracy", "act_accuracy"))
    return " | ".join("–" if one is None else f"{one:.3f}" for one in found)
