"""`attune simulate`: users with hidden targets talk to the recommender; what came of it."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.errors import UIError
from ui.reports import table

if TYPE_CHECKING:
    from agent.llm import ChatModel
    from agent.reward import ImplicitReward
    from agent.store import Store
    from agent.voice import Voice
    from finetune.contestant import Contestant
    from finetune.simulator import Outcome, Outcomes
    from finetune.simulator.llm_wording import LLMWording
    from finetune.simulator.wording import Wording
    from retrieval.retriever import Retriever
    from ui.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(file_okay=False, path_type=Path)

PATIENT_S = 60.0
"""Nobody waits in a simulation, and its outcome should not depend on how busy the machine is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a simulation is asked to be.

    Args:
        store: URL of the store that keeps the sessions; None: they are thrown away.
        adapter: LoRA adapter that is measured beside its base.
        user_llm, user_model: Server and model that word what users mean; None: phrases.
    """

    population: str = "plain"
    users: int = 200
    seed: int = 0
    store: str | None = None
    adapter: Path | None = None
    user_llm: str | None = None
    user_model: str | None = None


@click.command()
@click.argument("folder", required=False, type=FOLDER, metavar="[DIR]")
@click.option("--users", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", default=0, show_default=True)
@click.option("--population", default="plain", show_default=True, metavar="NAME|TOML",
              help="Who they are: plain, dialect, or a file.")  # fmt: skip
@click.option("--llm", metavar="WHAT", help="What plans turns besides the rules: URL, folder or "
              "house; default: none.")  # fmt: skip
@click.option("--model", metavar="NAME", help="Name of the model on that server.")
@click.option("--adapter", type=FOLDER, metavar="DIR", help="LoRA adapter of that model, measured "
              "beside it on the same users.")  # fmt: skip
@click.option("--user-llm", metavar="URL", help="Server whose model words what users mean; "
              "default: phrases.")  # fmt: skip
@click.option("--user-model", metavar="NAME", help="Name of the model on that server.")
@click.option("--store", metavar="URL", help="Keep sessions and feedback there, e.g. "
              "sqlite:///sim.db; default: thrown away.")  # fmt: skip
@click.option("--out", type=FILE, metavar="JSONL", help="Write the transcripts here.")
@click.option("--by-case", is_flag=True, help="With --json: what each user adds to the figures.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
def simulate(
    folder: Path | None, llm: str | None, model: str | None, out: Path | None, by_case: bool,
    as_json: bool, **asked: Any,
) -> None:  # fmt: skip
    """Let simulated users shop, and say how well they were served."""
    from ui.cli import settings

    given = settings(llm=llm or "none", model=model)
    report, users = simulated(folder, given, Asked(**asked))
    if out is not None:
        write_transcripts(out, users)
    told = {**report, "cases": cases_of(users)} if by_case else report
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else simulation_text(report))


def cases_of(users: Sequence[Outcome]) -> dict[str, dict[str, list[float]]]:
    """Return what each user adds to the figures, so that two reports can be compared in pairs.

    Of an adapter and its base, the adapter's. Whoever looks for another item is another case.
    """
    from finetune.simulator.outcomes import MEASURES

    return {
        f"{one.user} {one.target}": {name: [of(one), 1] for name, of in MEASURES.items()}
        for one in users
        if not one.leaked
    }


def simulated(
    folder: Path | None, settings: Settings, asked: Asked
) -> tuple[dict[str, Any], Sequence[Outcome]]:
    """Return the report of a simulation (default: .attune here, else the demo), and its outcomes.

    With an adapter, the report is the adapter's, with that of its base and the difference in it.
    """
    from finetune import simulator
    from ui import wiring

    population = simulator.read_population(asked.population)
    wording = _Worded(asked)
    retriever = wiring.open_retriever(folder or wiring.default_project(settings), settings)
    try:
        found: list[Outcomes] = []
        for contestant in _contestants(settings, asked.adapter):
            with _store(asked.store) as store:
                found.append(simulator.simulate(
                    contestant, retriever, store, population, asked.users, asked.seed,
                    wording=wording.over(retriever), progress=sys.stderr.isatty(),
                ))  # fmt: skip
    finally:
        retriever.close()
    report = {**found[-1].to_json(), "wording": wording.to_json()}
    if len(found) > 1:
        report["baseline"] = found[0].to_json()
        apart = simulator.differences(found[1], found[0])
        report["difference"] = {name: one.to_json() for name, one in apart.items()}
    return report, [outcome for one in found for outcome in one.users]


def _contestants(settings: Settings, adapter: Path | None) -> list[Contestant]:
    """Return who is measured: what the settings name, and the adapter on it.

    Raises:
        UIError: If an adapter is given without a model in this process that it is of.
    """
    from agent.local_chat import LocalChat
    from agent.reward import ImplicitReward
    from agent.voice import RULES
    from finetune.contestant import Contestant
    from ui.chat_models import chat_model

    chat = chat_model(settings) if settings.llm != "none" else None
    base = Contestant(chat.name if chat else RULES, lambda r: _voice(r, settings, chat))
    if adapter is None:
        return [base]
    if not isinstance(chat, LocalChat):
        raise UIError(f"--adapter {str(adapter)!r} needs its base in this process: add --llm house "
                      "or a model's folder")  # fmt: skip
    tuned = chat.load_adapter(f"{chat.name}-{adapter.name}", adapter)
    reward = ImplicitReward(tuned, chat)
    return [base, Contestant(tuned.name, lambda r: _voice(r, settings, tuned, reward))]


def _voice(
    retriever: Retriever,
    settings: Settings,
    chat: ChatModel | None,
    reward: ImplicitReward | None = None,
) -> Voice:
    """Return the voice of a model, or of one with an adapter, with all the time it needs."""
    from agent.asking import ASKING
    from agent.llm_planner import LLMPlanner
    from agent.planner import RulePlanner
    from agent.reward_chooser import RewardChooser
    from agent.voice import RULES, Voice
    from ui.chat_models import prompt_of, sure_of

    rules = RulePlanner(retriever.facets)
    if chat is None:
        return Voice(RULES, rules)
    asking = ASKING[prompt_of(chat.name, settings)]()
    planner = LLMPlanner(
        chat, rules, deadline_s=PATIENT_S, asking=asking, sure=sure_of(asking, settings),
        reward=reward,
    )  # fmt: skip
    chooser = RewardChooser(reward, deadline_s=PATIENT_S) if reward is not None else None
    return Voice(chat.name, planner, chooser=chooser)


class _Worded:
    """How users' words are found, and what became of a model's."""

    def __init__(self, asked: Asked) -> None:
        if (asked.user_llm is None) != (asked.user_model is None):
            raise UIError("users worded by a model need both --user-llm URL and --user-model NAME")
        self._asked = asked
        self._model: LLMWording | None = None

    def over(self, retriever: Retriever) -> Wording:
        """Return the wording over a catalog."""
        from finetune.simulator.wording import by_phrases

        if self._asked.user_llm is None or self._asked.user_model is None:
            return by_phrases
        if self._model is None:
            from agent.linking import Linker
            from agent.openai_chat import OpenAIChat
            from finetune.simulator.llm_wording import LLMWording

            chat = OpenAIChat(self._asked.user_llm, self._asked.user_model)
            self._model = LLMWording(chat, Linker.build(retriever))
        return self._model

    def to_json(self) -> dict[str, Any]:
        """Return who worded, and how many of a model's wordings were taken or not, and why."""
        if self._model is None:
            return {"by": "phrases"}
        return {"by": self._asked.user_model, **self._model.counts}


