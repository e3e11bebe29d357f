"""The businesses of `benchmarks/knowledge.py`: their pages, and questions asked of them.

Everything is invented. Weights and thresholds are fitted on `demo` (the pages of the demo shop) and
on `optics`, `boxes`, `coffee`, `garden` and `gym`; the others are only measured on. `library` and
`helpdesk` had been measured about five times when the last changes were made, `music` once.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.knowledge import Upload, uploads_of
from agent.knowledge.words import words_of

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared/data"
SETS = Path(__file__).parent / "knowledge_data"
PAGES = {
    "demo": ROOT / "agent/knowledge/demo",
    "optics": SETS / "optics/pages",
    "boxes": SETS / "boxes/pages",
    "coffee": SETS / "coffee/pages",
    "garden": SETS / "garden/pages",
    "gym": SETS / "gym/pages",
    "library": SETS / "library/pages",
    "helpdesk": SETS / "helpdesk/pages",
    "music": SETS / "music/pages",
}
FITTED_ON = ("demo", "optics", "boxes", "coffee", "garden", "gym")
SOLD = {
    "demo": "dresses shirts t-shirts jackets sneakers sweaters jeans trousers boots hoodies skirts "
    "handbags sofas coats cushions headphones rugs shorts sandals backpacks armchairs chairs mugs "
    "speakers smartphones tents lamps tables beds clothing shoes furniture electronics toys women "
    "men kids black green white red blue cotton linen wool leather suede denim cashmere",
    "optics": "frames glasses lenses lens varifocals sunglasses contacts goggles solution rimless",
    "boxes": "vegetables vegetable fruit eggs bread milk tomatoes carrots salad",
    "coffee": "espresso machines machine grinders grinder kettles kettle coffee beans tea cups cup "
    "mugs mug press moka dripper descaler tablets black white copper red silver steel",
    "garden": "roses rose trees tree shrubs shrub hedging seeds bulbs plants plant pots spade "
    "tools",
    "gym": "",
    "library": "",
    "helpdesk": "phone phones laptop laptops notebook headphones earbuds routers router mesh "
    "power bank charger",
    "music": "guitars guitar violins violin cellos cello pianos piano keyboards saxophones sax "
    "flutes clarinets trumpets drums strings reeds mouthpieces amplifiers amps cables sticks "
    "harmonicas electric acoustic brass woodwind",
}
"""Words of each business's catalog."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the words of the sentences that answer it; none where nothing does."""

    text: str
    answers: tuple[str, ...] = ()


def questions(business: str) -> list[Question]:
    """Return the questions asked of a business."""
    folder = SETS / business
    found = []
    for line in (folder / "questions.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            text, _, answers = line.partition(" | ")
            found.append(Question(text.strip(), tuple(one.strip() for one in answers.split("||"))))
    lines = (folder / "unanswerable.txt").read_text(encoding="utf-8").splitlines()
    return found + [Question(line.strip()) for line in lines if line.strip()]


def pages(business: str) -> Iterator[Upload]:
    """Yield the files of a business; what is marked as the text of a PDF is made one."""
    for upload in uploads_of([PAGES[business]]):
        assert isinstance(upload, Upload), upload
        yield upload
    for path in sorted(PAGES[business].glob("*.pdftext")):
        yield Upload(f"{path.stem}.pdf", pdf(path.read_text(encoding="utf-8")))


def sold(business: str) -> frozenset[str]:
    """Return the stems of the words of a business's catalog."""
    return frozenset(one.stem for one in words_of(SOLD[business]) if one.group is None)


def pdf(text: str) -> bytes:
    """Return a PDF of a text: "# " and "## " begin headings, "--- page" a new page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"",
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
               b"/Encoding /WinAnsiEncoding >>"]  # fmt: skip
    kids = []
    for page in text.split("--- page\n"):
        stream = _content(page)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, len(out),
    )  # fmt: skip
    return out + head + table + trailer


def _content(page: str) -> bytes:
    """Return the drawing of one page's lines, long ones broken."""
    commands, top = [b"BT"], 800
    for line in filter(str.strip, page.splitlines()):
        marks = len(line) - len(line.lstrip("#"))
        size = {0: 10, 1: 18, 2: 14}[marks]
        for part in _broken(line.lstrip("# "), 90):
            escaped = part.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            drawn = escaped.encode("latin-1", "replace")
            commands.append(b"/F1 %d Tf 1 0 0 1 50 %d Tm (%s) Tj" % (size, top, drawn))
            top -= int(size * 1.3)
        top -= 12
    return b"\n".join([*commands, b"ET"])


def _broken(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            yield line
            line = ""
        line = f"{line} {word}".strip()
    yield line


def shopping(name: str, count: int, seed: int = 0) -> list[str]:
    """Return utterances of people who look for items; none where the data is absent.

    Args:
        name: "sgd", "webshop", "fashioniq" or "iard".
    """
    path = DATA / ("iard_intents.jsonl.gz" if name == "iard" else f"utterances_{name}.jsonl.gz")
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        texts = sorted({text for line in file for text in _texts(name, json.loads(line))})
    random.Random(seed).shuffle(texts)
    return texts[:count]


def _texts(name: str, row: dict[str, Any]) -> Iterator[str]:
    if name == "fashioniq":
        yield from row["captions"]
    elif name == "iard":
        for one in row["utterances"]:
            asks = {"IQU", "CRI-A", "CRI-C", "CRI-F", "PRO", "INQ"} & set(one["intents"])
            if one["role"] == "seeker" and asks:
                yield one["text"]
    else:
        yield row["text"]
