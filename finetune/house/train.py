"""Train the house model: rows in, checkpoints and a model folder out.

Loss is on the answer alone. Runs on CPU (bf16 autocast) and CUDA; a run that was stopped goes on
from its last checkpoint with the same rows, in the same order.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from finetune.house.model import House, Shape, new_house, save_house
from finetune.house.rows import Row, read_rows
from finetune.house.tokens import read_pieces

logger = logging.getLogger(__name__)

STRIDE = 8
"""Widths of batches are multiples of this."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How to train.

    Args:
        tokens_per_batch: Padded tokens of a batch.
        passes: How often each row is seen.
        minutes: Wall time after which training ends early, the learning rate having come down
            with the time used; 0 for no limit.
        longest: Tokens beyond which a row is left out.
        save_every: Steps between checkpoints.
        threads: Threads of the CPU; 0 for torch's own choice.
    """

    passes: float = 2.0
    tokens_per_batch: int = 6144
    learning_rate: float = 2e-3
    warmup_steps: int = 100
    weight_decay: float = 0.05
    minutes: float = 0.0
    longest: int = 320
    save_every: int = 250
    seed: int = 1
    device: str = "cpu"
    threads: int = 0


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row as token ids, and how many of them are the prompt's."""

    ids: list[int]
    prompt: int


def encode_rows(rows: Iterator[Row], tokenizer: Any, longest: int) -> list[Encoded]:
    """Return rows as tokens; those over `longest` tokens are left out."""
    found = []
    for row in rows:
        prompt = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, tokenize=False
        )
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer = row["completion"][0]["content"]
        own = tokenizer(answer, add_special_tokens=False)["input_ids"]
        if len(ids) + len(own) < longest:
            found.append(Encoded([*ids, *own, tokenizer.eos_token_id], len(ids)))
    return found


