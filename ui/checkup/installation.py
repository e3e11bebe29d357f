"""The installation: Python, the libraries, and where traces are sent."""

from __future__ import annotations

import os
import platform
import re
import socket
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from urllib.parse import urlsplit

from agent.observability import tracing
from ui.checkup.findings import Finding, fail, note, ok, warn

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)")
_CONNECT_S = 3.0


def python() -> Iterator[Finding]:
    """Look at Python and the libraries that are always needed."""
    wrong, missing = [], []
    for line in requires("attune") or []:
        found = _PIN.match(line)
        if found is None or "extra ==" in line:
            continue
        name, wanted = found.groups()
        try:
            have = version(name)
        except PackageNotFoundError:
            missing.append(name)
            continue
        if have.partition("+")[0] != wanted:  # +cpu and the like are builds of one version
            wrong.append(f"{name} {have} (tested with {wanted})")
    said = f"attune {version('attune')} on Python {platform.python_version()}"
    if missing:
        yield fail("installation", f"{said}; lacking: {', '.join(missing)}",
                   "pip install attune again, in a new virtual environment")  # fmt: skip
    elif wrong:
        yield warn("installation", f"{said}; other versions: {', '.join(wrong[:5])}",
                   "pip install attune again: these versions are not tested together")  # fmt: skip
    else:
        yield ok("installation", f"{said}, libraries as tested")


def traces() -> Iterator[Finding]:
    """Look at where traces go, if anywhere."""
    named = [name for name in tracing.ENDPOINTS if os.environ.get(name)]
    if not tracing.wanted():
        yield note("traces", "off", f"set {tracing.ENDPOINTS[0]} to send them to a collector")
        return
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    except ModuleNotFoundError:
        yield fail("traces", f"{named[0]} is set, but OpenTelemetry is missing",
                   "pip install 'attune[otel]'")  # fmt: skip
        return
    url = urlsplit(os.environ[named[-1]])
    place = f"{url.hostname}:{url.port or 4318}"
    try:
        socket.create_connection((url.hostname or "", url.port or 4318), _CONNECT_S).close()
    except OSError as error:
        yield warn("traces", f"nothing answers at {place} ({error.strerror or error})",
                   "start the collector, or unset the variable; turns go on")  # fmt: skip
        return
    yield ok("traces", f"a collector listens at {place}")
