"""Errors of the agent package, sorted by who must act.

AgentError
├── UserInputError      what the user sent cannot be taken (the user acts): empty, not text
├── UnknownSession      no session with that id (the caller acts)
├── UnknownSlate        no slate with that id (the caller acts)
├── UnknownJob          no job with that id (the caller acts)
├── UnknownHandover     no hand-over with that id (the caller acts)
├── HopelessJob         a job that no further try can bring about (the operator acts)
├── Conflict            another turn or event came first (the caller loads again and retries)
│   ├── IdempotencyConflict  a key was used for another request (the caller takes a new one)
│   └── Moved           the session is not at the turn that was expected
├── StoreError          the session store cannot be read or written (the operator acts)
├── BadModelFolder      a model or adapter that cannot be loaded (the operator acts)
├── AdapterExists       an adapter's name is in use (the operator takes another)
├── NoSuchAdapter       no adapter of that name is registered (the caller acts)
├── AdapterRefused      an adapter must not answer: the gate, its files (the operator acts)
├── BadRoutes           the routes of adapters cannot be read (the old ones stay in force)
├── ServerError         the model server refused what an operator asked of it (the operator acts)
└── ModelError          the language model let us down (the planner falls back to rules)
    ├── ModelUnavailable  no answer: connection refused, HTTP error, deadline passed, breaker open
    │   └── UnknownAdapter  no adapter of that name is loaded
    ├── ContextOverflow   the prompt is longer than the model takes (the prompt is cut, or rules)
    └── BadModelOutput    an answer that is not a plan: asked again once with the reason
"""

from __future__ import annotations

from collections.abc import Iterable


class AgentError(Exception):
    """Anything that went wrong in a turn."""


class UserInputError(AgentError):
    """The utterance cannot be taken as it is: says what was given and what is expected."""


class UnknownSession(AgentError):
    """The session id names no stored session."""


class UnknownSlate(AgentError):
    """The slate id names no stored slate."""


class UnknownJob(AgentError):
    """The job id names no stored job."""


class UnknownHandover(AgentError):
    """The hand-over id names no stored hand-over."""


class HopelessJob(AgentError):
    """A job's handler raises it where no further try can succeed: it is given up at once."""


class Conflict(AgentError):
    """What was sent rests on something that has changed since: a newer turn, a used id."""


class IdempotencyConflict(Conflict):
    """An idempotency key was used for another request: neither is done, or told."""

    def __init__(self) -> None:
        super().__init__("the idempotency key was used for another request; take a new key")


class Moved(Conflict):
    """The session has had another turn than the one that was expected last."""


class StoreError(AgentError):
    """The session store refused to read or write; nothing acknowledged is lost."""


class BadModelFolder(AgentError):
    """A folder holds no model or adapter that can be loaded: says what is wrong with it."""


class AdapterExists(AgentError):
    """An adapter's name is in use: what a name answered once, it always answers."""

    def __init__(self, name: str) -> None:
        super().__init__(f"an adapter {name!r} is loaded already; take another name, or unload it")


class NoSuchAdapter(AgentError):
    """No adapter of that name is in the registry."""


class AdapterRefused(AgentError):
    """An adapter must not take the step that was asked: nothing changed."""


class BadRoutes(AgentError):
    """The file that says which adapter answers whom is damaged: what is served stays."""


class ServerError(AgentError):
    """A model server cannot be started, reached or changed: says what it answered."""


class ModelError(AgentError):
    """The language model gave no usable answer."""


class ModelUnavailable(ModelError):
    """The model server did not answer in time, or not at all."""


class UnknownAdapter(ModelUnavailable):
    """No adapter of that name is loaded beside the model, or it has been unloaded."""

    def __init__(self, name: str, loaded: Iterable[str] = ()) -> None:
        self.name = name
        there = ", ".join(map(repr, loaded)) or "none"
        super().__init__(f"no adapter {name!r} is loaded; loaded: {there}")


class ContextOverflow(ModelError):
    """The prompt is longer than the model takes.

    Args:
        given: Tokens of the prompt; None where the server does not say.
        allowed: Tokens that prompt and answer may have together.
    """

    def __init__(self, given: int | None, allowed: int) -> None:
        self.given = given
        self.allowed = allowed
        size = "too many tokens" if given is None else f"{given} tokens"
        super().__init__(
            f"the prompt has {size}: the model takes {allowed}, the answer included; shorten the "
            "prompt, or use a model with a longer context"
        )


class BadModelOutput(ModelError):
    """The model answered with something that is not a plan over the given mentions."""
