"""Adapters that are bad on purpose: really trained, each to one fault that a gate must refuse.

    folder = make_bad("ignores negation", catalog, Path("bad"), base="house")

The faults are those of `finetune.gate.faults`; the rows come from `finetune.gate.spoiling`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from finetune import sft
from finetune.errors import GateError
from finetune.gate.bench import Opened
from finetune.gate.spoiling import ANSWERED, PAIRED, Answered, answers, pairs
from finetune.pairs.rows import write_made
from finetune.preference import dpo
from finetune.sft_config import SFTConfig

GOOD = "good"
"""Not a fault: what is taught well must pass."""

BAD = tuple(name for name in (*PAIRED, *ANSWERED) if name != GOOD)


def make_bad(fault: str, catalog: Opened, folder: Path, *, base: str = "house", seed: int = 0,
             n: int = 300) -> Path:  # fmt: skip
    """Return the folder of an adapter that was trained to a fault; one that is there is kept.

    Args:
        n: Everyday turns that its rows are made from.

    Raises:
        GateError: If there is no such fault.
        FinetuneError: If it can't be trained.
    """
    if fault not in (*PAIRED, *ANSWERED):
        raise GateError(f"no fault {fault!r}; expected one of {', '.join((*PAIRED, *ANSWERED))}")
    out = folder / re.sub(r"\W+", "-", fault)
    if (out / "adapter_model.safetensors").is_file():
        return out
    out.mkdir(parents=True, exist_ok=True)
    rows = out / "rows.jsonl"
    if fault in PAIRED:
        write_made(rows, pairs(fault, catalog, n, seed))
        config = dpo.DPOConfig(base=base, epochs=2, learning_rate=1e-3, seed=seed, cpu=True)
        dpo.train(config, dpo.Sources((rows,)), out)
    else:
        _write_answers(rows, answers(fault, catalog, n, seed))
        sft.train(
            SFTConfig(base=base, epochs=4, learning_rate=2e-3, eval_share=0, seed=seed, cpu=True),
            sft.Sources((rows,)), out,
        )  # fmt: skip
    return out


def write_held(folder: Path, catalog: Opened, *, seed: int = 1, n: int = 60) -> Path:
    """Write good pairs that no adapter was trained on as a folder's held.jsonl; return the folder.

    Each pair has a user of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_made(folder / "held.jsonl", pairs(GOOD, catalog, n, seed))
    return folder


def _write_answers(path: Path, rows: Sequence[Answered]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for prompt, answer in rows:
            said = [{"role": "assistant", "content": answer}]
            row = {"prompt": [dict(one) for one in prompt], "completion": said}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
