"""Pictures of every screen of the pages, for the README and docs/.

    .venv/bin/python -m benchmarks.screenshots [--out docs/images] [--only shop-desktop …]

Serves a copy of the demo catalog with `attune ui`, does what a person would in Chromium, and writes
PNGs of some 100 kB: the shop on a desktop, a phone, in the dark and in Chinese, the owner's
pages, and a story in steps as an animated WebP. Needs chromium and playwright.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.browser import owner_scenes
from benchmarks.browser.served import Process, copied, served
from benchmarks.browser.visitor import Visitor, has_browser, opened_browser
from ui.settings import Settings
from ui.wiring import demo_project, open_store

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images"
DESKTOP = {"width": 1200, "height": 860}
PHONE = {"width": 390, "height": 844}
PASSWORD = "for the pictures"
COLOURS = 256
STEP_MS = 2200
STORY_WIDTH = 900
CHINESE = ("正在查找……", "正在回答……")


@dataclass
class Camera:
    """Takes pictures in browsers of their own, and keeps the steps of the story."""

    browser: Any
    url: str
    out: Path
    steps: list[bytes] = field(default_factory=list)

    def visitor(self, path: str = "", size: Any = None, working: Any = None) -> Visitor:
        """Return somebody new at a page."""
        tab = self.browser.new_context(viewport=size or DESKTOP, reduced_motion="reduce").new_page()
        person = Visitor(tab, working) if working else Visitor(tab)
        return person.visit(self.url + path)

    def take(self, tab: Any, name: str, *, step: bool = False) -> None:
        """Write what a tab shows; `step` puts it into the story as well."""
        tab.evaluate("() => window.scrollTo(0, 0)")
        tab.mouse.move(0, 0)
        tab.wait_for_timeout(900)  # pictures of items, and what is still moving
        shot = tab.screenshot()
        if name:
            write_small(shot, self.out / f"{name}.png")
        if step:
            self.steps.append(shot)


def write_small(shot: bytes, path: Path) -> None:
    """Write a picture in 256 colours of its own: a third of the bytes, and hard to tell apart."""
    from PIL import Image

    with Image.open(io.BytesIO(shot)) as whole:
        whole.convert("RGB").quantize(COLOURS).save(path, optimize=True)


def write_story(steps: list[bytes], path: Path) -> None:
    """Write the steps one after the other."""
    from PIL import Image

    frames = []
    for shot in steps:
        with Image.open(io.BytesIO(shot)) as whole:
            height = round(whole.height * STORY_WIDTH / whole.width)
            frames.append(whole.convert("RGB").resize((STORY_WIDTH, height)))
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=STEP_MS, loop=0, quality=72,
        method=6,
    )  # fmt: skip


def desktop(camera: Camera) -> None:
    """The shop, step by step: openings, a turn, a picker, a comparison."""
    person = camera.visitor()
    camera.take(person.tab, "shop-start", step=True)
    person.say("a blue dress under 150, not polyester")
    person.card(0).locator(".at-reason").first.focus()
    camera.take(person.tab, "shop-evidence", step=True)
    picker = person.open(person.press(1, "Like this, but …"), "picker")
    picker.locator("select[name=colour]").select_option("=Green")
    camera.take(person.tab, "shop-picker", step=True)
    person.turn(picker.get_by_role("button", name="Show"))
    camera.take(person.tab, "", step=True)
    for place in range(min(4, len(person.titles))):
        person.press(place, "Compare").click()
        person.tab.wait_for_selector(f".at-card >> nth={place} >> [aria-pressed=true]")
    side_by_side(person)
    camera.take(person.tab, "shop-compare", step=True)
    person.tab.locator(".at-close").click()
    because = person.open(person.press(1, "Not for me"), "because")
    person.turn(because.get_by_role("button", name="too expensive"))
    person.open(person.tab.get_by_role("button", name="Hidden (1)"), "missing")
    camera.take(person.tab, "shop-missing", step=True)
    write_story(camera.steps, camera.out / "story.webp")


def side_by_side(person: Visitor) -> None:
    """Compare what was chosen."""
    before = len(person.said)
    person.open(person.tab.locator(".at-tray button", has_text="Compare "), "compare")
    person.answered(before + 1)


def talk(camera: Camera) -> None:
    """The shop after two turns."""
    person = camera.visitor()
    person.say("a blue dress under 150, not polyester")
    person.say("in linen or cotton")
    camera.take(person.tab, "shop-desktop")


def phone(camera: Camera) -> None:
    """The shop on a phone."""
    person = camera.visitor(size=PHONE)
    person.say("a blue dress under 120")
    camera.take(person.tab, "shop-phone")
    for place in range(4):
        person.press(place, "Compare").click()
        person.tab.wait_for_selector(f".at-card >> nth={place} >> [aria-pressed=true]")
    side_by_side(person)
    person.tab.wait_for_timeout(900)
    write_small(person.tab.screenshot(), camera.out / "shop-phone-compare.png")


def dark(camera: Camera) -> None:
    """The shop in the dark."""
    person = camera.visitor("?__theme=dark")
    person.say("desks under 900")
    person.press(0, "Save").click()
    person.tab.get_by_role("button", name="Saved (1)").wait_for()
    camera.take(person.tab, "shop-dark")


def chinese(camera: Camera) -> None:
    """The shop in Chinese."""
    person = camera.visitor("zh/", working=CHINESE)
    person.say("黑色的运动鞋，150以下")
    camera.take(person.tab, "shop-zh")


def owner(camera: Camera) -> None:
    """The owner's pages: a turn taken apart, the catalog's health, experiments, evaluations."""
    person = camera.visitor()
    person.say("a warm jacket under 200")
    person.say("not black, waterproof")
    person.press(0, "Good suggestion").click()
    person.told("Thank you")
    other = camera.visitor()
    for words in ("a blue dress under 4", "a zither for a beginner", "red sneakers under 3"):
        other.say(words)
    person.say("only men's")
    owner_scenes.scenes(camera.browser, camera.url, PASSWORD, camera.take)


SCENES: tuple[Callable[[Camera], None], ...] = (desktop, talk, phone, dark, chinese, owner)


def main() -> None:
    """Take the pictures and print their sizes."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=OUT)
    options.add_argument("--only", nargs="*", choices=[scene.__name__ for scene in SCENES])
    given = options.parse_args()
    if not has_browser():
        sys.exit("needs chromium and playwright: pip install -e '.[ui,dev]', apt install chromium")
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project = copied(demo_project(Settings()), folder)
        process = Process(("ui", str(project)), folder, {"ATTUNE_UI_PASSWORD": PASSWORD})
        if not given.only or owner.__name__ in given.only:
            store = open_store(project, Settings(store=process.store))
            owner_scenes.prepare(project, store, folder / "work")
            store.close()
        with served(process), opened_browser() as browser:
            for scene in SCENES:
                if not given.only or scene.__name__ in given.only:
                    scene(Camera(browser, process.url, given.out))
    for path in sorted(given.out.iterdir()):
        print(f"{path.name:24} {path.stat().st_size / 1000:7.1f} kB")


if __name__ == "__main__":
    main()
