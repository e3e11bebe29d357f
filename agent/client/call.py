"""Each request as a value: where it goes, what it carries, and how its answer is read.

Both clients, the one that waits and the one that does not, send these. Nothing is sent here.
"""

from __future__ import annotations

import inspect
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter, ValidationError

from agent.client.errors import AttuneError, NotUnderstood, refused

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent.

    Args:
        key: The idempotency key; None for requests that have none.
        query: What is asked for behind the path; what is None is left out.
        language: What words are wanted in.
        fine: Statuses beside those of success whose body is an answer.
        once: Whether doing it twice does harm; then it is sent again only where it surely was not
            done.
    """

    method: str
    path: str
    body: Any = None
    key: str | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    language: str | None = None
    fine: tuple[int, ...] = ()
    once: bool = False


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request with one answer.

    Args:
        read: Makes the answer a value; raises an `AttuneError` where it tells of one.
    """

    request: Request
    read: Callable[[httpx.Response], T]


@dataclass(frozen=True, slots=True)
class Streamed(Generic[T]):
    """A request that is answered by events.

    Args:
        kinds: What makes an event's data a value, by the event's name; others are passed over.
            The last one is called "done".
    """

    request: Request
    kinds: Mapping[str, Callable[[Any], T]]


def reads(kind: type[T], *inside: str, fine: tuple[int, ...] = ()) -> Callable[[httpx.Response], T]:
    """Return what reads a JSON answer.

    Args:
        inside: Names of the fields that the value is within.
        fine: As the request has it.
    """
    adapter = TypeAdapter(kind)

    def read(response: httpx.Response) -> T:
        answer = answer_of(response, fine)
        try:
            for name in inside:
                answer = answer[name]
            return adapter.validate_python(answer)
        except (ValidationError, KeyError, TypeError) as error:
            raise NotUnderstood(f"expected {kind}, got something else: {error}") from error

    return read


def nothing(response: httpx.Response) -> None:
    """Read an answer that says nothing but that it is done."""
    if not response.is_success:
        raise error_of(response)


def anything(response: httpx.Response) -> Any:
    """Read a JSON answer as it is; None where there is none."""
    return answer_of(response) if response.content or not response.is_success else None


def answer_of(response: httpx.Response, fine: tuple[int, ...] = ()) -> Any:
    """Return the JSON of a good response.

    Raises:
        AttuneError: If the response tells of an error, or is not JSON.
    """
    answer = json_of(response.content)
    told = isinstance(answer, dict) and "error" not in answer
    if not response.is_success and not (told and response.status_code in fine):
        raise error_of(response)
    if answer is None:
        raise NotUnderstood(
            f"status {response.status_code}, but no JSON; check the address", response.status_code
        )
    return answer


def error_of(response: httpx.Response) -> AttuneError:
    """Return the error of a response whose body is read."""
    return refused(response.status_code, json_of(response.content), response.headers)


def json_of(content: bytes) -> Any:
    """Return JSON; None for what is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are given."""
    return {name: value for name, value in fields.items() if value is not None}


def new_key() -> str:
    """Return a new idempotency key."""
    return uuid.uuid4().hex


def part(id: str) -> str:
    """Return an id as a part of a path, whatever is in it."""
    if id in ("", ".", ".."):
        raise ValueError(f"an id is needed, got {id!r}")
    return quote(id, safe="")


def as_method(method: F, call: Callable[..., Any], returns: str = "{}") -> F:
    """Name and describe the method of a client by the function that makes its call.

    Args:
        returns: How it returns what the call is of, as `help` shows it.
    """
    method.__name__ = method.__qualname__ = call.__name__
    method.__doc__ = call.__doc__
    own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = inspect.signature(call)
    of = str(signature.return_annotation).partition("[")[2].removesuffix("]")
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[own, *signature.parameters.values()], return_annotation=returns.format(of)
    )
    return method
