"""Who words explanations, made from the settings, and the evaluation of explanations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.explain_prompt import Prompt
from agent.llm import ChatModel
from ui.chat_models import adapter_model, chat_model, prompt_of, wording_of
from ui.errors import UIError
from ui.settings import Settings

if TYPE_CHECKING:
    from agent.explainer import LLMExplainer


def make_explainer(settings: Settings, chat: ChatModel | None) -> LLMExplainer | None:
    """Return what words explanations with a model, where the settings ask for one.

    Raises:
        UIError: If a model is asked for and there is none.
    """
    if settings.explainer == "template":
        return None
    if chat is None:
        raise UIError("ATTUNE_EXPLAINER='model' needs a language model: name one with --llm")
    return _explainer(settings, chat, chat)


def _explainer(settings: Settings, chat: ChatModel, base: ChatModel) -> LLMExplainer:
    from agent.explainer import LLMExplainer

    tuned = prompt_of(base.name, settings) == "plan@2"
    prompt: Prompt = "explain@1" if tuned else "explain@2"
    wording = wording_of("explain@2", settings)
    return LLMExplainer(chat, settings.explain_s, prompt=prompt, wording=wording)


def explanations(catalog: Path | None, settings: Settings, n: int, seed: int) -> dict[str, Any]:
    """Return the report on explanations over a catalog file, or over every catalog that is here.

    The template is measured; with a model named in the settings, the model's words too.
    """
    from finetune.catalogs import FILES, open_catalog
    from finetune.explanations import evaluate
    from retrieval.loading import load

    if catalog is not None:
        loaded = load([catalog])
        catalogs = {loaded.name: loaded}
    else:
        found = {name: open_catalog(name) for name in ("demo", *FILES)}
        catalogs = {name: one for name, one in found.items() if one is not None}
    named = settings.llm not in (None, "none")
    base = chat_model(settings) if named or settings.adapter else None
    chat = adapter_model(settings, base) or base
    explainer = _explainer(settings, chat, base) if chat and base else None
    return evaluate(catalogs, n=n, seed=seed, explainer=explainer, false_texts=4 * n)
