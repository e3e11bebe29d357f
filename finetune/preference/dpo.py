"""Direct preference optimization: an adapter from pairs of answers to the same prompt.

    adapter = train(DPOConfig(base="house"), Sources((Path("pairs"),)), Path("adapters/round-1"))

Nothing is printed and nothing logged below a warning.
"""

from __future__ import annotations

from pathlib import Path

from finetune.adapters import Adapter
from finetune.preference.config import DPOConfig
from finetune.preference.data import Sources
from finetune.preference.prepared import PreparedPreferences, prepare_dpo
from finetune.sft import check_out, fit

__all__ = ["DPOConfig", "PreparedPreferences", "Sources", "prepare_dpo", "train"]


def train(
    config: DPOConfig,
    sources: Sources,
    out: Path,
    *,
    start: Path | None = None,
    resume: bool = False,
    progress: bool = False,
) -> Adapter:
    """Train an adapter on pairs and save it with its card and lineage.

    Args:
        start: An adapter for the same base to go on from. The reference stays the base, so what is
            learned adds up over rounds; rank and alpha are the earlier adapter's.
        resume: Go on from the last checkpoint of an interrupted run into the same folder.

    Raises:
        DataError: If a file can't be read, or there are too few usable pairs.
        AdapterError: If `start` is damaged or was made for another base.
        TrainingError: If training diverged; nothing is saved then.
        FinetuneError: If the base or the libraries can't be had.
    """
    check_out(out, resume)
    prepared = prepare_dpo(config, sources, start=start)
    return fit(prepared, out, resume=resume, progress=progress)
