"""An owner at the pages of a project in which something was learned, as the tests play one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.browser.learned import add_adapters, write_pairs
from benchmarks.browser.served import Process, copied

PASSWORD = "the owner's own word"
PATIENCE_MS = 60_000
DESKTOP = {"width": 1280, "height": 900}


def learned_shop(demo: Path, folder: Path) -> tuple[Process, list[str]]:
    """Return a process over a copy of the demo with adapters and pairs, and the adapters."""
    project = copied(demo, folder)
    names = add_adapters(project, folder / "work")
    write_pairs(project / "pairs")
    return Process(("ui", str(project)), folder, {"ATTUNE_UI_PASSWORD": PASSWORD}), names


@dataclass
class Owner:
    """Somebody at the owner's pages."""

    tab: Any

    def log_in(self, password: str = PASSWORD) -> None:
        """Type a password and press the button."""
        self.tab.get_by_label("Password").fill(password)
        self.tab.get_by_role("button", name="Log in").click()

    def inside(self) -> "Owner":
        """Wait until the pages are there and have been filled."""
        self.tab.get_by_role("tab", name="Conversations").wait_for(timeout=PATIENCE_MS)
        self.see("#at-owner-listed", "Latest conversations")
        return self

    def go(self, name: str, part: str, says: str) -> "Owner":
        """Open a tab, and wait until a part of it says something."""
        self.tab.get_by_role("tab", name=name, exact=True).click()
        return self.see(part, says)

    def see(self, part: str, says: str) -> "Owner":
        """Wait until a part of the page says something."""
        found = self.tab.locator(part).get_by_text(says).first
        found.wait_for(timeout=PATIENCE_MS)
        return self

    def press(self, name: str, within: str = "body") -> None:
        """Press a button by its words."""
        self.tab.locator(within).get_by_role("button", name=name, exact=True).first.click()

    def told(self, says: str) -> "Owner":
        """Wait until the line below the head says something."""
        return self.see("#at-owner-told", says)

    def text(self, part: str) -> str:
        """Return what a part of the page says."""
        return str(self.tab.locator(part).inner_text())


def at(browser: Any, url: str, **context: Any) -> Owner:
    """Return somebody at the door."""
    tab = browser.new_context(**{"viewport": DESKTOP, **context}).new_page()
    tab.goto(url + "owner/")
    return Owner(tab)