def batches(rows: Sequence[Encoded], config: TrainConfig, round_: int) -> list[list[int]]:
    """Return one pass over the rows as batches of like length, in random order."""
    random = Random(config.seed * 1000 + round_)
    order = sorted(range(len(rows)), key=lambda at: len(rows[at].ids) + random.random() * 8)
    found: list[list[int]] = []
    batch: list[int] = []
    for at in order:
        width = -(-len(rows[at].ids) // STRIDE) * STRIDE
        if batch and (len(batch) + 1) * width > config.tokens_per_batch:
            found.append(batch)
            batch = []
        batch.append(at)
    found += [batch] if batch else []
    random.shuffle(found)
    return found


def rate_at(config: TrainConfig, step: int, done: float) -> float:
    """Return the learning rate: linear warm-up, then cosine down to a twentieth.

    Args:
        done: Share of the training that is over, 0 to 1.
    """
    warm = min(1.0, (step + 1) / config.warmup_steps)
    return config.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def run(
    rows: Sequence[Path],
    out: Path,
    config: TrainConfig,
    shape: Shape,
    checks: Sequence[Path] = (),
    start: Path | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Train a model on row files; go on where `out` holds a checkpoint.

    Args:
        checks: Row files that the exact match is measured on at the end.
        start: Folder of a model of the same shape whose weights to begin with.
        dry_run: Only count rows, tokens and steps.

    Returns:
        What was trained and the exact match on each check; also in `out`/report.json.
    """
    import torch

    if config.threads:
        torch.set_num_threads(config.threads)
    house = new_house(shape, out, config.seed)
    encoded = encode_rows(read_rows(rows), house.tokenizer, config.longest)
    trained = _Run(house, encoded, out, config)
    report = {"config": asdict(config), "shape": asdict(shape), **trained.size()}
    if dry_run:
        return report
    if start is not None and not (out / "checkpoint.pt").exists():
        trained.begin_with(start)
    trained.resume()
    trained.go()
    save_house(house, out)
    found = {path.stem: exact_match(house, list(read_rows([path])), config.device)
             for path in checks}  # fmt: skip
    report |= {"seconds": round(trained.seconds), "steps": trained.step, "checks": found}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report


class _Run:
    """One training run: model, optimiser, place."""

    def __init__(
        self, house: House, rows: Sequence[Encoded], out: Path, config: TrainConfig
    ) -> None:
        import torch

        self.house, self.rows, self.out, self.config = house, rows, out, config
        self.model = house.model.to(config.device).train()
        table = self.model.get_input_embeddings().weight.requires_grad_(False)
        self.own = torch.nn.Parameter(table[: house.trained_rows].clone())
        learnt = [p for p in self.model.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in learnt if p.dim() == 2], "weight_decay": config.weight_decay},
            {"params": [*(p for p in learnt if p.dim() != 2), self.own], "weight_decay": 0.0},
        ]
        self.learnt = [*learnt, self.own]
        self.optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))
        self.step, self.seconds, self.losses = 0, 0.0, list[float]()

    def size(self) -> dict[str, int]:
        """Return rows, tokens of one pass and parameters."""
        return {
            "rows": len(self.rows),
            "tokens": sum(len(row.ids) for row in self.rows),
            "parameters": sum(p.numel() for p in self.model.parameters()),
            "learnt_parameters": sum(p.numel() for p in self.learnt),
        }

    def begin_with(self, folder: Path) -> None:
        """Take over the weights of a model of the same shape."""
        import torch
        from safetensors.torch import load_file

        weights = load_file(folder / "model.safetensors")
        old = {piece: at for at, piece in enumerate(read_pieces(folder))}
        table = self.model.get_input_embeddings().weight.detach().clone()
        for at, piece in enumerate(read_pieces(self.out)):
            if piece in old and at < len(self.own):
                table[at] = weights["model.embed_tokens.weight"][old[piece]]
        weights["model.embed_tokens.weight"] = weights["lm_head.weight"] = table
        self.model.load_state_dict(weights)
        with torch.no_grad():
            self.own.copy_(self.model.get_input_embeddings().weight[: len(self.own)])

    def resume(self) -> None:
        import torch

        path = self.out / "checkpoint.pt"
        if not path.exists():
            return
        kept = torch.load(path, map_location=self.config.device, weights_only=True)
        self.model.load_state_dict(kept["model"])
        with torch.no_grad():
            self.own.copy_(kept["own"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.step, self.seconds = kept["step"], kept["seconds"]
        logger.info("resumed at step %d", self.step)

    def save(self) -> None:
        import torch

        partial = self.out / "checkpoint.partial"
        kept = {
            "model": self.model.state_dict(), "own": self.own,
            "optimiser": self.optimiser.state_dict(), "step": self.step, "seconds": self.seconds,
        }  # fmt: skip
        torch.save(kept, partial)
        partial.rename(self.out / "checkpoint.pt")

    def go(self) -> None:
        import torch
        from tqdm import tqdm

        plan = [b for at in range(math.ceil(self.config.passes))
                for b in batches(self.rows, self.config, at)]  # fmt: skip
        plan = plan[: round(len(plan) * self.config.passes / math.ceil(self.config.passes))]
        begun = time.monotonic() - self.seconds
        bar = tqdm(total=len(plan), initial=self.step, unit="step", mininterval=10)
        for batch in plan[self.step :]:
            self.seconds = time.monotonic() - begun
            limit = self.config.minutes * 60
            done = max(self.step / len(plan), self.seconds / limit if limit else 0.0)
            if done >= 1:
                break
            loss = self._learn(batch, done)
            self.losses = [*self.losses[-99:], loss]
            self.step += 1
            bar.update()
            bar.set_postfix(loss=f"{sum(self.losses) / len(self.losses):.4f}", refresh=False)
            if self.step % self.config.save_every == 0:
                self.save()
                self._log()
        self.save()
        self._log()
        with torch.no_grad():
            self.model.get_input_embeddings().weight[: len(self.own)] = self.own

    def _log(self) -> None:
        entry = {"step": self.step, "seconds": round(self.seconds),
                 "loss": round(sum(self.losses) / max(1, len(self.losses)), 5)}  # fmt: skip
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _learn(self, batch: Sequence[int], done: float) -> float:
        import torch

        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.config, self.step, done)
        device = torch.device(self.config.device)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss = answer_loss(self.house, self.own, [self.rows[at] for at in batch], device)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.learnt, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach())


def answer_loss(house: House, own: Any, rows: Sequence[Encoded], device: Any) -> Any:
    """Return the mean cross-entropy of the answers' tokens.

    Args:
        own: The trained rows of the embedding table, its first ones (rows x hidden); the rest is
            frozen, so that neither gradients nor optimiser pass over 11 million numbers.
    """
    import torch
    from torch.nn.functional import cross_entropy, embedding

    # Few shapes, or the kernels of each new one are made anew.
    width = -(-max(len(row.ids) for row in rows) // STRIDE) * STRIDE
    pad = house.tokenizer.pad_token_id
    ids = torch.tensor([row.ids + [pad] * (width - len(row.ids)) for row in rows], device=device)
    table = house.model.get_input_embeddings().weight.detach()
    mine = (ids < len(own)).unsqueeze(-1)
    inputs = torch.where(mine, embedding(ids.clamp(max=len(own) - 1), own), embedding(ids, table))
    hidden = house.model.model(inputs_embeds=inputs).last_hidden_state
    # Only the answer's places go through the output layer, which is most of the arithmetic.
    where = torch.zeros_like(ids, dtype=torch.bool)
    for at, row in enumerate(rows):
        where[at, row.prompt - 1 : len(row.ids) - 1] = True
    targets = torch.cat([torch.tensor(row.ids[row.prompt :], device=device) for row in rows])
    chosen = hidden[where]
    logits = torch.cat([chosen @ own.T, chosen @ table[len(own) :].T], dim=-1)
    return cross_entropy(logits.float(), targets)


def exact_match(house: House, rows: Sequence[Row], device: str, most: int = 2000) -> dict[str, Any]:
    """Return how many answers are the expected ones to the token, by greedy teacher-forced match.

    An answer is right when every token is the likeliest after the right ones before it, which is
    the same as greedy decoding giving it.
    """
    import torch

    encoded = encode_rows(iter(rows[:most]), house.tokenizer, 1024)
    house.model.eval()
    right = 0
    with torch.no_grad():
        for row in encoded:
            logits = house.model(torch.tensor([row.ids], device=device)).logits[0]
            wanted = torch.tensor(row.ids[row.prompt :], device=device)
            right += bool((logits[row.prompt - 1 : -1].argmax(-1) == wanted).all())
    house.model.train()
    return {"n": len(encoded), "exact": round(right / max(1, len(encoded)), 4)}
