"""A chat model in this process: any folder that transformers loads, and LoRA adapters beside it.

The base is held once. Each adapter is a chat model of its own that shares it, and comes and goes
while the others answer. The work is done elsewhere (`agent.model_thread`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from agent.errors import UnknownAdapter
from agent.llm import Completion
from agent.model_call import ModelCall
from agent.model_folder import check_adapter, check_model
from agent.model_thread import Job, ModelThread
from prompts import Message

logger = logging.getLogger(__name__)

PROVIDER = "attune"
"""How traces name who runs the model, where no server does."""


class AdaptedChat:
    """A model in this process with one adapter or none: it answers, and scores answers.

    All calls to one model wait in one line. When its adapter has been unloaded, they raise
    `UnknownAdapter`.

    Args:
        adapter: None for the base.
        name: What plans say made them.
    """

    def __init__(self, thread: ModelThread, adapter: str | None, name: str) -> None:
        self.name = name
        self._thread = thread
        self._adapter = adapter

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

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
        self._thread.await_loading()
        with ModelCall(self.name, provider=PROVIDER, max_tokens=max_tokens) as call:
            completion = self._thread.answer(self._job(messages, deadline_s, max_tokens, schema))
            call.answered(completion)
            return completion

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int = 512, deadline_s: float = 30.0
    ) -> Iterator[str]:
        """Yield the answer in pieces as it is written; the deadline is for all of it."""
        self._thread.await_loading()
        return self._pieces(self._job(messages, deadline_s, max_tokens))

    def _pieces(self, job: Job) -> Iterator[str]:
        with ModelCall(
            self.name, provider=PROVIDER, max_tokens=job.max_tokens, stream=True
        ) as call:
            yield from self._thread.pieces(job, call.used)

    def score(
        self, messages: Sequence[Message], completions: Sequence[str], *, deadline_s: float = 30.0
    ) -> tuple[float, ...]:
        """Return the log-likelihood of each answer to the messages, in nats.

        Summed over its tokens, the one that ends the turn included; raises like `complete`.
        """
        self._thread.await_loading()
        with ModelCall(self.name, provider=PROVIDER, operation="score"):
            return self._thread.scores(self._job(messages, deadline_s), completions)

    def _job(
        self,
        messages: Sequence[Message],
        deadline_s: float,
        max_tokens: int = 0,
        schema: Mapping[str, Any] | None = None,
    ) -> Job:
        return Job(self.name, self._adapter, messages, deadline_s, max_tokens, schema)


class LocalChat(AdaptedChat):
    """Answers with a model from a folder, loaded in the background; adapters stand beside it.

    Args:
        folder: A causal model and its tokenizer, as `save_pretrained` writes them.
        name: What plans say made them; by default the folder's name.
        threads: Threads that torch computes with, for the whole process; by default one for a
            small model, which more hardly speed up, else torch's own choice.
        device: Where torch puts it: "cpu", "cuda", …
        preload: Load it now, not when it is first asked.
        patience_s: Seconds that a call waits for loading before its deadline begins.

    Raises:
        BadModelFolder: If the folder holds no model.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        threads: int | None = None,
        device: str = "cpu",
        preload: bool = True,
        patience_s: float = 0.0,
    ) -> None:
        check_model(folder)
        self.folder = folder
        name = name or folder.name
        super().__init__(ModelThread(name, folder, threads, device, patience_s), None, name)
        if preload:
            self._thread.loading()

    def __enter__(self) -> LocalChat:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the model go once what it is at has ended."""
        self._thread.close()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the model is loaded.

        Raises:
            ModelUnavailable: If it cannot be loaded, or is not in time.
        """
        self._thread.loaded(timeout_s)

    def load_adapter(self, name: str, folder: Path) -> AdaptedChat:
        """Load a LoRA adapter beside the base; return the chat model it makes of it.

        Calls under way are finished first, the base is loaded if it was not yet.

        Raises:
            BadModelFolder: If the folder holds no LoRA adapter, or one of another base.
            AdapterExists: If the name is in use.
            ModelUnavailable: If the base cannot be loaded, or does not take the adapter.
        """
        check_adapter(folder, self.folder)
        model = self._thread.loaded(None)
        # Here and not on the model's thread: it takes seconds, in which that can answer others.
        import_module("peft")
        started = time.monotonic()
        self._thread.change(lambda: model.adapters.load(name, folder))
        logger.info("loaded adapter %s in %.2f s", name, time.monotonic() - started)
        return self.with_adapter(name)

    def unload_adapter(self, name: str) -> None:
        """Let an adapter go; calls that were made before are still answered by it.

        Raises:
            UnknownAdapter: If there is none of that name.
        """
        model = self._thread.loaded(None)
        self._thread.change(lambda: model.unload(name))

    def with_adapter(self, name: str) -> AdaptedChat:
        """Return the base with an adapter that is loaded, as a chat model.

        Raises:
            UnknownAdapter: If there is none of that name.
        """
        if name not in self.adapters:
            raise UnknownAdapter(name, self.adapters)
        return AdaptedChat(self._thread, name, name)

    @property
    def adapters(self) -> tuple[str, ...]:
        """The names of the adapters that are loaded, oldest first."""
        started = self._thread.started
        if started is None or not started.done() or started.cancelled() or started.exception():
            return ()
        return started.result().adapters.names
