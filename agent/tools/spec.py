"""Tools as an OpenAPI 3 file describes them: operations, their arguments, how they are spoken of.

Read once, with errors that name the place; what cannot be asked for in a conversation is refused
here, not when somebody needs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agent.service.config import BadService, checked_url
from agent.tools.schemas import check_schema, modern, resolved

MAX_BYTES = 1_000_000
Place = Literal["path", "query", "header", "body"]
METHODS = ("get", "post", "put", "patch", "delete")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_ITEM = re.compile(r"(?i)(?:item|product|article|sku)(?:[_-]?(?:id|number|no))?")
_PLAIN = ("string", "integer", "number", "boolean")


class BadTool(BadService):
    """A file of tools cannot be used: says where and what is expected."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a tool is called with.

    Args:
        schema: JSON Schema of its value.
        label: What it is called in a sentence: "order number".
        ask: The question for it; empty: one is made of the label.
        item: Whether it is the id of an item of the catalog.
        context: The key of the request's context that it is taken from, where there is one.
    """

    name: str
    place: Place
    required: bool
    schema: Mapping[str, Any]
    label: str = ""
    ask: str = ""
    item: bool = False
    context: str = ""

    @property
    def type(self) -> str:
        """The type of its value."""
        kind = self.schema.get("type", "string")
        return str(next((one for one in kind if one != "null"), "string")
                   if isinstance(kind, list) else kind)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that the file describes.

    Args:
        say: Templates; the first whose fields are all there is taken.
    """

    schema: Mapping[str, Any] | None = None
    say: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """An operation that a conversation can lead to.

    Args:
        source: The file it is from, without suffix.
        base: URL of the server; empty for a tool that the client itself calls.
        examples: What one says who means it.
        confirm: The question before it is called; empty: one is made where it changes anything.
        answers: By status: "200", "404", or "default".
    """

    name: str
    source: str
    method: str
    path: str
    base: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    examples: tuple[str, ...] = ()
    confirm: str = ""
    confirms: bool = False
    answers: Mapping[str, Said] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether calling it may change something."""
        return self.method != "GET"

    @property
    def is_clients(self) -> bool:
        """Whether the client calls it."""
        return not self.base

    def argument(self, name: str) -> Argument | None:
        """Return an argument by name, None where there is none."""
        return next((one for one in self.arguments if one.name == name), None)


def read_document(path: Path) -> Mapping[str, Any]:
    """Return an OpenAPI file, JSON or YAML, as plain values.

    Raises:
        BadTool: If it cannot be read, or is no OpenAPI 3.
    """
    import yaml

    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadTool(f"{str(path)!r} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise BadTool(f"{str(path)!r} has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        found = json.loads(json.dumps(found, default=str))  # YAML has dates, and keys of any kind
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())[:200]
        raise BadTool(f"{str(path)!r} is neither JSON nor YAML: {said}") from error
    version = str(found.get("openapi", "")) if isinstance(found, dict) else ""
    if not version.startswith("3."):
        raise BadTool(f"{str(path)!r}: openapi is {version!r}; expected an OpenAPI 3 file")
    return dict(found)


def read_tools(document: Mapping[str, Any], source: str) -> tuple[Tool, ...]:
    """Return the tools of an OpenAPI document whose first server is their base.

    Raises:
        BadTool: Names the operation and what is wrong with it.
    """
    base = _base(document, source)
    tools: list[Tool] = []
    for path, methods in dict(document.get("paths") or {}).items():
        for method in METHODS:
            if not isinstance(methods, Mapping) or method not in methods:
                continue
            try:
                operation = resolved(methods[method], document)
                shared = resolved(methods.get("parameters") or [], document)
                tools.append(_tool(operation, shared, source, method.upper(), path, base))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise BadTool(f"{source}, {method.upper()} {path}: {_reason(error)}") from error
    names = [tool.name for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not tools:
        wrong = f"operationId {twice[0]!r} is there twice" if twice else "it has no operations"
        raise BadTool(f"{source}: {wrong}")
    return tuple(tools)


def _reason(error: Exception) -> str:
    return str(error) if type(error) is ValueError else f"not as OpenAPI has it ({error!r})"


def _base(document: Mapping[str, Any], source: str) -> str:
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url", "")) if isinstance(servers[0], Mapping) else ""
    try:
        return checked_url(url).rstrip("/")
    except ValueError as error:
        raise BadTool(f"{source}: {error} (the server, or --url)") from error


def _tool(
    operation: Mapping[str, Any],
    shared: list[Any],
    source: str,
    method: str,
    path: str,
    base: str,
) -> Tool:
    name = str(operation.get("operationId", ""))
    if not _NAME.fullmatch(name):
        raise ValueError(f"operationId {name!r}: expected a name such as order_status")
    summary = str(operation.get("summary") or operation.get("description") or "").strip()
    if not summary:
        raise ValueError("it needs a summary: what it does, in a few words")
    own = {str(one["name"]): one for one in [*shared, *(operation.get("parameters") or [])]}
    arguments = (*map(_parameter, own.values()), *_body(operation))
    named = set(re.findall(r"\{([^}]*)\}", path))
    missing = named - {one.name for one in arguments if one.place == "path"}
    if missing or not path.startswith("/"):
        raise ValueError(f"the path {path!r} needs a path parameter {', '.join(sorted(missing))!r}")
    confirm = operation.get("x-attune-confirm", method != "GET")
    if confirm is False and method != "GET":
        raise ValueError("x-attune-confirm: what is not a GET is always confirmed")
    return Tool(
        name=name, source=source, method=method, path=path, base=base, summary=summary.rstrip("."),
        arguments=arguments, examples=_texts(operation.get("x-attune-examples")),
        confirm=confirm if isinstance(confirm, str) else "", confirms=bool(confirm),
        answers=_answers(operation),
    )  # fmt: skip


def _texts(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else list(value or [])
    if not all(isinstance(one, str) and one.strip() for one in found):
        raise ValueError(f"expected a text or a list of texts, got {value!r}")
    return tuple(found)


def _answers(operation: Mapping[str, Any]) -> dict[str, Said]:
    common = _texts(operation.get("x-attune-say"))
    answers = {}
    for status, response in dict(operation.get("responses") or {}).items():
        media = (response.get("content") or {}).get("application/json") or {}
        schema = modern(media["schema"]) if "schema" in media else None
        if schema is not None:
            check_schema(schema)
        own = _texts(response.get("x-attune-say"))
        fine = str(status)[:1] in ("2", "d")
        answers[str(status)] = Said(schema, own or (common if fine else ()))
    return (
        answers
        if any(key[0] in "2d" for key in answers)
        else {**answers, "200": Said(None, common)}
    )


def _parameter(one: Mapping[str, Any]) -> Argument:
    place = one.get("in")
    if place not in ("path", "query", "header"):
        raise ValueError(
            f"parameter {one.get('name')!r} is in {place!r}; path, query or header is taken"
        )
    required = bool(one.get("required")) or place == "path"
    return _argument(
        str(one["name"]), place, required, one.get("schema") or {"type": "string"}, one
    )


def _body(operation: Mapping[str, Any]) -> Iterator[Argument]:
    body = operation.get("requestBody")
    if not body:
        return
    media = (body.get("content") or {}).get("application/json")
    if media is None:
        raise ValueError("its requestBody needs content application/json")
    schema = media.get("schema") or {}
    needed = set(schema.get("required") or ())
    for name, one in dict(schema.get("properties") or {}).items():
        yield _argument(name, "body", name in needed, one, one)


def _argument(
    name: str, place: Place, required: bool, schema: Mapping[str, Any], said: Mapping[str, Any]
) -> Argument:
    made = modern(schema)
    check_schema(made)
    example = [said["example"]] if "example" in said else []
    made["examples"] = [*example, *_list(made.get("examples")), *_list(made.get("example"))]
    argument = Argument(
        name, place, required, made, label=_label(name, said, made),
        ask=str(said.get("x-attune-ask") or made.get("x-attune-ask") or ""),
        item=bool(said.get("x-attune-item", _ITEM.fullmatch(name) is not None)),
        context=str(said.get("x-attune-context") or name),
    )  # fmt: skip
    if required and argument.type not in _PLAIN and "default" not in made:
        raise ValueError(f"argument {name!r} is of type {argument.type!r}, and nobody can be asked "
                         "for that; expected text, a number, a boolean, or a default")  # fmt: skip
    return argument


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _label(name: str, said: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    described = str(
        said.get("description") or schema.get("title") or schema.get("description") or ""
    )
    short = described.strip().rstrip(".").split(". ")[0]
    if short and len(short) <= 40:
        return short[0].lower() + short[1:] if short[1:2].islower() else short
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").lower()
    return re.sub(r"\bid\b", "number", words)


def client_tool(name: str, description: str, parameters: Mapping[str, Any]) -> Tool:
    """Return a function that a client offers to call, as a tool.

    Raises:
        ValueError: If its parameters are no schema of plain values.
    """
    document = resolved(dict(parameters), dict(parameters))
    needed = set(document.get("required") or ())
    arguments = tuple(
        _argument(key, "body", key in needed, one, one)
        for key, one in dict(document.get("properties") or {}).items()
    )
    summary = description.strip().rstrip(".") or name.replace("_", " ")
    return Tool(name, "client", "POST", "", "", summary, arguments)
