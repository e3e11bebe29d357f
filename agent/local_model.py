"""A causal language model in this process: messages to tokens, tokens to answers and to scores.

Decoding is greedy and written out here rather than left to `generate`, which spends more time
around a small model than in it, and cannot stop between tokens or tell what the model would have
said without the grammar. Heavy libraries are imported when a model is loaded. This module knows
no threads and no deadlines (`agent.local_chat`).
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.errors import BadModelFolder, ContextOverflow
from agent.local_adapters import Adapters
from prompts import Message

GRAMMAR_BYTES = 64_000_000
"""Compiled grammars kept, the most recent: schemas differ from turn to turn."""

SCORED_LOGITS = 2**25
"""Logits computed at once when scoring: 128 MiB in float32."""

SAME_NATS = 0.05
"""Scores that differ by less are the same: sums of some dozens of tokens, in half precision."""

_MAX_GUESS = 32
_TRIED = 20


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer.

    Args:
        logprob: Log probability under the model itself, no grammar applied.
    """

    id: int
    logprob: float


class LocalModel:
    """A loaded model, its adapters, its tokenizer and its grammars; for one thread at a time.

    Args:
        device: Where torch puts it: "cpu", "cuda", …
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        import torch
        import xgrammar
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        self._torch = torch
        self._xgrammar = xgrammar
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if not self.tokenizer.chat_template:
            raise BadModelFolder(f"the tokenizer of {str(folder)!r} has no chat template; "
                                 "add chat_template.jinja to the folder")  # fmt: skip
        # CPUs compute in float32 faster than in what most models are kept in.
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True,
            dtype=torch.float32 if device == "cpu" else "auto",
        )  # fmt: skip
        self._model: Any = model.to(device).eval()
        self.adapters = Adapters(self._model, device)
        self._device = device
        self.context: int = model.config.max_position_embeddings
        self.parameters: int = model.num_parameters()
        self._stops = _stops(model, self.tokenizer)
        self._vocabulary = size = model.config.vocab_size
        info = xgrammar.TokenizerInfo.from_huggingface(
            self.tokenizer, vocab_size=size, stop_token_ids=sorted(self._stops)
        )
        self._compiler = xgrammar.GrammarCompiler(
            info, max_threads=1, cache_limit_bytes=GRAMMAR_BYTES
        )
        self._mask = xgrammar.allocate_token_bitmask(1, size)
        self._guesses = _Guesses()
        self._kept: list[int] = []
        self._cache: Any = None
        self._packs: bool | None = None
        self._aside: dict[str | None, tuple[list[int], Any]] = {}

    def use(self, adapter: str | None) -> None:
        """Answer with an adapter from now on, or as the base; raises UnknownAdapter.

        What was computed of a prompt with one is of no use to another, so each keeps its own.
        """
        before = self.adapters.active
        self.adapters.use(adapter)
        if adapter != before:
            self._aside[before] = self._kept, self._cache
            self._kept, self._cache = self._aside.pop(adapter, ([], None))

    def unload(self, adapter: str) -> None:
        """Let an adapter go, and what was kept for it; raises UnknownAdapter."""
        if self.adapters.active == adapter:
            self.use(None)
        self.adapters.unload(adapter)
        self._aside.pop(adapter, None)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of messages, up to where the answer begins.

        Raises:
            ContextOverflow: If they leave no room for an answer.
        """
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=True
        )
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        if len(ids) >= self.context:
            raise ContextOverflow(len(ids), self.context)
        return ids

    def answers(self, messages: Sequence[Message], completions: Sequence[str]) -> list[list[int]]:
        """Return the tokens of answers as the chat template writes them, up to the turn's end."""
        asked = [dict(message) for message in messages]
        template = self.tokenizer.apply_chat_template
        before: str = template(asked, tokenize=False, add_generation_prompt=True)
        found = []
        for completion in completions:
            turn = [*asked, {"role": "assistant", "content": completion}]
            whole: str = template(turn, tokenize=False)
            # A template that writes the last turn otherwise than it asks for it tells nothing.
            text = whole[len(before) :] if whole.startswith(before) else completion
            ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
            ends = [at for at, id in enumerate(ids, start=1) if id in self._stops]
            found.append(ids[: ends[-1]] if ends else [*ids, self.tokenizer.eos_token_id])
        return found

    def score(self, prompt: list[int], rows: Sequence[list[int]]) -> Iterator[float]:
        """Yield log p(row | prompt) in nats for each row of tokens.

        Raises:
            ContextOverflow: If the prompt and a row are longer than the model takes.
        """
        longest = len(prompt) + max(map(len, rows), default=0)
        if longest > self.context:
            raise ContextOverflow(longest, self.context)
        if self._packs is None and len(rows) > 1:
            # Some kinds of models take no mask, or look at where tokens stand in it.
            alone = [self._scores(prompt, [row])[0] for row in rows[:2]]
            packed = self._scores(prompt, rows[:2])
            self._packs = all(abs(a - b) < SAME_NATS for a, b in zip(alone, packed, strict=True))
        for pack in self._in_packs(prompt, rows):
            yield from self._scores(prompt, pack)

    def _in_packs(
        self, prompt: list[int], rows: Sequence[list[int]]
    ) -> Iterator[Sequence[list[int]]]:
        """Yield rows in runs that are computed at once."""
        most = SCORED_LOGITS // self._vocabulary if self._packs else 0
        pack: list[list[int]] = []
        for row in rows:
            if pack and len(prompt) + sum(map(len, pack)) + len(row) > most:
                yield pack
                pack = []
            pack.append(row)
        if pack:
            yield pack

    def _scores(self, prompt: list[int], rows: Sequence[list[int]]) -> list[float]:
        """Return the scores of rows, as branches of one tree that the prompt is the stem of.

        What rows begin with alike is computed once, and nothing is padded: each token sees the
        prompt and what came before it in its own rows.
        """
        torch, tree = self._torch, _Tree(prompt, rows)
        tensor = partial(torch.tensor, device=self._device)
        with torch.inference_mode():
            kind = self._model.dtype
            mask = torch.full((len(tree.tokens),) * 2, torch.finfo(kind).min, dtype=kind)
            for at, seen in enumerate(tree.sees):
                mask[at, seen] = 0
            logits = self._model(
                input_ids=tensor([tree.tokens]), position_ids=tensor([tree.places]),
                attention_mask=mask[None, None].to(self._device), use_cache=False,
                logits_to_keep=torch.arange(len(prompt) - 1, len(tree.tokens), device=self._device),
            ).logits[0].float()  # fmt: skip
            # A log softmax in one pass: logsumexp takes four times as long on a CPU.
            told = logits.log_softmax(-1)
            owners, nodes, wanted = (tensor(one) for one in zip(*tree.asked, strict=True))
            found = told[nodes - (len(prompt) - 1), wanted]
            total = torch.zeros(len(rows), device=self._device)
            scores: list[float] = total.index_add(0, owners, found).tolist()
            return scores

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def pieces(self, ids: Iterable[int]) -> Iterator[str]:
        """Yield the text of tokens as they come; a character of several waits for its last."""
        from tokenizers.decoders import DecodeStream

        stream = DecodeStream(skip_special_tokens=True)
        for id in ids:
            if piece := stream.step(self.tokenizer.backend_tokenizer, id):
                yield piece

    def matcher(self, schema: Mapping[str, Any]) -> Any:
        """Return the grammar of a JSON schema, at its beginning: compact JSON, fields in order."""
        compiled = self._compiler.compile_json_schema(
            json.dumps(schema), any_whitespace=False, separators=(",", ":")
        )
        return self._xgrammar.GrammarMatcher(compiled, terminate_without_stop_token=True)

    def generate(
        self, prompt: list[int], schema: Mapping[str, Any] | None, max_tokens: int
    ) -> Generator[Token, None, bool]:
        """Yield the tokens of an answer; return whether it was ended, not cut."""
        matcher = None if schema is None else self.matcher(schema)
        left = min(max_tokens, self.context - len(prompt))
        feed = prompt[self._reuse(prompt) :]
        while left > 0:
            guess = self._guess(matcher)[: min(left - 1, _MAX_GUESS)]
            # Row i says what follows the i-th guess, as long as the guesses before it were right.
            for at, logits in enumerate(self._forward(feed + guess)[-len(guess) - 1 :]):
                token = self._choose(logits, matcher)
                if token.id in self._stops:
                    return True
                yield token
                left -= 1
                if matcher is not None:
                    matcher.accept_token(token.id)
                    if matcher.is_terminated():
                        return True
                right = guess[at : at + 1] == [token.id]
                if at < len(guess):
                    self._guesses.count(right)
                if not right:
                    self._forget(len(guess) - at)
                    break
            feed = [token.id]
        return False

    def _guess(self, matcher: Any) -> list[int]:
        """Return tokens of the text that the grammar leaves no choice about.

        The model may spell that text with other tokens, so they are checked, not taken: one call
        for several tokens costs little more than for one.
        """
        if matcher is None or not self._guesses.pay or not _croppable(self._cache):
            return []
        sure = matcher.find_jump_forward_string()
        ids: list[int] = self.tokenizer(sure, add_special_tokens=False)["input_ids"]
        return ids

    def _forward(self, feed: list[int]) -> Any:
        # Entered anew for every call: a mode left open across a yield would leak to the caller.
        torch = self._torch
        with torch.inference_mode():
            ids = torch.tensor([feed], device=self._device)
            # What the cache holds is known only once the call is over.
            kept, self._kept = self._kept, []
            out = self._model(
                input_ids=ids, past_key_values=self._cache, use_cache=True,
                logits_to_keep=min(len(feed), _MAX_GUESS + 1),
            )  # fmt: skip
            self._cache, self._kept = out.past_key_values, kept + feed
            return out.logits[0].float().cpu()

    def _choose(self, logits: Any, matcher: Any) -> Token:
        with self._torch.inference_mode():
            allowed = logits
            if matcher is not None:
                allowed = logits.clone()
                matcher.fill_next_token_bitmask(self._mask)
                self._xgrammar.apply_token_bitmask_inplace(allowed[None], self._mask)
            best = int(allowed.argmax())
            return Token(best, float(logits[best] - logits.logsumexp(-1)))

    def _forget(self, tokens: int) -> None:
        """Take tokens off the end of what the cache holds."""
        if tokens:
            self._cache.crop(-tokens)
            del self._kept[-tokens:]

    def _reuse(self, prompt: list[int]) -> int:
        """Keep what the last prompt and this one begin with; return its length."""
        same = 0
        for ours, theirs in zip(prompt[:-1], self._kept, strict=False):
            if ours != theirs:
                break
            same += 1
        if self._cache is None or same == 0 or not _croppable(self._cache):
            self._cache, self._kept = None, []
            return 0
        self._forget(len(self._kept) - same)
        return same


