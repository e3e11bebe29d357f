"""A person at the shop's page, as Playwright plays them: says, presses, waits until it is done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_MS = 60_000

DONE = """([said, working]) => {
  const at = (one) => document.querySelectorAll(`#at-chat [data-testid=${one}]`).length;
  const status = document.querySelector('#at-status p').textContent;
  return at('user') === said && at('bot') === said && !working.includes(status)
    && !document.querySelector('.at-shelf.at-busy');
}"""


def has_browser() -> bool:
    """Return whether there is a browser, and Playwright to drive it."""
    try:
        import playwright  # noqa: F401
    except ModuleNotFoundError:
        return False
    return shutil.which("chromium") is not None


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Start Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@dataclass
class Visitor:
    """One person in one tab.

    Args:
        tab: Playwright's page.
        working: What the page says while a turn is under way, in its language.
    """

    tab: Any
    working: tuple[str, ...] = ("Looking …", "Writing …")

    def visit(self, address: str) -> Visitor:
        """Open the shop and wait until it can be used."""
        self.tab.goto(address)
        self.tab.wait_for_selector(".at-reply", timeout=PATIENCE_MS)
        return self

    @property
    def said(self) -> list[str]:
        """Return what the person said, as the page shows it."""
        return list(self.tab.locator("#at-chat [data-testid=user]").all_inner_texts())

    @property
    def answers(self) -> list[str]:
        """Return what was answered."""
        return list(self.tab.locator("#at-chat [data-testid=bot]").all_inner_texts())

    @property
    def titles(self) -> list[str]:
        """Return the titles on the shelf."""
        return list(self.tab.locator(".at-card .at-title").all_inner_texts())

    @property
    def wishes(self) -> list[str]:
        """Return the wishes, without their crosses."""
        chips = self.tab.locator("#at-want .at-chip").all_inner_texts()
        return [one.replace("✕", "").strip() for one in chips]

    @property
    def status(self) -> str:
        """Return what the page says is going on."""
        return str(self.tab.locator("#at-status p").inner_text())

    @property
    def box(self) -> Any:
        """Return where words are typed."""
        return self.tab.locator("#at-box textarea")

    def say(self, text: str) -> None:
        """Type words, press Enter and wait for the answer."""
        before = len(self.said)
        self.box.fill(text)
        self.box.press("Enter")
        self.answered(before + 1)

    def turn(self, button: Any) -> None:
        """Press something that is a turn, and wait for the answer."""
        before = len(self.said)
        button.click()
        self.answered(before + 1)

    def answered(self, said: int) -> None:
        """Wait until so many things were said and answered."""
        given = [said, list(self.working)]
        self.tab.wait_for_function(DONE, arg=given, timeout=PATIENCE_MS)

    def card(self, place: int) -> Any:
        """Return a card of the shelf."""
        return self.tab.locator(".at-card").nth(place)

    def press(self, place: int, name: str) -> Any:
        """Return a button of a card."""
        return self.card(place).get_by_role("button", name=name, exact=True)

    def open(self, button: Any, panel: str) -> Any:
        """Press something that opens a panel; return the panel when it is there."""
        button.click()
        found = self.tab.locator(f".at-panel-{panel}")
        found.wait_for(timeout=PATIENCE_MS)
        return found

    def told(self, part: str) -> None:
        """Wait until the page's status has these words."""
        self.tab.wait_for_function(
            "part => document.querySelector('#at-status p').textContent.includes(part)",
            arg=part, timeout=PATIENCE_MS,
        )  # fmt: skip
