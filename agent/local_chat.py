"""A chat model in this process: any folder that transformers loads, with a LoRA adapter or not.

One thread owns the model: it loads it in the background and answers one call after another, so
that a caller never waits past its deadline, whatever torch is at. Generation stops between tokens
when the deadline has passed or nobody listens any more. Neither messages nor answers are logged.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Lock
from typing import Any

from agent.errors import AgentError, ModelError, ModelUnavailable
from agent.llm import Completion
from agent.local_model import LocalModel, Token
from agent.model_folder import check_adapter, check_model
from prompts import Message

logger = logging.getLogger(__name__)

SMALL = 100_000_000
"""Parameters below which a model is small: handing its work to threads costs what it saves."""

GRACE_S = 0.2
"""How much longer than the deadline a caller waits for the model to say so itself."""


@dataclass(slots=True)
class _Job:
    """One call: what is asked, until when, and whether somebody still listens."""

    messages: Sequence[Message]
    schema: Mapping[str, Any] | None
    max_tokens: int
    deadline_s: float
    started: float = field(default_factory=time.monotonic)
    left: Event = field(default_factory=Event)

    def check(self) -> None:
        """End the work when its time is over."""
        if self.left.is_set() or time.monotonic() > self.started + self.deadline_s:
            raise ModelUnavailable(f"no answer within {self.deadline_s:.3g} s")


class LocalChat:
    """Answers with a model from a folder, loaded in the background.

    Args:
        folder: A causal model and its tokenizer, as `save_pretrained` writes them.
        adapter: A LoRA adapter that was trained on it.
        name: What plans say made them; by default the folder's name.
        threads: Threads that torch computes with, for the whole process; by default one for a
            small model, which more hardly speed up, else torch's own choice.
        device: Where torch puts it: "cpu", "cuda", …
        preload: Load it now, not when it is first asked.
        patience_s: Seconds that a call waits for loading before its deadline begins.

    Raises:
        BadModelFolder: If the folder holds no model, or the adapter is of another one.
    """

    def __init__(
        self,
        folder: Path,
        adapter: Path | None = None,
        *,
        name: str | None = None,
        threads: int | None = None,
        device: str = "cpu",
        preload: bool = True,
        patience_s: float = 0.0,
    ) -> None:
        check_model(folder)
        if adapter is not None:
            check_adapter(adapter, folder)
        self.name = name or (adapter or folder).name
        self._worker = ThreadPoolExecutor(1, "attune-model")
        self._load = partial(_load, folder, adapter, threads, device)
        self._patience_s = patience_s
        self._starting = Lock()
        self._started: Future[LocalModel] | None = None
        if preload:
            self._loading()

    def __repr__(self) -> str:
        return f"LocalChat({self.name!r})"

    def __enter__(self) -> LocalChat:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the model go once what it is at has ended."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _loading(self) -> Future[LocalModel]:
        """Return the loading under way, begun at the first call."""
        with self._starting:
            if self._started is None:
                self._started = self._submit(self._load)
            return self._started

    def _await_loading(self) -> None:
        loading = self._loading()
        if self._patience_s:
            wait([loading], self._patience_s)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the model is loaded.

        Raises:
            ModelUnavailable: If it cannot be loaded, or is not in time.
        """
        self._loaded(timeout_s)

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        deadline_s: float = 30.0,
    ) -> Completion:
        """Return the whole answer, held to a JSON schema.

        Raises:
            ModelUnavailable: If the model is not loaded or not done within the deadline.
            ContextOverflow: If the messages are longer than the model takes.
        """
        self._await_loading()
        job = _Job(messages, schema, max_tokens, deadline_s)
        future: Future[Completion] = self._submit(lambda: self._complete(job))
        try:
            return future.result(deadline_s + GRACE_S)
        except TimeoutError:
            raise self._late(job) from None
        finally:
            job.left.set()
            future.cancel()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the answer in pieces as it is written; the deadline is for all of it."""
        self._await_loading()
        job = _Job(messages, None, max_tokens, deadline_s)
        pieces: Queue[str | ModelError | None] = Queue()
        self._submit(lambda: self._feed(job, pieces))
        return self._drain(job, pieces)

    def _submit(self, work: Callable[[], Any]) -> Future[Any]:
        try:
            return self._worker.submit(work)
        except RuntimeError:
            raise ModelUnavailable("the model was closed") from None

    def _complete(self, job: _Job) -> Completion:
        model = self._model(job)
        with _told():
            prompt = model.encode(job.messages)
            tokens, ended = _all(job, model.generate(prompt, job.schema, job.max_tokens))
            return Completion(
                text=model.decode([token.id for token in tokens]),
                prompt_tokens=len(prompt),
                completion_tokens=len(tokens),
                model=self.name,
                seconds=time.monotonic() - job.started,
                truncated=not ended,
                confidence=math.exp(sum(token.logprob for token in tokens)),
            )

    def _feed(self, job: _Job, pieces: Queue[str | ModelError | None]) -> None:
        try:
            model = self._model(job)
            with _told():
                prompt = model.encode(job.messages)
                tokens = model.generate(prompt, None, job.max_tokens)
                for piece in model.pieces(token.id for token in _each(job, tokens)):
                    pieces.put(piece)
        except ModelError as error:
            pieces.put(error)
        else:
            pieces.put(None)

    def _drain(self, job: _Job, pieces: Queue[str | ModelError | None]) -> Iterator[str]:
        try:
            while (piece := self._piece(job, pieces)) is not None:
                if isinstance(piece, ModelError):
                    raise piece
                yield piece
        finally:
            job.left.set()

    def _piece(self, job: _Job, pieces: Queue[str | ModelError | None]) -> str | ModelError | None:
        ends = job.started + job.deadline_s + GRACE_S
        try:
            return pieces.get(timeout=max(0.0, ends - time.monotonic()))
        except Empty:
            return self._late(job)

    def _model(self, job: _Job) -> LocalModel:
        """Return the model; on the worker's thread, where loading it comes first."""
        job.check()
        return self._loaded(0)

    def _loaded(self, timeout_s: float | None) -> LocalModel:
        try:
            return self._loading().result(timeout_s)
        except TimeoutError:
            raise ModelUnavailable(f"{self.name} is still loading") from None
        except CancelledError:
            raise ModelUnavailable("the model was closed") from None
        except Exception as error:
            raise ModelUnavailable(f"{self.name} cannot be loaded: {error}") from error

    def _late(self, job: _Job) -> ModelUnavailable:
        if not self._loading().done():
            return ModelUnavailable(f"{self.name} is still loading")
        return ModelUnavailable(f"no answer within {job.deadline_s:.3g} s")


def _load(folder: Path, adapter: Path | None, threads: int | None, device: str) -> LocalModel:
    started = time.monotonic()
    try:
        import torch

        model = LocalModel(folder, adapter, device)
        if threads is None and model.parameters < SMALL:
            threads = 1
        if threads is not None:
            torch.set_num_threads(threads)
    except Exception as error:
        logger.error("%s cannot be loaded: %s", adapter or folder, error)
        raise
    logger.info("loaded %s in %.1f s", adapter or folder, time.monotonic() - started)
    return model


def _each(job: _Job, tokens: Iterator[Token]) -> Iterator[Token]:
    for token in tokens:
        job.check()
        yield token


def _all(job: _Job, tokens: Generator[Token, None, bool]) -> tuple[list[Token], bool]:
    found: list[Token] = []
    while True:
        job.check()
        try:
            found.append(next(tokens))
        except StopIteration as end:
            return found, bool(end.value)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what goes wrong in the libraries into an error that planners expect.

    Only its kind is told: the message may hold what a user wrote.
    """
    try:
        yield
    except AgentError:
        raise
    except Exception as error:
        raise ModelUnavailable(f"the model failed with {type(error).__name__}") from None
