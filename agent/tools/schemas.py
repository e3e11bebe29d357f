"""Schemas of an OpenAPI 3 file as JSON Schema of today: references put in, spelt the new way.

Only references within the file are followed: nothing is ever fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

_DEEPEST = 40


def resolved(node: Any, document: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """Return a part of a document with every `$ref` replaced by what it names.

    Raises:
        ValueError: If one names nothing, another file, or itself.
    """
    if len(seen) > _DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(node, list):
        return [resolved(one, document, seen) for one in node]
    if not isinstance(node, Mapping):
        return node
    ref = node.get("$ref")
    if isinstance(ref, str):
        if ref in seen:
            raise ValueError(f"{ref!r} refers to itself; tools take plain values")
        beside = {key: value for key, value in node.items() if key != "$ref"}
        found = resolved(_pointed(ref, document), document, (*seen, ref))
        return {**found, **resolved(beside, document, seen)} if beside else found
    return {key: resolved(value, document, seen) for key, value in node.items()}


def _pointed(ref: str, document: Mapping[str, Any]) -> Any:
    if not ref.startswith("#/"):
        raise ValueError(f"{ref!r} is elsewhere; put what it names into this file")
    node: Any = document
    for part in ref[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or name not in node:
            raise ValueError(f"{ref!r} names nothing in this file")
        node = node[name]
    return node


def modern(schema: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as one of 3.1: `nullable` and exclusive bounds."""
    if isinstance(schema, list):
        return [modern(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: modern(value) for key, value in schema.items()}
    if made.pop("nullable", None) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound in made:
            made[exclusive] = made.pop(bound)
    return made


def check_schema(schema: Any) -> None:
    """Raise ValueError where a schema is none."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"its schema is wrong: {error.message[:200]}") from error


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Return whether a value is what a schema describes."""
    checker = Draft202012Validator(dict(schema), format_checker=FormatChecker())
    return bool(checker.is_valid(value))


def misfit(value: Any, schema: Mapping[str, Any]) -> str:
    """Return where and how a value is not what a schema describes; empty where it is.

    The value itself is not repeated: it may be personal.
    """
    checker = Draft202012Validator(dict(schema), format_checker=FormatChecker())
    error = next(iter(checker.iter_errors(value)), None)
    if not isinstance(error, ValidationError):
        return ""
    place = ".".join(map(str, error.absolute_path)) or "the answer"
    return f"{place} breaks {error.validator!r}"
