"""Have schemathesis send thousands of requests to a served shop, as /openapi.json describes them.

    python benchmarks/api_fuzz.py [--examples N] [--seed N] [--out JSON] [--keep DIR] [--docs]

`attune serve` runs as a process of its own over a small shop, with keys; every route is called with
a key of all scopes, in all of schemathesis' phases (examples, coverage, fuzzing, stateful) and with
valid and invalid data. Writes how many requests there were, by route and status, and what failed
which check. Exit code 1 where there was a server error or another failure. With --docs the figures
in docs/security.md are written again from the result.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from agent.access.keyring import Keyring
from agent.access.keys import SCOPES
from agent.store import Store
from retrieval.encoder import HashingEncoder
from retrieval.loading import load
from retrieval.retriever import Retriever

ROOT = Path(__file__).parents[1]
OUT = ROOT / "benchmarks" / "results" / "schemathesis.json"
DOCS = ROOT / "docs" / "security.md"
_BLOCK = re.compile(r"(<!-- api-fuzz -->\n).*?(<!-- /api-fuzz -->)", re.DOTALL)
OPERATOR = "operator-key-of-the-fuzz"

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance", "negative_data_rejection",
    "missing_required_header", "unsupported_method", "allow_header_conformance", "use_after_free",
    "ignored_auth",
)  # fmt: skip

MEANT = {
    ("unsupported_method", "GET /v1/users/{user}/export"):
        "DELETE /v1/users/{user} takes any name, also one that ends in /export",
}  # fmt: skip
"""Failed checks that are as they should be, and why; they are counted apart."""


def write_catalog(path: Path) -> None:
    """Write a shop of 60 items."""
    colours, kinds = ("Blue", "Navy", "Red", "Black", "White", "Green"), ("Shirts", "Shoes")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "category", "colour", "price", "in_stock"])
        for n in range(60):
            colour, kind = colours[n % 6], kinds[n % 2]
            writer.writerow([f"i{n}", f"{colour} {kind} {n}", kind, colour, f"{10 + n}.50 EUR",
                             "yes" if n % 5 else "no"])  # fmt: skip


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """Serve the shop; yield a key of all scopes."""
    write_catalog(folder / "catalog.csv")
    project = folder / "project"
    Retriever.build(load([folder / "catalog.csv"]), project, encoder=HashingEncoder())
    store = Store(f"sqlite:///{(project / 'sessions.db').absolute()}")
    key = Keyring(store.database).add("fuzz", SCOPES)[1]
    store.close()
    env = {**os.environ, "ATTUNE_LLM": "none", "ATTUNE_HOME": str(folder), "OMP_NUM_THREADS": "1",
           "ATTUNE_ADMIN_KEY": OPERATOR}  # fmt: skip
    command = [sys.executable, "-m", "ui", "serve", str(project), "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        try:
            _wait(server, port)
            yield key
        finally:
            server.terminate()
            server.wait(30)


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("the server ended; see server.log")
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the server does not answer")


def fuzz(folder: Path, port: int, key: str, examples: int, seed: int) -> int:
    """Run schemathesis; return its exit code."""
    report = folder / "report.ndjson"
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run",
        f"http://127.0.0.1:{port}/openapi.json", "-H", f"Authorization: Bearer {key}",
        "--checks", ",".join(CHECKS), "--mode", "all", "--max-examples", str(examples),
        "--seed", str(seed), "--continue-on-failure", "--suppress-health-check", "all",
        "--request-timeout", "60", "--no-color", "--generation-database", "none", "--no-shrink",
        "--report", "ndjson", "--report-ndjson-path", str(report),
    ]  # fmt: skip
    with (folder / "schemathesis.log").open("w") as log:
        return subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False).returncode


def _events(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            (name, body), *_ = event.items() if len(event) == 1 else [(event.get("type"), event)]
            yield name, body


def counted(path: Path) -> dict[str, Any]:
    """Return the requests of a report by route and status, and the failed checks."""
    statuses: Counter[str] = Counter()
    routes: Counter[str] = Counter()
    phases: Counter[str] = Counter()
    failed: dict[str, list[str]] = {}
    meant = 0
    for name, body in _events(path):
        if name != "ScenarioFinished":
            continue
        recorder = body["recorder"]
        for id, sent in recorder.get("interactions", {}).items():
            response = sent.get("response")
            status = str(response["status_code"]) if response else "none"
            statuses[status] += 1
            phases[body["phase"]] += 1
            routes[recorder["label"]] += 1
            for check in recorder.get("checks", {}).get(id, []):
                if (check["name"], recorder["label"]) in MEANT:
                    meant += check["status"] != "success"
                elif check["status"] != "success":
                    where = f"{sent['request']['method']} {sent['request']['uri']}"[:200]
                    failed.setdefault(check["name"], []).append(f"{status} {where}")
    return {
        "requests": sum(statuses.values()),
        "server_errors": sum(n for status, n in statuses.items() if status.startswith("5")),
        "no_answer": statuses["none"],
        "by_status": dict(sorted(statuses.items())),
        "by_phase": dict(sorted(phases.items())),
        "by_route": dict(sorted(routes.items())),
        "as_meant": {"count": meant, "why": list(MEANT.values())},
        "failures": {check: len(all) for check, all in sorted(failed.items())},
        "failure_examples": {check: all[:10] for check, all in sorted(failed.items())},
    }


def write_docs(result: dict[str, Any]) -> None:
    """Write the figures of the page again."""
    shown = ", ".join(f"{count:,} × {status}" for status, count in result["by_status"].items())
    said = (
        f"{result['date']}, `python benchmarks/api_fuzz.py --examples {result['examples']} --seed "
        f"{result['seed']}` ({result['seconds'] / 60:.0f} minutes): "
        f"{result['requests']:,} requests to {len(result['by_route'])} operations and scenarios: "
        f"{result['server_errors']} server errors, {sum(result['failures'].values())} answers that "
        f"are not as described. Statuses: {shown}."
    )
    if result.get("fixed_since"):
        said += f" Found earlier and fixed: {'; '.join(result['fixed_since'])}."
    text = DOCS.read_text(encoding="utf-8")
    DOCS.write_text(_BLOCK.sub(lambda m: f"{m[1]}{said}\n{m[2]}", text), encoding="utf-8")


def main() -> None:
    """Run everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=300, help="per operation and phase")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--keep", type=Path, help="folder for logs and the report")
    parser.add_argument("--docs", action="store_true", help="only write the page from the result")
    args = parser.parse_args()
    if args.docs:
        write_docs(json.loads(args.out.read_text(encoding="utf-8")))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        with served(folder, args.port) as key:
            code = fuzz(folder, args.port, key, args.examples, args.seed)
        result = counted(folder / "report.ndjson") | {
            "date": date.today().isoformat(),
            "seconds": round(time.perf_counter() - begun), "schemathesis_exit": code,
            "examples": args.examples, "seed": args.seed, "checks": list(CHECKS),
            "python": platform.python_version(),
        }  # fmt: skip
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({k: result[k] for k in ("requests", "server_errors", "failures")}))
    raise SystemExit(1 if result["server_errors"] or result["failures"] else 0)


if __name__ == "__main__":
    main()