class _Tree:
    """Rows of tokens after one prompt, what they begin with alike told once.

    Args:
        places: The place of each token in its rows, the prompt included.
        sees: For each token, the tokens it depends on, itself included.
        asked: Row, token before, and the token that is to follow it, for each token of each row.
    """

    def __init__(self, prompt: list[int], rows: Sequence[list[int]]) -> None:
        stem = len(prompt)
        self.tokens = list(prompt)
        self.places = list(range(stem))
        self.sees = [list(range(at + 1)) for at in range(stem)]
        self.asked: list[tuple[int, int, int]] = []
        known: dict[tuple[int, int], int] = {}
        for row, ids in enumerate(rows):
            before = stem - 1
            for id in ids[:-1]:
                self.asked.append((row, before, id))
                if (before, id) not in known:
                    known[before, id] = len(self.tokens)
                    self.tokens.append(id)
                    self.places.append(self.places[before] + 1)
                    self.sees.append([*self.sees[before], known[before, id]])
                before = known[before, id]
            self.asked.append((row, before, ids[-1]))


class _Guesses:
    """Whether guessing pays: a model whose tokens span the grammar's fixed text guesses wrong."""

    def __init__(self) -> None:
        self._right = self._wrong = 0

    @property
    def pay(self) -> bool:
        """Return whether at least half were right so far."""
        return self._right + _TRIED >= self._wrong

    def count(self, right: bool) -> None:
        """Count one guess that was looked at."""
        self._right += right
        self._wrong += not right


def _croppable(cache: Any) -> bool:
    from transformers.cache_utils import DynamicLayer

    if cache is None:
        return True
    # Layers that keep a window, or a running state, cannot go back to an earlier token.
    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _stops(model: Any, tokenizer: Any) -> frozenset[int]:
    found = model.generation_config.eos_token_id
    own = [found] if isinstance(found, int) else list(found or ())
    stops = {*own, tokenizer.eos_token_id} - {None}
    if not stops:
        raise BadModelFolder(f"{tokenizer.name_or_path!r} has no end-of-text token; set "
                             "eos_token_id in generation_config.json")  # fmt: skip
    return frozenset(stops)
