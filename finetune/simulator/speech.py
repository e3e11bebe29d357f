"""What a user does in a turn, and how it is said. The phrases are in `phrases.toml`.

Knows moves and words; not what was shown, and nothing of how text is understood.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from finetune.simulator.users import Wish

MoveKind = Literal[
    "open", "wide", "want", "avoid", "below", "cheaper", "like", "more", "vague", "select", "undo",
    "change", "repair",
]  # fmt: skip
"""open: says what is looked for. wide: only roughly. want, avoid, below: one hard wish. cheaper:
than what is shown. like: something like an item, with a wish where one is open. vague: a soft wish.
change: another value than said before. repair: says again what was misread, plainly."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing a user means to say.

    Args:
        wishes: The hard wishes it tells.
        text: What is said roughly (wide, vague).
        rank: The item of the slate it points at, from 1; 0: none.
        item_id: That item.
        bound: Price that what comes must be below (cheaper).
        decoy: Whether the wish is told with its decoy, to be changed later.
        of: For repair: the kind of move that was misread.
    """

    kind: MoveKind
    wishes: tuple[Wish, ...] = ()
    text: str = ""
    rank: int = 0
    item_id: str = ""
    bound: float = 0.0
    decoy: bool = False
    of: MoveKind | None = None


_JOINS = ("in ", "for ", "from ", "by ", "made of ", "under ", "without ")
"""Forms that follow a noun as they are; others after a comma."""


@cache
def _phrases() -> dict[str, Any]:
    text = (files("finetune.simulator") / "phrases.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def adjectives() -> tuple[str, ...]:
    """Return the adjectives that vague wishes are made of."""
    return tuple(_phrases()["words"]["adjectives"])


def ordinal(rank: int) -> str:
    """Return how the item at a rank is pointed at."""
    names = _phrases()["words"]["ordinals"]
    return f"the {names[rank - 1]} one" if rank <= len(names) else f"number {rank}"


def say(move: Move, random: Random, dialect: Mapping[str, tuple[str, ...]]) -> str:
    """Return a move in words.

    Args:
        dialect: Ways to say some kinds of moves that are used instead; {} for plain speech.
            Repairs are always plain.
    """
    table: dict[str, Any] = _phrases()
    key = "like_but" if move.kind == "like" and move.wishes else move.kind
    slots = _slots(move, random)
    if move.kind == "repair":
        forms = table["repair"][move.of]
    elif move.kind == "change":
        forms = table["repair"]["change"]
    elif move.kind == "open" and not slots["c"]:
        forms = table["nothing"]
    elif move.kind == "want" and move.wishes[0].role == "category":
        forms = table["category"]
    elif move.kind in dialect:
        forms = dialect[move.kind]
        if key == "like_but":
            forms = [f"{form} but {{x}}" for form in forms]
    else:
        forms = table[key]
    return str(random.choice(list(forms))).format(**slots)


def _slots(move: Move, random: Random) -> dict[str, str]:
    spoken = [_form(wish, move.decoy, random) for wish in move.wishes]
    first = move.wishes[0] if move.wishes else None
    value = _value(first, move.decoy) if first else move.text
    return {
        "v": value, "n": f"{move.bound:g}" if move.bound else value,
        "w": spoken[0] if spoken else move.text, "x": " and ".join(spoken),
        "r": ordinal(move.rank) if move.rank else "it", "c": _sought(move, random),
    }  # fmt: skip


def _sought(move: Move, random: Random) -> str:
    """Return what an opening looks for: the category, then what else is said of it."""
    if move.kind == "wide":
        return move.text.casefold()
    if not move.wishes or move.wishes[0].role != "category":
        return ""
    said = _value(move.wishes[0], False)
    for wish in move.wishes[1:]:
        form = _form(wish, move.decoy, random)
        said += f" {form}" if form.startswith(_JOINS) else f", {form}"
    return said


def _value(wish: Wish, decoy: bool) -> str:
    return (wish.decoy if decoy and wish.decoy else wish.value).casefold()


def _form(wish: Wish, decoy: bool, random: Random) -> str:
    if wish.kind == "below":
        return f"under {wish.value}"
    table = _phrases()["form"][wish.kind]
    forms = table.get(wish.role, table["plain"])
    return str(random.choice(forms)).format(v=_value(wish, decoy))


def mistyped(text: str, random: Random) -> str:
    """Return a text with one slip: two letters of a longer word swapped, one lost, or one twice."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return text
    place = random.choice(long)
    word = words[place]
    at = random.randrange(1, len(word) - 1)
    slips = (
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
    )
    words[place] = random.choice(slips)
    return " ".join(words)
