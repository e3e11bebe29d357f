"""The tools of a project directory: OpenAPI files under `tools/`, each with its server."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from agent.tools.spec import BadTool, Tool, read_document, read_tools

FOLDER = "tools"
SUFFIXES = (".json", ".yaml", ".yml")


def files_of(project: Path) -> list[Path]:
    """Return the files of tools of a project, by name."""
    folder = project / FOLDER
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(path for path in found if path.suffix in SUFFIXES)


def load(project: Path) -> tuple[Tool, ...]:
    """Return the tools of a project.

    Raises:
        BadTool: If a file cannot be used, or two files have a tool of one name.
    """
    tools: dict[str, Tool] = {}
    for path in files_of(project):
        for tool in read_tools(read_document(path), path.stem):
            if tool.name in tools:
                raise BadTool(f"{tool.name!r} is in {tools[tool.name].source!r} and in "
                              f"{tool.source!r}; rename one, or remove a file")  # fmt: skip
            tools[tool.name] = tool
    return tuple(tools.values())


def add(file: Path, url: str | None, project: Path) -> tuple[Tool, ...]:
    """Put an OpenAPI file's tools into a project, in place of those of the same file name.

    Args:
        url: Where they are called; the file's own server by default.

    Raises:
        BadTool: If it cannot be used; the project stays as it was.
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-") or "tools"
    document = dict(read_document(file))
    if url is not None:
        document["servers"] = [{"url": url}]
    tools = read_tools(document, name)
    others = {tool.name: tool for tool in load(project) if tool.source != name}
    taken = [tool for tool in tools if tool.name in others]
    if taken:
        where = others[taken[0].name].source
        raise BadTool(f"{taken[0].name!r} is in {where!r} already; rename it, or remove that file")
    target = project / FOLDER / f"{name}.json"
    target.parent.mkdir(exist_ok=True)
    # Written beside and renamed, so that a server that starts meanwhile reads one or the other.
    beside = target.with_suffix(".new")
    beside.write_text(json.dumps(document, ensure_ascii=False, indent=2), encoding="utf-8")
    os.replace(beside, target)
    for old in (target.with_suffix(suffix) for suffix in SUFFIXES[1:]):
        old.unlink(missing_ok=True)
    return tools


def remove(name: str, project: Path) -> Path:
    """Remove a file of tools from a project; return which.

    Raises:
        BadTool: If there is none of that name.
    """
    for path in files_of(project):
        if name in (path.stem, path.name):
            path.unlink()
            return path
    there = ", ".join(path.stem for path in files_of(project)) or "none"
    raise BadTool(f"no file of tools called {name!r}; there are: {there}")
