"""The annotated file tree of the README: each file with the first sentence of its docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

COLUMN = 26
TOLD = {
    "Makefile": "chat, demo, test, check, test-all, docs; each makes .venv itself",
    "pyproject.toml": "pinned dependencies, extras [onnx] [postgres] [train] [dev], tool settings",
    ".ci/run": "what must pass before a change is taken",
    "ui": "What people touch: the command line and the terminal",
    "agent": "The conversation: understanding, recommending, replying, remembering, serving",
    "agent/migrations": "Alembic's migrations of the session store, in order",
    "agent/strings": "What the assistant says, as TOML",
    "benchmarks": "What measures; results are JSON, and the figures below are made from it",
    "benchmarks/results": "Measured figures",
    "benchmarks/turns.toml": "The sessions that `turns.py` holds",
    "finetune/data": "Hand-labelled dialogues, and how they are labelled",
    "prompts/schemas": "JSON schemas of what a model answers",
    "prompts/templates": "Prompts by name and version; a released one is never edited",
    "docs": "See docs/README.md",
    "tests": "One folder for each package, one file for each module",
}
"""What Python files cannot say about themselves."""

PACKAGES = ("ui", "finetune", "agent", "prompts", "retrieval", "benchmarks")
UNLISTED = ("__init__.py", "__main__.py")


def tree(root: Path) -> str:
    """Return the tree as text: top-level files, packages top down with their modules, tests."""
    lines = [_line(name, _about(root / name, root), 0) for name in ("Makefile", "pyproject.toml")]
    lines.append(_line(".ci/run", TOLD[".ci/run"], 0))
    for package in PACKAGES:
        lines.append(_line(f"{package}/", _about(root / package, root), 0))
        lines += [_line(name, about, 1) for name, about in _entries(root / package, root)]
    lines += [_line(f"{name}/", TOLD[name], 0) for name in ("docs", "tests")]
    return "```\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def _entries(package: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the modules and folders of a package, each with what it is."""
    for path in sorted(package.iterdir()):
        if path.is_dir() and _holds_files(path):
            yield f"{path.name}/", _about(path, root)
        elif path.suffix == ".py" and path.name not in UNLISTED:
            yield path.name, _about(path, root)


def _holds_files(folder: Path) -> bool:
    return folder.name != "__pycache__" and any(path.is_file() for path in folder.rglob("*"))


def _about(path: Path, root: Path) -> str:
    told = TOLD.get(path.relative_to(root).as_posix())
    if told is not None:
        return told
    source = path / "__init__.py" if path.is_dir() else path
    return first_sentence(source.read_text("utf-8")) if source.exists() else ""


def first_sentence(source: str) -> str:
    """Return the first sentence of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(source)) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[^.])\.(?:\s|$)", paragraph, maxsplit=1)[0]


def _line(name: str, about: str, depth: int) -> str:
    return f"{'  ' * depth + name:<{COLUMN}}{about}".rstrip()