@contextmanager
def _store(url: str | None) -> Iterator[Store]:
    """Open the store that is named, or one that goes away again.

    The store of the settings is that of real people, and is left alone.
    """
    from agent.store import Store
    from ui.cli import settings
    from ui.privacy_wiring import secrets_beside

    with tempfile.TemporaryDirectory(prefix="attune-simulate-") as scratch:
        url = url or f"sqlite:///{Path(scratch) / 'sessions.db'}"
        store = Store(url, secrets_beside(url, settings()))
        try:
            yield store
        finally:
            store.close()


def write_transcripts(path: Path, users: Sequence[Outcome]) -> None:
    """Write one line per user: what they wanted, what was said, what came of it."""
    lines = (json.dumps(one.to_json(), ensure_ascii=False) for one in users)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def simulation_text(report: Mapping[str, Any]) -> str:
    """Return the report as text."""
    head = (
        f"{report['name']}: {report['n']:,} users of population {report['population']!r}, seed "
        f"{report['seed']}, {report['leaked']} left out for naming their target; "
        f"{report['sessions_per_s']:.1f} sessions/s"
    )
    parts = {"": report, report.get("baseline", {}).get("name"): report.get("baseline"),
             "difference": report.get("difference")}  # fmt: skip
    lines = [head]
    for title, part in parts.items():
        if part is not None:
            lines += ["", *_table(title or "", part)]
    return "\n".join(lines)


def _table(title: str, part: Mapping[str, Any]) -> list[str]:
    measures = {name: one for name, one in part.items() if isinstance(one, dict) and "low" in one}
    rows = [(title, "mean", "95 % interval")]
    rows += [(name, f"{own['mean']:.3f}", f"{own['low']:.3f} to {own['high']:.3f}")
             for name, own in measures.items()]  # fmt: skip
    return table(rows)
