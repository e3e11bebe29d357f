"""The one place where the parts are made from a project directory and the settings."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from agent.dialogue import Parts, respond
from agent.errors import AgentError
from agent.exploring import GREEDY, Explore, Policy
from agent.knowledge import FOLDER as PAGES
from agent.linking import Linker
from agent.llm import ChatModel
from agent.payload import turn_json
from agent.planner import Planner, RulePlanner
from agent.routing import AdapterRouter
from agent.store import Store
from agent.taught import taught_by
from agent.turn import Done
from agent.voice import RULES, Voice
from retrieval.build import BuildReport
from retrieval.demo import make_demo
from retrieval.encoder import make_encoder
from retrieval.engines import Target
from retrieval.fusion_tuning import tune_fusion
from retrieval.loading import LoadedCatalog, describe, load
from retrieval.project import has_fusion, has_manifest, read_manifest, write_fusion
from retrieval.retriever import Retriever
from retrieval.shared import SharedRetriever
from ui.adapter_serving import make_adapters, make_router, speaking
from ui.chat_models import adapter_model, asking_of, model_name, sure_of
from ui.explaining import make_explainer
from ui.knowledge import add_demo_pages, make_library
from ui.languages_wiring import add_demo_languages, has_languages, make_languages
from ui.privacy_wiring import make_masker, secrets_of
from ui.service_wiring import add_demo_service, has_service, with_desk
from ui.settings import Settings
from ui.shared_models import Models

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = [
    "HERE", "Project", "build", "default_project", "demo_project",
    "describe", "load", "make_app", "make_planner", "make_voice",
    "open_project", "open_retriever", "open_store", "outcome", "session", "turn", "turn_json",
    "understanding",
]  # fmt: skip

WEIGHED = 500
"""A catalog of fewer items says too little on how to weigh words against meaning."""
HERE = Path(".attune")
"""Project directory in the current folder, where none is named."""


def build(
    loaded: LoadedCatalog,
    out: Path,
    settings: Settings,
    target: Target | None = None,
    *,
    progress: bool,
) -> BuildReport:
    """Index a loaded catalog into a project directory; a new one's rankings are weighed as well."""
    encoder = make_encoder(settings.encoder, settings.models, out)
    report = Retriever.build(loaded, out, encoder=encoder, target=target, progress=progress)
    if report.items >= WEIGHED and not has_fusion(out):
        with open_retriever(out, settings) as retriever:
            write_fusion(out, tune_fusion(retriever).fusion)
    return report


def outcome(report: BuildReport, out: Path) -> str:
    """Return what a build did, in one or two lines."""
    parts = {"new": report.added, "changed": report.changed, "unchanged": report.unchanged,
             "deleted": report.deleted}  # fmt: skip
    counts = ", ".join(f"{count:,} {name}" for name, count in parts.items() if count)
    done = (
        f"indexed {report.items:,} items into {out} in {report.seconds:.1f} s ({counts or 'none'})"
    )
    if not report.rejected:
        return done
    return f"{done}\n{report.rejected:,} rejects with row, column and reason: {out / 'rejects.csv'}"


def open_retriever(
    folder: Path,
    settings: Settings,
    *,
    write: bool = False,
    shared: bool = False,
    models: Models | None = None,
) -> Retriever:
    """Open a project directory with the encoder it was built with.

    Args:
        shared: Read and write it beside other servers, through whichever is its writer.
        models: Those of the process, where it opens several projects.
    """
    models = models or Models(settings)
    encoder = models.encoder(read_manifest(folder).encoder, folder)
    url, key = (
        secret.get_secret_value() if secret else ""
        for secret in (settings.index_url, settings.index_key)
    )
    if shared:
        return SharedRetriever.open_shared(folder, encoder, url=url, key=key)
    return Retriever.open(folder, encoder, write=write, url=url, key=key)


def make_planner(
    retriever: Retriever, settings: Settings, chat: ChatModel | None = None
) -> Planner:
    """Return the rule planner, with the language-model planner on top where there is a model."""
    rules = RulePlanner(retriever.facets)
    if chat is None:
        return rules
    from agent.llm_planner import LLMPlanner

    asking = asking_of(chat.name, settings)
    return LLMPlanner(
        chat, rules, deadline_s=settings.deadline_s, asking=asking, sure=sure_of(asking, settings)
    )


def make_voice(retriever: Retriever, settings: Settings, chat: ChatModel | None) -> Voice:
    """Return what answers where no route says otherwise: the adapter, model or rules set."""
    adapter = adapter_model(settings, chat)
    if chat is not None and adapter is not None:
        taught = taught_by(Path(settings.adapter)) if settings.adapter else None
        return speaking(settings, chat, retriever).voice(adapter, chat, taught)
    planner = make_planner(retriever, settings, chat)
    name = RULES if chat is None else chat.name
    return Voice(name, planner, make_explainer(settings, chat))


def policy_of(settings: Settings) -> Policy:
    """Return how slates are made of rankings."""
    return Explore(settings.explore) if settings.explore else GREEDY


def open_store(folder: Path, settings: Settings) -> Store:
    """Open the session store: the one set, else a file in the project directory."""
    url = settings.store or f"sqlite:///{(folder / 'sessions.db').absolute()}"
    return Store(url, secrets_of(folder, settings))


@dataclass(frozen=True, slots=True)
class Project:
    """An opened project directory: what turns are made with, and the catalog behind it."""

    folder: Path
    retriever: Retriever
    parts: Parts
    router: AdapterRouter | None = None

    def close(self) -> None:
        """Release files and locks."""
        if self.router is not None:
            self.router.close()
        self.parts.store.close()
        self.retriever.close()


