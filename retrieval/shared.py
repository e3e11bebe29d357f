"""One catalog served by several processes: all read it, one of them writes it for all.

The process that has the writer's lock listens on a socket in the project's folder. The others send
it what they are asked to write, and answer when it has. When it is gone, the first one that has
something to write takes the lock itself. All of that is on one machine: between machines an index
with a server of its own is read by all, and written by one.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from retrieval import errors
from retrieval.catalog import Item
from retrieval.encoder import make_encoder
from retrieval.engines import Place, Target, open_index
from retrieval.errors import IndexError_, IndexLocked, RetrievalError
from retrieval.item_json import dump_item, load_item
from retrieval.project import read_manifest
from retrieval.query import DurableIndex, Encoder
from retrieval.retriever import Retriever

logger = logging.getLogger(__name__)

SOCKET = "writer.sock"
LONGEST_ADDRESS = 100
"""Bytes that a socket's path may have on every system."""
ANSWER_S = 120.0
"""Longer than a write of many items takes, whose vectors are made first."""


class SharedRetriever(Retriever):
    """A retriever that also takes writes where another process is the writer."""

    _place: Place
    _listener: _Writing | None
    _replaced: list[DurableIndex]

    @classmethod
    def open_shared(
        cls, folder: Path, encoder: Encoder | None = None, *, url: str = "", key: str = ""
    ) -> SharedRetriever:
        """Open a project for reading and writing beside other processes that do the same.

        Raises:
            IndexError_, EncoderMismatch: As `Retriever.open`.
        """
        manifest = read_manifest(folder)
        encoder = encoder or make_encoder(manifest.encoder, project=folder)
        target = Target(
            manifest.engine, (url if manifest.url else "") or manifest.url, manifest.collection, key
        )
        place = target.place(folder, encoder)
        try:
            index, writes = open_index(manifest.engine, place, write=True), True
        except IndexLocked:
            index, writes = open_index(manifest.engine, place, write=False), False
        try:
            opened = cls(folder, manifest, index, encoder)
            opened._place, opened._listener, opened._replaced = place, None, []
            if writes:
                opened._listener = _Writing(opened)
        except BaseException:
            index.close()
            raise
        return opened

    @property
    def writes(self) -> bool:
        """Whether this process is the one that writes."""
        return self._listener is not None

    def upsert(self, items: Sequence[Item]) -> None:
        """Add or replace items; found by the next search, and durable, when this returns."""
        if not self.writes:
            sent = {"upsert": [dump_item(item) for item in items]}
            if self._sent(sent) is not None:
                return
        super().upsert(items)

    def delete(self, ids: Sequence[str]) -> int:
        """Delete items by id; return how many were there."""
        if not self.writes:
            deleted = self._sent({"delete": list(ids)})
            if deleted is not None:
                return deleted
        return super().delete(ids)

    def close(self) -> None:
        """Release files and locks; safe to call twice."""
        if self._listener is not None:
            self._listener.close()
        for index in self._replaced:
            index.close()
        super().close()

    def _sent(self, request: dict[str, Any]) -> int | None:
        """Have the writer do something; None where there is none, and this process is it now.

        Raises:
            IndexError_: If there is a writer, and it does not answer.
        """
        try:
            return ask_writer(self.folder, request)
        except _NoWriter as error:
            with self._lock:
                if not self.writes and not self._take_over():
                    raise IndexError_(
                        f"the process that writes the catalog at {str(self.folder)!r} does not "
                        f"answer ({error}); try again"
                    ) from error
            return None

    def _take_over(self) -> bool:
        """Become the writer where nobody is; return whether this process is it now."""
        try:
            index = open_index(self.manifest.engine, self._place, write=True)
        except IndexLocked:
            return False
        # The one that reads stays open: searches may be under way in it, and linkers keep it.
        self._replaced.append(self._durable)
        self.index, self._durable = index, index
        self._listener = _Writing(self)
        logger.warning("process %d writes the catalog at %s now", os.getpid(), self.folder)
        return True


class _NoWriter(Exception):
    """Nobody listens where the writer's file says."""


def ask_writer(folder: Path, request: dict[str, Any]) -> int:
    """Send a request to the writer of a project and return how many items it was about.

    Raises:
        RetrievalError: As the writer raised it.
        _NoWriter: If nobody listens.
    """
    try:
        with _address(folder) as address, Client(address, "AF_UNIX") as line:
            line.send_bytes(json.dumps(request).encode())
            if not line.poll(ANSWER_S):
                raise IndexError_(f"the catalog's writer took longer than {ANSWER_S:g} s")
            answer = json.loads(line.recv_bytes())
    except (OSError, EOFError) as error:
        # If it died after it wrote, the write is done twice, which changes nothing.
        raise _NoWriter(type(error).__name__) from error
    if "error" in answer:
        kind = getattr(errors, answer["error"], RetrievalError)
        raise kind(answer["message"])
    return int(answer["done"])


class _Writing:
    """Listens for what other processes want written."""

    def __init__(self, retriever: SharedRetriever) -> None:
        self._retriever = retriever
        self._closed = False
        # Left by a writer that was killed; this one has its lock.
        (retriever.folder / SOCKET).unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with _address(retriever.folder) as address:
            self._socket.bind(address)
        (retriever.folder / SOCKET).chmod(0o600)
        self._socket.listen(64)
        threading.Thread(target=self._listen, name="attune-writer", daemon=True).start()

    def _listen(self) -> None:
        while not self._closed:
            try:
                line = Connection(self._socket.accept()[0].detach())
            except OSError:
                continue  # closed, or somebody left before being heard
            if self._closed:
                line.close()
                return
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: Connection[Any, Any]) -> None:
        with line, suppress(OSError, EOFError):
            line.send_bytes(json.dumps(self._answer(json.loads(line.recv_bytes()))).encode())

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        retriever = self._retriever
        try:
            if "upsert" in request:
                items = [load_item(text) for text in request["upsert"]]
                Retriever.upsert(retriever, items)
                return {"done": len(items)}
            return {"done": Retriever.delete(retriever, request["delete"])}
        except RetrievalError as error:
            return {"error": type(error).__name__, "message": str(error)}
        except Exception as error:
            logger.error("a write for another process failed", exc_info=error)
            return {"error": "RetrievalError", "message": f"the write failed: {error}"}

    def close(self) -> None:
        """Listen no more; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        (self._retriever.folder / SOCKET).unlink(missing_ok=True)
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that listens
        self._socket.close()


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """Give the socket's path, over an open folder where it would be too long for a socket."""
    path = str(folder.absolute() / SOCKET)
    if len(path.encode()) <= LONGEST_ADDRESS:
        yield path
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        yield f"/proc/self/fd/{opened}/{SOCKET}"
    finally:
        os.close(opened)
