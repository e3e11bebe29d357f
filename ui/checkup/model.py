"""The language model: there, of that name, quick enough, and able to keep to a JSON schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import httpx2

from agent.errors import ModelError
from agent.openai_chat import OpenAIChat
from prompts import Message
from ui.chat_models import HOUSE, NONE, chat_model, llm_of
from ui.checkup.findings import Finding, fail, note, ok, warn
from ui.settings import Settings

_ASK_S = 30.0
_SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}
_ASK = (Message(role="user", content='Answer with JSON: {"answer": 7}'),)


def model(settings: Settings) -> Iterator[Finding]:
    """Look at the language model that the settings name."""
    llm = llm_of(settings)
    if llm == NONE:
        yield note("model", "none: rules plan every turn", "set ATTUNE_LLM to have one")
        return
    if "://" not in llm:
        if llm != HOUSE and not Path(llm).expanduser().is_dir():
            yield fail("model", f"{llm!r} is no URL and no folder with a model",
                       "correct ATTUNE_LLM (a URL, a folder, house or none): no server starts "
                       "with it")  # fmt: skip
            return
        yield ok("model", f"{llm}, in the server's own process")
        return
    chat = chat_model(settings)
    assert isinstance(chat, OpenAIChat)
    with chat:
        found = list(_served(llm, settings))
        yield from found
        if not any(one.level == "fail" for one in found):
            yield from _asked(chat, settings)


def _served(llm: str, settings: Settings) -> Iterator[Finding]:
    key = settings.llm_key.get_secret_value() if settings.llm_key else "none"
    host = urlsplit(llm).hostname
    try:
        answer = httpx2.get(
            f"{llm.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"}, timeout=5.0
        )
        names = [one["id"] for one in answer.json()["data"]]
    except httpx2.HTTPError as error:
        yield fail("model", f"{host} cannot be reached ({type(error).__name__})",
                   "start it, or correct ATTUNE_LLM; rules plan meanwhile")  # fmt: skip
        return
    except (ValueError, KeyError, TypeError):
        yield note("model", f"{host} lists no models ({answer.status_code})")
        return
    if settings.model not in names:
        yield fail("model", f"{host} does not serve {settings.model!r}",
                   f"ATTUNE_MODEL is one of: {', '.join(names[:8])}")  # fmt: skip


def _asked(chat: OpenAIChat, settings: Settings) -> Iterator[Finding]:
    start = perf_counter()
    try:
        answer = chat.complete(_ASK, schema=_SCHEMA, max_tokens=64, deadline_s=_ASK_S)
    except ModelError as error:
        yield fail("model", f"{chat.name} does not answer: {error}",
                   "see the model server's log; rules plan meanwhile")  # fmt: skip
        return
    seconds = perf_counter() - start
    said = f"{chat.name} answers in {seconds:.2f} s"
    if seconds > settings.deadline_s:
        yield warn("model", f"{said}, later than ATTUNE_DEADLINE_S={settings.deadline_s:g}",
                   "rules plan such turns: allow it more time, or make it faster")  # fmt: skip
    else:
        yield ok("model", said)
    try:
        kept = isinstance(json.loads(answer.text).get("answer"), int)
    except (ValueError, AttributeError):
        kept = False
    if kept and chat.structured != "plain":
        yield ok("model", "it keeps to JSON schemas")
    else:
        yield warn("model", "its server does not hold it to JSON schemas",
                   "plans fail more often; vLLM does it (see docs/llm.md)")  # fmt: skip
