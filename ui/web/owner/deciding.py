"""A tab on which something is decided: it says first what would happen, then does it, once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import gradio as gr

from ui.web.api import Json
from ui.web.owner.desk import OWN, Desk, Told, fields, live, looking, pressed
from ui.web.owner.pieces import field, hidden
from ui.web.words import Words


class Deciding(ABC):
    """What the tabs of decisions have in common.

    A kind of it names the address that fills it and its decisions, draws what was found
    (`overview`), asks before a decision (`question`) and sends it (`decide`).
    """

    path: ClassVar[str]
    decisions: ClassVar[frozenset[str]]

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.words = desk.words

    def make(self, name: str, told: gr.HTML) -> tuple[Any, list[Any], list[Any]]:
        """Make the tab; return what fills it, with its inputs and outputs.

        Args:
            name: Of its pieces on the page.
        """
        asked = live(f"at-owner-{name}-asked")
        shown = live(f"at-owner-{name}s", looking(self.words))
        parts = [shown, asked, told]
        for piece in (shown, asked):
            piece.click(self.act, None, parts, **OWN)
        return self.look, [], parts

    async def look(self) -> list[Any]:
        """Return the tab as things stand, with nothing asked."""
        found, told = await self.desk.get(self.path)
        if found is None:
            return [gr.skip(), gr.skip(), told.markup()]
        return [self.overview(found), "", told.markup()]

    async def act(self, event: gr.EventData) -> list[Any]:
        """Ask before a decision; take it when it is confirmed."""
        action = pressed(event)
        do = str(action.get("do", ""))
        if do.startswith("ask-"):
            found, told = await self.desk.get(self.path)
            box = gr.skip() if found is None else self.question(do[4:], action, found)
            return [gr.skip(), box, told.markup()]
        if do not in self.decisions:
            return await self.other(do, action)
        told = await self.decide(do, fields(action))
        shown, _, _ = await self.look()  # also where it was refused: as things stand now
        return [shown, gr.skip() if told.trouble else "", told.markup()]

    async def other(self, do: str, action: Json) -> list[Any]:
        """Do what is no decision; by default what was asked is put away."""
        return [gr.skip(), "", Told().markup()]

    async def sent(self, path: str, body: Json, key: str, **values: object) -> Told:
        """Send a decision; return that it is done, or why it is not.

        Args:
            key: Of the words that say it is done, with their values.
        """
        done, told = await self.desk.post(path, body)
        return told if done is None else Told(self.words(key, **values))

    @abstractmethod
    def overview(self, found: Json) -> str:
        """Return the tab over what was found."""

    @abstractmethod
    def question(self, step: str, action: Json, found: Json) -> str:
        """Return what is asked before a decision."""

    @abstractmethod
    async def decide(self, step: str, given: dict[str, str]) -> Told:
        """Send a decision with what was typed."""


def body_of(given: Mapping[str, str]) -> Json:
    """Return what every decision says: why, and how things stood when it was asked about."""
    version = given.get("version", "")
    return {"why": given.get("why", ""), "version": int(version) if version.isdecimal() else None}


def decided_on(words: Words, found: Json) -> str:
    """Return the fields of every decision as markup."""
    why = field("why", words("decide.why"), maxlength="500")
    return hidden("version", str(found["version"])) + why
