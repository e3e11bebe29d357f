"""Which language model the settings name: a server's, one in this process, or none."""

from __future__ import annotations

import sys
from pathlib import Path

from agent.asking import Asking
from agent.llm import ChatModel
from agent.plan_prompt import PROMPT as INSTRUCTED
from agent.tagged_prompt import PROMPT as TAGGED
from agent.voices import SURE
from prompts import Template, own
from ui.errors import UIError
from ui.settings import Settings

HOUSE, NONE = "house", "none"

PATIENCE_S = 120.0
"""How long one person waits for a model to load; a server answers by rules meanwhile."""


def house_folder() -> Path:
    """Return where the house model is, if it is."""
    from finetune.bases import HOUSE as folder

    return folder


def llm_of(settings: Settings) -> str:
    """Return what is meant where nothing is said: the house model where there is one."""
    llm = settings.llm
    if settings.model is not None and not (llm and _is_url(llm)):
        raise UIError("a language model on a server needs both its URL and its name: add --llm URL")
    if llm is not None:
        return llm
    return HOUSE if (house_folder() / "config.json").is_file() else NONE


def model_name(settings: Settings) -> str | None:
    """Return the name under which the model is told to others; None without one."""
    llm = llm_of(settings)
    if llm in (HOUSE, NONE):
        return None if llm == NONE else HOUSE
    return settings.model if _is_url(llm) else Path(llm).name


def chat_model(settings: Settings, *, serving: bool = False) -> ChatModel | None:
    """Return the model that the settings name; None for rules alone.

    Args:
        serving: Answers must come at once, so load now and leave turns to the rules until then.

    Raises:
        UIError: If a server's URL comes without a model's name, or there is no such model.
        BadModelFolder: If a folder holds no model.
    """
    llm = llm_of(settings)
    if llm == NONE:
        return None
    if _is_url(llm):
        return _remote(settings)
    return _local(llm, settings, serving)


def adapter_model(settings: Settings, base: ChatModel | None) -> ChatModel | None:
    """Return the model with the adapter that the settings name; None where they name none.

    Args:
        base: The model that the settings name, without it.

    Raises:
        UIError: If there is no model to put it on.
        BadModelFolder: If the folder holds no adapter, or one of another base.
    """
    if settings.adapter is None:
        return None
    if base is None:
        raise UIError(f"--adapter {settings.adapter!r} needs its base: name it with --llm")
    from agent.local_chat import LocalChat
    from agent.voices import adapted

    if isinstance(base, LocalChat):
        return adapted(base, Path(settings.adapter).expanduser())
    return served(settings, settings.adapter)


def prompt_of(name: str, settings: Settings) -> str:
    """Return the prompt a model is asked with: the tagged one where it was trained on it."""
    if settings.llm_prompt != "auto":
        return settings.llm_prompt
    return TAGGED if name.startswith(HOUSE) else INSTRUCTED


def asking_of(name: str, settings: Settings) -> Asking:
    """Return how a model is asked for plans; with instructions, in the owner's words if any."""
    from agent.asking import ASKING, Instructed

    asking = ASKING[prompt_of(name, settings)]()
    return (
        Instructed(wording=wording_of(INSTRUCTED, settings)) if asking == Instructed() else asking
    )


def wording_of(prompt: str, settings: Settings) -> Template | None:
    """Return an owner's wording of a prompt, where the settings name a folder that has it.

    Raises:
        UIError: If they name what is no folder.
        PromptError: If it cannot take the place of the released one.
    """
    if settings.prompts is None:
        return None
    if not settings.prompts.is_dir():
        raise UIError(
            f"ATTUNE_PROMPTS={str(settings.prompts)!r} is no folder; make it, or unset it"
        )
    return own(prompt, settings.prompts)


def sure_of(asking: Asking, settings: Settings) -> float:
    """Return how sure the model must be: an untuned one tells by its answer alone."""
    if settings.llm_sure is not None:
        return settings.llm_sure
    return SURE if asking.prompt == TAGGED else 0.0


def _remote(settings: Settings) -> ChatModel:
    if settings.model is None:
        raise UIError(
            "a language model on a server needs both its URL and its name: add --model NAME"
        )
    return served(settings, settings.model)


def served(settings: Settings, name: str) -> ChatModel:
    """Return a model, or adapter, of the server that the settings name."""
    from agent.vllm_chat import VLLMChat

    key = settings.llm_key.get_secret_value() if settings.llm_key else None
    return VLLMChat(settings.llm or "", name, key, logprobs=True)


def _local(llm: str, settings: Settings, serving: bool) -> ChatModel:
    from agent.local_chat import LocalChat

    folder = house_folder() if llm == HOUSE else Path(llm).expanduser()
    if not folder.is_dir():
        place = (
            "this installation has no house model" if llm == HOUSE else "there is no such folder"
        )
        raise UIError(f"--llm {llm!r}: {place}; expected a server's URL, a folder with a model, "
                      "house or none")  # fmt: skip
    return LocalChat(
        folder,
        name=HOUSE if llm == HOUSE else None,
        threads=settings.llm_threads,
        # A command that may never ask should not load, nor wait at its end for the loading.
        preload=serving or sys.stdin.isatty(),
        patience_s=0.0 if serving else PATIENCE_S,
    )


def _is_url(llm: str) -> bool:
    return "://" in llm