def open_project(
    folder: Path | None,
    settings: Settings,
    *,
    write: bool = False,
    models: Models | None = None,
    store: Store | None = None,
) -> Project:
    """Open a project directory; without one, what was indexed here, else the demo catalog.

    Args:
        models: Those of the process, where it opens several projects.
        store: Where sessions are kept; by default where the settings say.
    """
    folder = folder if folder is not None else default_project(settings)
    models = models or Models(settings)
    retriever = open_retriever(folder, settings, shared=write, models=models)
    _ = retriever.reranker  # now, so that a broken one is told before the first turn
    # After the encoder: the libraries that both need must not be imported from two threads.
    chat = models.chat(serving=write)
    voice = make_voice(retriever, settings, chat)
    store = store or open_store(folder, settings)
    router = None
    if chat is not None and settings.adapter is None:
        router = make_router(folder, settings, chat, retriever, store)
    linker = Linker.build(retriever)
    parts = Parts(
        store, retriever, linker, voice.planner, explainer=voice.explainer,
        chooser=voice.chooser, voice=voice.name, policy=policy_of(settings), router=router,
        masker=make_masker(linker, retriever, settings),
        languages=make_languages(folder, retriever),
    )  # fmt: skip
    parts = with_desk(parts, retriever, settings)
    if router is not None:
        if not write:  # nobody else is kept waiting until adapters are there
            router.follow()
        router.start()
    return Project(folder, retriever, parts, router)


def session(project: Project, id: str | None) -> str:
    """Return the id of an earlier session, once it is found, or of a new one."""
    if id is None:
        return project.parts.store.create_session()
    return project.parts.store.load(id).id


def turn(project: Project, session_id: str, text: str) -> Done:
    """Take one turn and return it."""
    for event in respond(project.parts, session_id, text):
        if isinstance(event, Done):
            return event
    raise AgentError("the turn ended without an answer")


def make_app(folder: Path | None, settings: Settings, host: str | None = None) -> FastAPI:
    """Return the HTTP API over a project directory or the demo catalog.

    Args:
        host: What the server listens on, on which it depends whether keys are needed; None for an
            app that is called in this process.
    """
    from agent.server import create_app
    from ui.access_wiring import capacity_of, limits_of, rules_of
    from ui.background import live_with
    from ui.owner.routes import add_owner_routes
    from ui.owner.runs import Runs, about_of

    project = open_project(folder, settings, write=True)
    app = create_app(
        project.parts, **served_with(project, settings), limits=limits_of(settings),
        rules=rules_of(settings, host), capacity=capacity_of(settings),
    )  # fmt: skip
    runs = Runs(project.folder, about=about_of(project))
    add_owner_routes(app, project.folder, runs)
    live_with(app, project, settings, runs.close)
    return app


def served_with(project: Project, settings: Settings) -> dict[str, Any]:
    """Return what a server is told of a project beside its parts: models and adapters."""
    model, router = model_name(settings), project.router
    return {
        "models": ("rules",) if model is None else ("rules", model),
        "adapters": make_adapters(project.folder, settings, router) if router else None,
        "library": make_library(project.retriever, settings),
        "pictures": settings.pictures or project.folder / "catalog",
    }


def default_project(settings: Settings) -> Path:
    """Return the project that `attune index` wrote here when not told where, else the demo."""
    return HERE if has_manifest(HERE) else demo_project(settings)


def demo_project(settings: Settings) -> Path:
    """Return the project directory of the demo catalog, made and indexed on first use."""
    folder = settings.home / f"demo-{version('attune')}"
    ready = has_service(folder) and has_languages(folder)
    if not (has_manifest(folder) and has_manifest(folder / PAGES) and ready):
        with _alone(folder):
            _prepare_demo(folder, settings)
            add_demo_pages(folder, settings)
            add_demo_service(folder)
            add_demo_languages(folder)
    return folder


def _prepare_demo(folder: Path, settings: Settings) -> None:
    if has_manifest(folder):  # made by another process while this one waited
        return
    print("Preparing the demo catalog, this once …", file=sys.stderr)
    catalog = make_demo(folder / "catalog")
    build(load([catalog]), folder, settings, progress=sys.stderr.isatty())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time prepare a folder; the others say that they wait."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "preparing.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print("Waiting for another attune to prepare the demo catalog …", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _own_labels() -> dict[str, Path]:
    folder = Path(str(files("finetune"))) / "data"
    return {path.stem: path for path in sorted(folder.glob("understanding_*.jsonl"))}


_APART = ("understanding_dev2", "understanding_heldout")
"""Label sets reported for themselves: the hard voices, and the one held out."""


def understanding(
    labels: Sequence[Path], catalog: Path | None, by_case: bool = False
) -> dict[str, Any]:
    """Return the report on labelled dialogues: those of the project, or of other files.

    Args:
        catalog: Replay only over this file: the labels of the sample catalog it is, or all labels
            that name none of the sample catalogs.
        by_case: Also what each dialogue adds to the figures.
    """
    from finetune.catalogs import FILES
    from finetune.rule_parts import by_rules, rule_parts
    from finetune.understanding import evaluate_files

    sets = {path.stem: path for path in labels} or _own_labels()
    config = {"planner": "rules", "catalog": str(catalog) if catalog else None}
    if catalog is None:
        parts_of = by_rules(next(iter(sets.values())).parent)
        return evaluate_files(sets, parts_of, config, apart=_APART, by_case=by_case)
    parts = rule_parts(load([catalog]))
    return evaluate_files(
        sets, lambda name: parts if FILES.get(name, catalog.name) == catalog.name else None,
        config, by_case=by_case,
    )  # fmt: skip
