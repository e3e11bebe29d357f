"""The owner's pages as they look where a shop is used: what has happened is made up, then shown."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.feedback import FeedbackEvent, Kind, new_id
from agent.store import Store
from benchmarks.browser.learned import add_adapters, shopped, write_pairs
from finetune.registry import Registry
from ui.owner.kept_runs import KeptRuns

DESKTOP = {"width": 1200, "height": 1080}
PEOPLE = 150
WEEKS = 9
TAKEN = (0.40, 0.62)
"""Shares of the people of each arm that take something."""
PATIENCE_MS = 60_000
SAID = (
    "a desk for a small room",
    "black sneakers under 150",
    "a gift for my sister",
    "something warm for the balcony",
    "headphones, not in-ear",
    "a linen dress",
    "a lamp like the one in the hall",
    "running shoes that last",
    "a rug, 2 by 3 metres",
)
LIKED: tuple[Kind, ...] = ("click", "click", "click", "reject", "rating")


def prepare(project: Path, store: Store, work: Path) -> None:
    """Have adapters compared, pairs made, runs kept and people told things in a project."""
    names = add_adapters(project, work)
    write_pairs(project / "pairs")
    with Registry(project / "adapters", who="ann") as registry:
        arms = {names[0]: 0.5, names[1]: 0.5}
        registry.experiment("second round", arms, why="does it choose better?")
    chance, now = random.Random(5), datetime.now(UTC)
    for number in range(PEOPLE):
        for name, taken in zip(names[:2], TAKEN, strict=True):
            bought, said = number % 50 < 50 * taken, chance.choice(SAID)
            store.add_session(shopped(number, name, bought=bought, begun=now, said=said))
    for days in range(28, 0, -1):
        _day(store, now - timedelta(days=days), chance)
    _runs(project, now, chance)


def _day(store: Store, day: datetime, chance: random.Random) -> None:
    """Have some people shop on a day and tell what they think."""
    for number in range(chance.randrange(9, 30)):
        session = shopped(f"{day:%d%m}-{number}", "rules", bought=chance.random() < 0.4, begun=day)
        slate, kind = session.slates[0], chance.choice(LIKED)
        value = chance.choice((1, 4, 5, 5)) if kind == "rating" else None
        event = FeedbackEvent(slate_id=slate.id, item_id="1", kind=kind, value=value, time=day)
        store.add_session(session.model_copy(update={"events": (*session.events, event)}))


def _runs(project: Path, now: datetime, chance: random.Random) -> None:
    """Keep an evaluation of each week."""
    kept = KeptRuns(project / "runs")
    for week in range(WEEKS):
        begun = now - timedelta(weeks=WEEKS - week, hours=chance.randrange(5))
        success = 0.62 + 0.02 * week + chance.uniform(-0.02, 0.02)
        relevance = 0.9 + 0.006 * week + chance.uniform(-0.01, 0.01)
        repairs = 0.3 - 0.02 * week + chance.uniform(-0.02, 0.02)
        turns = 4.2 - 0.1 * week
        kept.write({
            "id": new_id(), "name": "shoppers", "begun": begun.isoformat(), "status": "done",
            "ended": (begun + timedelta(seconds=95)).isoformat(), "log": "",
            "result": {"success": _mean(success, 0.05), "relevance": _mean(relevance, 0.02),
                       "repairs": _mean(repairs, 0.06), "turns": _mean(turns, 0.3)},
            "about": {"catalog": "demo", "items": 2400, "version": 1 + week // 3,
                      "answers": "round-1" if week < 5 else "round-2"},
        })  # fmt: skip


def _mean(value: float, half: float) -> dict[str, float]:
    return {"mean": round(value, 4), "low": round(value - half, 4), "high": round(value + half, 4)}


def scenes(browser: Any, url: str, password: str, take: Callable[[Any, str], None]) -> None:
    """Take the pictures of the owner's pages.

    Args:
        take: Takes one of a tab, by its name.
    """
    tab = browser.new_context(viewport=DESKTOP, reduced_motion="reduce").new_page()
    tab.goto(url + "owner/")
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Log in").click()
    tab.locator("#at-owner-listed").get_by_role("button", name="a warm jacket under 200").click()
    tab.get_by_text("Turn 3 of 3").first.wait_for(timeout=PATIENCE_MS)
    take(tab, "owner-turn")
    for name, part, picture in (
        ("Catalog", "#at-owner-catalog .at-cards", "owner-catalog"),
        ("Experiments", "#at-owner-experiments .at-whiskers", "owner-experiments"),
        ("Runs", "#at-owner-runs .at-grid", "owner-evaluations"),
    ):
        tab.get_by_role("tab", name=name, exact=True).click()
        tab.locator(part).first.wait_for(timeout=PATIENCE_MS)
        if name == "Runs":
            _compare(tab)
        tab.wait_for_timeout(1_500)  # plots are drawn a little later
        take(tab, picture)


def _compare(tab: Any) -> None:
    """Choose the newest run and one of weeks ago."""
    tab.get_by_role("button", name="Choose", exact=True).first.click()
    tab.get_by_text("1 chosen to compare").wait_for(timeout=PATIENCE_MS)
    tab.get_by_role("button", name="Choose", exact=True).nth(5).click()
    tab.get_by_text("Two runs side by side").wait_for(timeout=PATIENCE_MS)
