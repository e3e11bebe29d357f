"""The one thread that owns a model in this process: it loads it and does one call after another.

A caller never waits past its deadline, whatever torch is at; generation stops between tokens when
the deadline has passed or nobody listens any more. Adapters come and go between two calls. Neither
messages nor answers are logged.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Lock
from typing import Any, TypeVar

from agent.errors import AgentError, ModelError, ModelUnavailable
from agent.llm import Completion
from agent.local_model import LocalModel, Token
from agent.pace import waiting
from prompts import Message

T = TypeVar("T")

logger = logging.getLogger(__name__)

SMALL = 100_000_000
"""Parameters below which a model is small: handing its work to threads costs what it saves."""

GRACE_S = 0.2
"""How much longer than the deadline a caller waits for the model to say so itself."""


@dataclass(slots=True)
class Job:
    """One call: what is asked of whom, until when, and whether somebody still listens.

    Args:
        name: What the answer says made it.
        adapter: The adapter that is asked; None for the base.
    """

    name: str
    adapter: str | None
    messages: Sequence[Message]
    deadline_s: float
    max_tokens: int = 0
    schema: Mapping[str, Any] | None = None
    started: float = field(default_factory=time.monotonic)
    left: Event = field(default_factory=Event)

    def check(self) -> None:
        """End the work when its time is over."""
        if self.left.is_set() or time.monotonic() > self.started + self.deadline_s:
            raise ModelUnavailable(f"no answer within {self.deadline_s:.3g} s")


class ModelThread:
    """Owns a model; everything that touches it runs here, in the order it came.

    Args:
        patience_s: Seconds that a call waits for loading before its deadline begins.
    """

    def __init__(
        self, name: str, folder: Path, threads: int | None, device: str, patience_s: float
    ) -> None:
        self.name = name
        self.started: Future[LocalModel] | None = None
        self._worker = ThreadPoolExecutor(1, "attune-model")
        self._load = partial(load, folder, threads, device)
        self._patience_s = patience_s
        self._starting = Lock()

    def close(self) -> None:
        """Let the model go once what it is at has ended."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def loading(self) -> Future[LocalModel]:
        """Return the loading under way, begun at the first call."""
        with self._starting:
            if self.started is None:
                self.started = self.submit(self._load)
            return self.started

    def await_loading(self) -> None:
        """Wait for loading as long as patience lasts, before a deadline begins."""
        loading = self.loading()
        if self._patience_s:
            with waiting():
                wait([loading], self._patience_s)

    def loaded(self, timeout_s: float | None) -> LocalModel:
        """Return the model, as soon as it is loaded.

        Raises:
            ModelUnavailable: If it cannot be loaded, or is not in time.
        """
        try:
            return self.loading().result(timeout_s)
        except TimeoutError:
            raise ModelUnavailable(f"{self.name} is still loading") from None
        except CancelledError:
            raise ModelUnavailable("the model was closed") from None
        except Exception as error:
            raise ModelUnavailable(f"{self.name} cannot be loaded: {error}") from error

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Do some work after what was submitted before."""
        try:
            return self._worker.submit(work)
        except RuntimeError:
            raise ModelUnavailable("the model was closed") from None

    def change(self, work: Callable[[], None]) -> None:
        """Change the model between two calls, and wait until it is done."""

        def told() -> None:
            with _told():
                work()

        self.submit(told).result()

    def answer(self, job: Job) -> Completion:
        """Return the whole answer to a job."""
        return self._result(job, lambda: self._complete(job))

    def scores(self, job: Job, completions: Sequence[str]) -> tuple[float, ...]:
        """Return how likely each of some answers to a job is, in nats."""
        return self._result(job, lambda: self._score(job, completions))

    def pieces(self, job: Job, used: Callable[[int, int], None]) -> Iterator[str]:
        """Yield the answer to a job as it is written.

        Args:
            used: Told how many tokens the prompt has and how many are written so far.
        """
        pieces: Queue[str | ModelError | None] = Queue()
        self.submit(lambda: self._feed(job, pieces, used))
        return self._drain(job, pieces)

    def _result(self, job: Job, work: Callable[[], T]) -> T:
        future: Future[T] = self.submit(work)
        try:
            with waiting():
                return future.result(job.deadline_s + GRACE_S)
        except TimeoutError:
            raise self._late(job) from None
        finally:
            job.left.set()
            future.cancel()

    def _complete(self, job: Job) -> Completion:
        model = self._model(job)
        with _told():
            prompt = model.encode(job.messages)
            tokens, ended = _all(job, model.generate(prompt, job.schema, job.max_tokens))
            return Completion(
                text=model.decode([token.id for token in tokens]),
                prompt_tokens=len(prompt),
                completion_tokens=len(tokens),
                model=job.name,
                seconds=time.monotonic() - job.started,
                truncated=not ended,
                confidence=math.exp(sum(token.logprob for token in tokens)),
            )

    def _score(self, job: Job, completions: Sequence[str]) -> tuple[float, ...]:
        model = self._model(job)
        with _told():
            prompt = model.encode(job.messages)
            rows = model.answers(job.messages, completions)
            return tuple(_each(job, model.score(prompt, rows)))

    def _feed(
        self, job: Job, pieces: Queue[str | ModelError | None], used: Callable[[int, int], None]
    ) -> None:
        try:
            model = self._model(job)
            with _told():
                prompt = model.encode(job.messages)
                tokens = model.generate(prompt, None, job.max_tokens)
                written = _counted(_each(job, tokens), lambda count: used(len(prompt), count))
                for piece in model.pieces(token.id for token in written):
                    pieces.put(piece)
        except ModelError as error:
            pieces.put(error)
        else:
            pieces.put(None)

    def _drain(self, job: Job, pieces: Queue[str | ModelError | None]) -> Iterator[str]:
        try:
            while (piece := self._piece(job, pieces)) is not None:
                if isinstance(piece, ModelError):
                    raise piece
                yield piece
        finally:
            job.left.set()

    def _piece(self, job: Job, pieces: Queue[str | ModelError | None]) -> str | ModelError | None:
        ends = job.started + job.deadline_s + GRACE_S
        try:
            with waiting():
                return pieces.get(timeout=max(0.0, ends - time.monotonic()))
        except Empty:
            return self._late(job)

    def _model(self, job: Job) -> LocalModel:
        """Return the model, set to who is asked; on its thread, where loading comes first."""
        job.check()
        model = self.loaded(0)
        model.use(job.adapter)
        return model

    def _late(self, job: Job) -> ModelUnavailable:
        if not self.loading().done():
            return ModelUnavailable(f"{self.name} is still loading")
        return ModelUnavailable(f"no answer within {job.deadline_s:.3g} s")


def load(folder: Path, threads: int | None, device: str) -> LocalModel:
    """Return the model of a folder, and set how many threads torch computes with."""
    started = time.monotonic()
    try:
        import torch

        model = LocalModel(folder, device)
        if threads is None and model.parameters < SMALL:
            threads = 1
        if threads is not None:
            torch.set_num_threads(threads)
    except Exception as error:
        logger.error("%s cannot be loaded: %s", folder, error)
        raise
    logger.info("loaded %s in %.1f s", folder, time.monotonic() - started)
    return model


def _counted(work: Iterable[T], tell: Callable[[int], None]) -> Iterator[T]:
    """Yield each, telling how many there were so far."""
    for count, one in enumerate(work, start=1):
        tell(count)
        yield one


def _each(job: Job, made: Iterator[T]) -> Iterator[T]:
    for one in made:
        job.check()
        yield one


def _all(job: Job, tokens: Generator[Token, None, bool]) -> tuple[list[Token], bool]:
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
