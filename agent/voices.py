"""Voices made of language models: the part that a model, with or without an adapter, has in turns.

One place says how plans, choices and words come from a model, so that what is measured
(`finetune.gate`, `finetune.simulator`) is what is served (`ui.wiring`). This module loads no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from agent.asking import Asking, Tagged
from agent.explain_prompt import Prompt
from agent.explainer import LLMExplainer
from agent.llm import ChatModel
from agent.llm_planner import LLMPlanner
from agent.local_chat import AdaptedChat, LocalChat
from agent.model_folder import check_adapter
from agent.planner import RulePlanner
from agent.ports import Retriever
from agent.reward import ImplicitReward, Scorer
from agent.reward_chooser import RewardChooser
from agent.taught import Taught, has, taught_by
from agent.voice import Voice
from prompts import Template

SURE = 0.2
"""Confidence the house model needs for its plan; found on half of the dev2 labels, which it is not
trained on (docs/house.md)."""

CHOOSE_S = 1.0
"""Deadline for choosing one slate, where people wait."""

MEASURING_S = 60.0
"""Deadline where voices are measured: figures must not depend on how busy the machine is."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """How the models over one catalog, all of one base, take their part in turns.

    Args:
        asking: How they are asked for plans.
        sure: Least confidence at which their plans count.
        explains: The prompt by which they word explanations; None leaves that to the templates.
        plan_s, explain_s, choose_s: Deadlines, in seconds, for a plan, the words on one item, and
            choosing one slate.
        wording: Of explain@2, in an owner's words.
    """

    retriever: Retriever
    asking: Asking
    sure: float
    explains: Prompt | None = None
    plan_s: float = 3.0
    explain_s: float = 5.0
    choose_s: float = CHOOSE_S
    wording: Template | None = None

    def voice(
        self, model: ChatModel, base: ChatModel | None = None, taught: Taught = None
    ) -> Voice:
        """Return the voice of a model; with its base, also what tuning has taught it is used.

        Args:
            base: What the model was tuned from. What it was taught shows only beside that, and
                where both can score answers; without, the search alone chooses.
            taught: The stages that tuning taught; in the others the base speaks.
        """
        reward = _reward(model, base)
        plans = model if base is None or has(taught, "plan") else base
        words = model if base is None or has(taught, "explanation") else base
        planner = LLMPlanner(
            plans, RulePlanner(self.retriever.facets), deadline_s=self.plan_s, asking=self.asking,
            sure=self.sure, reward=reward if has(taught, "plan") else None,
        )  # fmt: skip
        explainer = (
            LLMExplainer(words, self.explain_s, prompt=self.explains, wording=self.wording)
            if self.explains
            else None
        )
        chooser = None
        if reward is not None and has(taught, "choice"):
            chooser = RewardChooser(reward, deadline_s=self.choose_s)
        return Voice(model.name, planner, explainer, chooser)


def _reward(model: ChatModel, base: ChatModel | None) -> ImplicitReward | None:
    if isinstance(model, Scorer) and isinstance(base, Scorer):
        return ImplicitReward(model, base)
    return None


def house_voice(
    chat: LocalChat, retriever: Retriever, adapter: Path | None = None, *, explains: bool = False
) -> Voice:
    """Return the voice of the house model, or of an adapter on it, as it is served.

    Only the deadlines differ, which are long. Voices of one `chat` share the base; an adapter is
    loaded once.

    Args:
        explains: Whether it words explanations too.

    Raises:
        BadModelFolder: If the folder holds no adapter, or one of another base.
    """
    speaking = Speaking(
        retriever, Tagged(), SURE, "explain@1" if explains else None, plan_s=MEASURING_S,
        explain_s=MEASURING_S, choose_s=MEASURING_S,
    )  # fmt: skip
    if adapter is None:
        return speaking.voice(chat)
    return speaking.voice(adapted(chat, adapter), chat, taught_by(adapter))


def adapted(chat: LocalChat, folder: Path) -> AdaptedChat:
    """Return a model with the adapter of a folder, loaded now if it was not yet.

    It is named after the folder and its content, so that one trained anew is another one.

    Raises:
        BadModelFolder: If the folder holds no adapter, or one of another base.
    """
    check_adapter(folder, chat.folder)
    weights = (folder / "adapter_model.safetensors").read_bytes()
    name = f"{folder.name}-{sha256(weights).hexdigest()[:8]}"
    return chat.with_adapter(name) if name in chat.adapters else chat.load_adapter(name, folder)
