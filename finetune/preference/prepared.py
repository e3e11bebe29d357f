"""Everything that a run on preferences needs but the weights: what can fail is done first."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from finetune.adapters import CONFIG, Adapter, open_adapter
from finetune.bases import Base, resolve
from finetune.encoding import Tokenizer, load_tokenizer
from finetune.errors import AdapterError, DataError
from finetune.lora import Stepped, Training, Watch
from finetune.pairs.rows import Pair, Unpaired
from finetune.preference.config import DPOConfig, KTOConfig, PreferenceConfig
from finetune.preference.data import (
    Collected,
    Group,
    Made,
    Placed,
    Sources,
    answer_groups,
    check_enough,
    collect_pairs,
    collect_unpaired,
    count_kinds,
    hash_held,
    hash_rows,
    pair_groups,
    unpaired_groups,
)
from finetune.sft import check_installed
from finetune.training_data import Reject

LINEAGE = "lineage.jsonl"
Config = TypeVar("Config", DPOConfig, KTOConfig)


@dataclass(frozen=True, slots=True)
class PreparedPreferences:
    """What is learned from, and with what.

    Args:
        replay: Groups of earlier rounds, which are in `train` too.
        lineage: JSON lines that lead from rows to sessions, users and events.
        start: The adapter that training begins with.
    """

    config: DPOConfig | KTOConfig
    base: Base
    tokenizer: Tokenizer
    train: list[Group]
    held: list[Group]
    replay: list[Group]
    rejects: list[Reject]
    data: dict[str, Any]
    data_hash: str
    lineage: tuple[str, ...] = ()
    start: Adapter | None = None

    @property
    def method(self) -> str:
        """What cards say trained an adapter."""
        return "dpo" if isinstance(self.config, DPOConfig) else "kto"

    @property
    def parent(self) -> str | None:
        """What identifies the weights of the adapter that training begins with."""
        return None if self.start is None else self.start.card.weights_hash

    def training(
        self,
        folder: Path,
        *,
        progress: bool = False,
        watch: Watch | None = None,
        stepped: Stepped | None = None,
    ) -> Training:
        """Return the run, ready; its checkpoints go into a folder."""
        from finetune.preference.training import PreferenceTraining

        return PreferenceTraining(self, folder, progress=progress, watch=watch, stepped=stepped)

    def keep(self, out: Path) -> None:
        """Write the lineage, by which forgetting a user finds the adapters that learned of them."""
        (out / LINEAGE).write_text("".join(f"{line}\n" for line in self.lineage), "utf-8")


def prepare_dpo(
    config: DPOConfig, sources: Sources, *, start: Path | None = None, weights: bool = True
) -> PreparedPreferences:
    """Read and check pairs, find the base, and tokenize; loads no weights.

    Raises:
        FinetuneError: As `finetune.preference.dpo.train`.
    """
    check_installed(config)
    found = collect_pairs(sources)
    base, config, adapter = _begin(config, start, weights)
    tokenizer = load_tokenizer(base.folder, [])
    longest, most = _longest(config, base), 1 if config.loss == "sigmoid" else 99
    rejects = found.rejects

    def groups(rows: Sequence[Placed[Pair]]) -> list[Group]:
        return pair_groups(rows, tokenizer, longest, most, rejects)

    train, held = _sides(found.train, found.held, config)
    replay = [*groups(found.replay), *answer_groups(found.answers, tokenizer, longest, rejects)]
    learned, kept = groups(train), groups(held)
    return _prepared(
        found, sources, config, base, tokenizer, [*learned, *replay], kept, replay, adapter
    )


def prepare_kto(
    config: KTOConfig, sources: Sources, *, start: Path | None = None, weights: bool = True
) -> PreparedPreferences:
    """Read and check unpaired rows, find the base, and tokenize; loads no weights.

    Raises:
        FinetuneError: As `finetune.preference.kto.train`.
    """
    check_installed(config)
    found = collect_unpaired(sources)
    base, config, adapter = _begin(config, start, weights)
    tokenizer = load_tokenizer(base.folder, [])
    longest, rejects = _longest(config, base), found.rejects
    train, held = _sides(found.train, found.held, config)
    rows = [*train, *found.replay]
    random.Random(config.seed).shuffle(rows)
    learned = unpaired_groups(rows, tokenizer, longest, config.batch_size, rejects)
    replay = answer_groups(found.answers, tokenizer, longest, rejects)
    kept = unpaired_groups(held, tokenizer, longest, 2, rejects)
    config = _balanced(config, learned)
    if replay:
        learned += replay
        random.Random(config.seed).shuffle(learned)
    return _prepared(found, sources, config, base, tokenizer, learned, kept, replay, adapter)


def _begin(
    config: Config, start: Path | None, weights: bool
) -> tuple[Base, Config, Adapter | None]:
    """Return the base, the adapter to begin with, and the configuration with its matrices."""
    base = resolve(config.base, weights=weights)
    if start is None:
        return base, config, None
    adapter = open_adapter(start, base)
    settings = json.loads((start / CONFIG).read_text("utf-8"))
    try:
        rank, alpha = int(settings["r"]), int(settings["lora_alpha"])
    except (KeyError, TypeError, ValueError) as error:
        raise AdapterError(f"adapter {str(start)!r}: {CONFIG} tells no rank: {error}") from error
    return base, replace(config, rank=rank, alpha=alpha), adapter


def _longest(config: PreferenceConfig, base: Base) -> int:
    return min(config.max_length, base.context or config.max_length)


def _sides(
    train: list[Placed[Made]], held: list[Placed[Made]], config: PreferenceConfig
) -> tuple[list[Placed[Made]], list[Placed[Made]]]:
    """Return the rows to train on and to evaluate on; a share of users where no file of them is."""
    if held or not config.eval_share:
        return train, held
    owners = sorted({_owner(placed) for placed in train})
    random.Random(config.seed).shuffle(owners)
    apart = set(owners[: max(1, round(config.eval_share * len(owners)))])
    return ([one for one in train if _owner(one) not in apart],
            [one for one in train if _owner(one) in apart])  # fmt: skip


def _owner(placed: Placed[Made]) -> str:
    return placed.row.user or placed.row.session or placed.row.id


def _balanced(config: KTOConfig, groups: Sequence[Group]) -> KTOConfig:
    """Return weights with which good and bad answers count the same, unless given."""
    good = sum(bool(group.label) for group in groups)
    bad = len(groups) - good
    if not good or not bad:
        raise DataError(f"{good} good and {bad} bad answers: KTO needs both")
    return replace(
        config,
        desirable_weight=config.desirable_weight or max(1.0, bad / good),
        undesirable_weight=config.undesirable_weight or max(1.0, good / bad),
    )


def _prepared(
    found: Collected[Made], sources: Sources, config: DPOConfig | KTOConfig, base: Base,
    tokenizer: Tokenizer, train: list[Group], held: list[Group], replay: list[Group],
    start: Adapter | None,
) -> PreparedPreferences:  # fmt: skip
    if sources.strict and found.rejects:
        raise DataError(f"{len(found.rejects)} rows can't be used: {found.rejects[0]}")
    check_enough(len(train) - len(replay), sources, found.rejects)
    about = {
        "files": ", ".join(path.name for path in (*sources.data, *sources.held)),
        "rows": len(found.train),
        "kinds": count_kinds(found.train),
        "taught": _taught(found.train, start),
        "held_out_rows": len(held),
        "replayed_rows": len(replay),
        "rejected_rows": len(found.rejects),
        "tokens": sum(group.tokens for group in train),
        "learned_tokens": sum(group.learned for group in train),
        **({"held_out_hash": hash_held(found)} if found.held else {}),
        **({"start": start.card.name} if start else {}),
        **_report(sources),
    }
    return PreparedPreferences(
        config, base, tokenizer, train, held, replay, found.rejects, about, hash_rows(found),
        tuple(_lineage([*found.train, *found.replay], start)), start,
    )  # fmt: skip


def _taught(rows: Sequence[Placed[Made]], start: Adapter | None) -> dict[str, int]:
    """Return how many rows of each kind were learned from, those of the earlier adapter too."""
    counts = Counter(count_kinds(rows))
    if start is not None:
        counts.update(start.card.data.get("taught", {}))
    return dict(counts)


def _report(sources: Sources) -> dict[str, Any]:
    """Return what the folders tell of how their pairs were made."""
    reports = {}
    for path in sources.data:
        if (path / "report.json").is_file():
            reports[path.name] = json.loads((path / "report.json").read_text("utf-8"))
    return {"reports": reports} if reports else {}


def _lineage(
    rows: Sequence[Placed[Pair] | Placed[Unpaired]] | Sequence[Any], start: Adapter | None
) -> Iterable[str]:
    """Return where rows come from, and where what the earlier adapter learned does."""
    known: dict[Path, dict[str, list[str]]] = {}
    lines: dict[str, None] = {}
    for placed in rows:
        path = Path(placed.file).parent / LINEAGE
        if path not in known:
            known[path] = _lines_by_id(path)
        own = {"id": placed.row.id, "session": placed.row.session, "user": placed.row.user,
               "events": list(placed.row.events)}  # fmt: skip
        lines |= dict.fromkeys(known[path].get(placed.row.id) or [json.dumps(own)])
    if start is not None and (start.folder / LINEAGE).is_file():
        lines |= dict.fromkeys((start.folder / LINEAGE).read_text("utf-8").splitlines())
    return lines


def _lines_by_id(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if path.is_file():
        for line in path.read_text("utf-8").splitlines():
            found.setdefault(str(json.loads(line)["id"]), []).append(line)
    return found
