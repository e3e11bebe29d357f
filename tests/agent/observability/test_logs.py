import io
import json
import logging
import logging.config
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.feedback import new_id
from agent.keys import key_of
from agent.observability.logs import JsonLines, TextLines, exception, logging_config, redact
from agent.observability.request import Facts, current


@pytest.fixture
def logged():
    """Log through a formatter; return what comes out."""

    def logged(formatter, log):
        out = io.StringIO()
        handler = logging.StreamHandler(out)
        handler.setFormatter(formatter)
        logger = logging.Logger("agent.store")
        logger.addHandler(handler)
        log(logger)
        return out.getvalue().removesuffix("\n")

    return logged


def test_json_lines_tell_what_happened(logged):
    line = json.loads(logged(JsonLines(), lambda log: log.warning("jobs wait: %s", "no store")))
    assert line.keys() == {"time", "level", "logger", "message"}
    assert line["level"] == "warning"
    assert line["logger"] == "agent.store"
    assert line["message"] == "jobs wait: no store"
    assert line["time"].endswith("Z")


def test_lines_tell_their_request(logged):
    class Caller:
        tenant, id = "shoes", "0123456789ab"

    token = current.set(Facts("req-12345", "a" * 32, {"caller": Caller()}))
    try:
        line = json.loads(logged(JsonLines(), lambda log: log.info("x")))
        text = logged(TextLines(), lambda log: log.info("x"))
    finally:
        current.reset(token)
    assert line["request_id"] == "req-12345"
    assert line["trace_id"] == "a" * 32
    assert (line["tenant"], line["key"]) == ("shoes", "0123456789ab")
    assert text.endswith("store: x  (tenant=shoes key=0123456789ab request=req-12345)")


def test_lines_of_a_trace_tell_it(logged, spans, parts):
    from agent import telemetry

    with telemetry.span("s"):
        line = json.loads(logged(JsonLines(), lambda log: log.info("x")))
    [span] = spans()
    assert line["trace_id"] == format(span.context.trace_id, "032x")
    assert line["span_id"] == format(span.context.span_id, "016x")


@pytest.mark.parametrize(
    ("private", "shown"),
    [
        ("att_shoes_0123456789ab_" + "x" * 43, "att_shoes_0123456789ab_[key]"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [key]"),
        ("postgresql://ann:pa55@db/attune", "postgresql://[login]@db/attune"),
        ("a" * 5000, "a" * 4000),
    ],
    ids=["key", "bearer", "login", "long"],
)
def test_secrets_are_redacted(private, shown):
    assert redact(private) == shown


def test_session_ids_are_keys_of_them(logged):
    session = new_id()
    line = logged(JsonLines(), lambda log: log.error("session %r is damaged", session))
    assert session not in line
    assert f"id-{key_of(session)[:12]}" in line


def test_personal_data_is_masked(logged):
    line = logged(JsonLines(), lambda log: log.error("cannot write to %s", "zeb@example.org"))
    assert "cannot write to [mail]" in line


def _fail(text):
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise StoreError(f"cannot read {text}") from error
    except StoreError as error:
        return error


def test_exceptions_tell_places_and_no_words(logged):
    error = _fail("blue shoes for Zebulon")
    told = exception(error)
    assert [one["type"] for one in told] == ["StoreError", "KeyError"]
    assert told[1]["at"][-1].startswith("observability/test_logs.py:")
    for formatter in (JsonLines(), TextLines()):
        line = logged(formatter, lambda log: log.error("unhandled", exc_info=error))
        assert "Zebulon" not in line
        assert "StoreError" in line
        assert "test_logs.py" in line


def test_system_errors_tell_their_reason():
    with pytest.raises(OSError, match="nowhere") as caught:
        Path("/nowhere/at/all").read_text()
    [told] = exception(caught.value)
    assert told["reason"] == "No such file or directory"


def test_logging_is_set_up(capsys):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logging_config()["loggers"]}
    try:
        logging.config.dictConfig(logging_config("json"))
        root.handlers[0].stream = out = io.StringIO()
        logging.getLogger("agent.any").info("hello")
        logging.getLogger("httpx").info("HTTP Request: GET http://x/?q=secret")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)
    assert json.loads(out.getvalue())["message"] == "hello"


def test_form_follows_the_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert "JsonLines" in str(logging_config())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert "TextLines" in str(logging_config())
    assert "JsonLines" in str(logging_config("json"))
