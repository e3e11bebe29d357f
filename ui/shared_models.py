"""Encoders and the language model of a process: each loaded once, whatever projects use it."""

from __future__ import annotations

import threading
from pathlib import Path

from agent.llm import ChatModel
from retrieval.encoder import make_encoder, tuned_folder
from retrieval.query import Encoder
from ui.chat_models import chat_model
from ui.settings import Settings


class Models:
    """Makes models on demand and keeps them. Safe to share across threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._encoders: dict[tuple[str, Path | None], Encoder] = {}
        self._chat: dict[bool, ChatModel | None] = {}

    def encoder(self, name: str, project: Path) -> Encoder:
        """Return the encoder that a project's index was built with."""
        key = (name, tuned_folder(name, project))
        with self._lock:
            if key not in self._encoders:
                self._encoders[key] = make_encoder(name, self._settings.models, project)
            return self._encoders[key]

    def chat(self, *, serving: bool) -> ChatModel | None:
        """Return the language model that the settings name; None for rules alone."""
        with self._lock:
            if serving not in self._chat:
                self._chat[serving] = chat_model(self._settings, serving=serving)
            return self._chat[serving]
