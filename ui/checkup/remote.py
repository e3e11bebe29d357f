"""A server that runs somewhere: reachable, ready, closed to strangers, its clock and its work.

Nothing is changed there: it is asked only, and for its options.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import perf_counter
from urllib.parse import urlsplit

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from agent.observability.readiness import LONG_S
from ui.checkup.findings import Check, Finding, fail, note, ok, warn

_SKEW_S = 5.0
_STRANGER = "https://attune-doctor.example"


@dataclass(frozen=True, slots=True)
class Server:
    """A server as it is reached.

    Args:
        key: What it is asked with where a key is needed.
    """

    client: httpx2.Client
    url: str
    key: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def get(self, path: str, *, key: bool = False, **headers: str) -> httpx2.Response:
        """Ask for a path, with the key or without."""
        own = {"Authorization": f"Bearer {self.key}"} if key and self.key else {}
        return self.client.get(f"{self.url}{path}", headers={**own, **headers})


def checks(server: Server) -> list[tuple[str, Check]]:
    """Return what is looked at, in order."""
    return [
        ("server", lambda: reached(server)),
        ("ready", lambda: ready(server)),
        ("access", lambda: access(server)),
        ("key", lambda: key(server)),
        ("browsers", lambda: browsers(server)),
        ("work", lambda: work(server)),
    ]


def reached(server: Server) -> Iterator[Finding]:
    """Look whether it answers, how, and what its clock says."""
    start = perf_counter()
    try:
        answer = server.get("/health")
    except httpx2.HTTPError as error:
        said = str(error) or type(error).__name__
        advice = "is it up, is the port open, is the certificate good for this name?"
        yield fail("server", f"{server.url} cannot be reached: {said}", advice)
        return
    ms = (perf_counter() - start) * 1000
    if answer.status_code != 200 or "status" not in answer.text:
        yield fail("server", f"/health answers {answer.status_code}",
                   "is this the address of an Attune server?")  # fmt: skip
        return
    yield ok("server", f"answers in {ms:.0f} ms")
    if server.url.startswith("https:"):
        yield ok("TLS", "the certificate is good for this name")
    elif server.is_local:
        yield note("TLS", "none, on this machine alone")
    else:
        yield fail("TLS", "none: keys and what people write travel in the clear",
                   "put a proxy with TLS before it, see docs/deploy.md")  # fmt: skip
    yield from _clock(answer.headers)


def _clock(headers: Mapping[str, str]) -> Iterator[Finding]:
    try:
        theirs = parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return
    skew = abs((theirs - datetime.now(UTC)).total_seconds())
    if skew > _SKEW_S:
        yield warn("clock", f"{skew:.0f} s apart from this machine's", "run NTP on both")
    else:
        yield ok("clock", "agrees with this machine's")


def ready(server: Server) -> Iterator[Finding]:
    """Look whether it takes turns, and what it warns of."""
    answer = server.get("/ready")
    said = answer.json()
    for reason in said.get("reasons", []):
        yield fail("ready", reason, "see the server's log")
    for warning in said.get("warnings", []):
        yield warn("ready", warning, "see the server's log")
    if answer.status_code == 200:
        yield ok("ready", f"takes turns on {said['catalog'] or 'several tenants'}")


def access(server: Server) -> Iterator[Finding]:
    """Look whether strangers are kept out."""
    is_open = server.get("/v1/models").status_code == 200
    if not is_open:
        yield ok("access", "a key is needed")
    elif server.is_local:
        yield note("access", "open, on this machine alone")
    else:
        yield fail("access", "anybody who reaches it can use it",
                   "attune keys add; and leave ATTUNE_AUTH unset")  # fmt: skip
    if not is_open and server.get("/metrics").status_code == 200:
        yield fail("metrics", "anybody can read /metrics", "let only the scraper reach it")


def key(server: Server) -> Iterator[Finding]:
    """Look whether the key that was given is good."""
    if server.key is None:
        yield note("key", "none given: only what needs none was looked at", "--key, or ATTUNE_KEY")
        return
    status = server.get("/v1/models", key=True).status_code
    if status == 200:
        yield ok("key", "good for chat")
    elif status == 403:
        yield note("key", "good, but not for chat")
    else:
        yield fail("key", f"not taken ({status})", "attune keys list; attune keys add")


def browsers(server: Server) -> Iterator[Finding]:
    """Look whether web pages of strangers may call."""
    answer = server.client.options(
        f"{server.url}/v1/sessions",
        headers={"Origin": _STRANGER, "Access-Control-Request-Method": "POST"},
    )
    if answer.headers.get("access-control-allow-origin") in ("*", _STRANGER):
        yield warn("browsers", "pages of any site may call it",
                   "name the origins of your own pages instead of *")  # fmt: skip
    else:
        yield ok("browsers", "pages of unknown sites may not call it")


def work(server: Server) -> Iterator[Finding]:
    """Look at what its metrics tell, where the key may see them."""
    answer = server.get("/metrics", key=True)
    if answer.status_code != 200:
        yield note("work", "jobs and errors were not looked at", "give a key with scope admin")
        return
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for one in family.samples:
            name = f"{one.name}:{one.labels['status']}" if "status" in one.labels else one.name
            found[name] = found.get(name, 0.0) + one.value
    if dead := int(found.get("attune_jobs:dead", 0)):
        yield warn("jobs", f"{dead} were given up", "attune jobs list --status dead")
    oldest = found.get("attune_jobs_oldest_waiting_seconds", 0.0)
    if oldest > LONG_S:
        yield fail("jobs", f"the oldest waits for {oldest / 60:.0f} min", "is its worker alive?")
    elif not dead:
        yield ok("jobs", "none wait long, none was given up")
    turns = found.get("attune_turns_total", 0.0)
    fallbacks = found.get("attune_planner_fallbacks_total", 0.0)
    if turns >= 20 and fallbacks > turns / 4:
        yield warn("model", f"rules stood in for it in {fallbacks / turns:.0%} of turns",
                   "attune_planner_fallbacks_total says why")  # fmt: skip
