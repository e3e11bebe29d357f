"""A connection to Qdrant: a cluster by URL, or the client's local mode. Knows no items.

Whatever goes wrong becomes an `IndexError_` that says where, what and what to do, and never holds
the API key. Local mode (":memory:" or "path:/folder") is for tests: it compares everything, builds
no payload index and answers one thread at a time.
"""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from retrieval.errors import IndexError_, IndexLocked

MINIMUM_VERSION = (1, 17)
"""First version with payload indexes that add no links to the graph."""
TIMEOUT_SECONDS = 60
MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how a new collection is laid out there.

    Args:
        url: Without password and options, as it may be shown.
        location: ":memory:", "path:/folder", or the URL that is connected to.
        grpc: Port of the gRPC interface; 0 to talk REST only.
        shards, replicas: Of a collection that is created; 0 leaves it to the server.
    """

    url: str
    location: str
    grpc: int = 0
    shards: int = 0
    replicas: int = 0

    @property
    def local(self) -> bool:
        """Return whether this is the client's local mode."""
        return self.location == ":memory:" or self.location.startswith("path:")


def parse_address(url: str) -> Address:
    """Return what a URL says, e.g. "https://host:6333?grpc=6334&shards=6&replicas=2".

    Raises:
        IndexError_: If it is none, or has an option that is unknown or not a number.
    """
    if url == ":memory:" or url.startswith("path:"):
        return Address(url, url)
    try:
        parts = urlsplit(url)
        options = {name: int(value) for name, value in parse_qsl(parts.query, strict_parsing=True)}
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        shown = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        plain = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
        if known:
            return Address(shown, plain, **options)
    except (ValueError, TypeError):
        pass
    raise IndexError_(
        f"expected the URL of a Qdrant server like https://host:6333, with ?grpc=PORT, shards=N or "
        f"replicas=N where wanted, got {url.rpartition('@')[2]!r}"
    )


class Server:
    """A connection. Close it when done.

    Raises:
        IndexError_: If qdrant-client is missing, or nothing at the address is a Qdrant server that
            lets this key in and is new enough.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        try:
            import grpc
            from qdrant_client.http.exceptions import ApiException
        except ImportError as error:
            raise IndexError_(
                "engine 'qdrant' needs the package qdrant-client; pip install 'attune[qdrant]'"
            ) from error
        self.address = parse_address(url)
        self._key = api_key or ""
        self._lock = threading.Lock()
        # Local mode raises plain ValueErrors, closed clients RuntimeErrors.
        self._errors = (ApiException, grpc.RpcError, ValueError, RuntimeError, OSError)
        self._closed = False
        with self._named("connect"):
            self._client = self._connect()
        try:
            self._check_version()
        except BaseException:
            self.close()
            raise

    @property
    def local(self) -> bool:
        """Return whether this is the client's local mode."""
        return self.address.local

    def _connect(self) -> Any:
        from qdrant_client import QdrantClient

        place = self.address
        if place.location == ":memory:":
            return QdrantClient(place.location, force_disable_check_same_thread=True)
        if place.local:
            folder = place.location.removeprefix("path:")
            return QdrantClient(path=folder, force_disable_check_same_thread=True)
        with warnings.catch_warnings():
            # A key sent without TLS is the operator's decision, and the docs say so.
            warnings.filterwarnings("ignore", message="Api key is used with an insecure")
            return QdrantClient(
                url=place.location,
                prefer_grpc=place.grpc > 0,
                grpc_port=place.grpc or 6334,
                api_key=self._key or None,
                timeout=TIMEOUT_SECONDS,
                check_compatibility=False,
            )

    def _check_version(self) -> None:
        if self.local:
            return
        version = str(self.ask("info").version)
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
        if numbers < MINIMUM_VERSION:
            wanted = ".".join(map(str, MINIMUM_VERSION))
            raise IndexError_(
                f"the Qdrant server at {self.address.url} is version {version}; "
                f"{wanted} or newer is needed: update the server"
            )

    def ask(self, call: str, **arguments: Any) -> Any:
        """Return what the client's method of this name returns.

        Raises:
            IndexError_: If the server cannot be reached, refuses or fails.
        """
        if self._closed:
            raise IndexError_(f"the index at {self.address.url} is closed; open it again")
        lock = self._lock if self.local else contextlib.nullcontext()
        with self._named(call), lock:
            return getattr(self._client, call)(**arguments)

    @contextlib.contextmanager
    def _named(self, call: str) -> Iterator[None]:
        """Turn what goes wrong inside into an error that says where and what to do."""
        try:
            yield
        except self._errors as error:
            raise self._explained(call, error) from error

    def _explained(self, call: str, error: Exception) -> IndexError_:
        where = f"the Qdrant server at {self.address.url}"
        cause = getattr(error, "source", error)
        status = getattr(error, "status_code", None)
        code = str(error.code()) if hasattr(error, "code") else ""
        said = " ".join(str(cause).split())[:MESSAGE_CHARACTERS] or type(cause).__name__
        said = said.replace(self._key, "***") if self._key else said
        if "already accessed by another instance" in said:
            return IndexLocked(f"{self.address.url} is open in another process: {said}")
        if status in (401, 403) or "UNAUTHENTICATED" in code or "PERMISSION_DENIED" in code:
            return IndexError_(
                f"{where} refuses {'this API key' if self._key else 'to answer without an API key'}"
                f" ({call}): set ATTUNE_INDEX_KEY to one that may do that"
            )
        if "Timeout" in type(cause).__name__ or "DEADLINE" in code:
            return IndexError_(
                f"{where} gave no answer within {TIMEOUT_SECONDS} seconds ({call}): "
                f"look at its load, then try again"
            )
        if "Connect" in type(cause).__name__ or "UNAVAILABLE" in code:
            return IndexError_(
                f"cannot reach {where} ({call}): {said}; check the URL and that it is running"
            )
        return IndexError_(f"{where} could not {call}: {said}")

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if not self._closed:
            self._closed = True
            with self._lock if self.local else contextlib.nullcontext():
                self._client.close()
