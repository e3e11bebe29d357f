"""Whatever is said comes from the table: a made-up language shows what is written in code.

Its table is the English one in wide letters, and so are its words for the catalog; plain letters in
an answer are then the catalog's titles, or a sentence that no table has.
"""

import re
import tomllib
from dataclasses import replace
from importlib.resources import files
from string import Formatter

import pytest

from agent.chips import chips_of
from agent.desk import Extras
from agent.dialogue import respond
from agent.languages import tongue
from agent.languages.languages import Languages
from agent.quick import quick_replies
from agent.turn import Done
from tests.agent.shop import BY_ID

CODE = "eo"
_WIDE = {ord(a): ord(a) + 0xFEE0 for a in map(chr, range(0x21, 0x7F)) if a.isalpha()}


def wide(text: str) -> str:
    return text.translate(_WIDE)


def _sentence(text: str) -> str:
    """Return a sentence in wide letters, its placeholders as they are."""
    parts = Formatter().parse(text)
    return "".join(wide(words) + (f"{{{name}}}" if name else "") for words, name, _, _ in parts)


def _entry(entry: object) -> str:
    if isinstance(entry, dict):
        return "{" + ", ".join(f"{name} = {_entry(one)}" for name, one in entry.items()) + "}"
    if isinstance(entry, list):
        return "[" + ", ".join(map(_entry, entry)) + "]"
    plain = _sentence(str(entry)).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A folder of tables with a made-up language in it."""
    english = (files("agent") / "strings" / "en.toml").read_text(encoding="utf-8")
    lines = []
    for section, rows in tomllib.loads(english).items():
        lines += [f"[{section}]", *(f"{name} = {_entry(one)}" for name, one in rows.items())]
    folder = tmp_path / "strings"
    folder.mkdir()
    (folder / "en.toml").write_text(english, encoding="utf-8")
    (folder / f"{CODE}.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(tongue, "_folder", lambda: folder)
    for cached in (tongue.table, tongue.spoken):
        cached.cache_clear()
    yield
    for cached in (tongue.table, tongue.spoken):
        cached.cache_clear()


@pytest.fixture
def shop(made_up, parts, store_shop, tmp_path):
    """The department store with wide words for all of its facets and values."""
    lines = ["[facets]", *(f'{f.name} = "{wide(f.label)}"' for f in store_shop.facets)]
    for facet in store_shop.facets:
        lines.append(f"[values.{facet.name}]")
        lines += [f'"{value}" = "{wide(value)}"' for value, _ in facet.values]
    (tmp_path / "languages").mkdir()
    (tmp_path / f"languages/{CODE}.toml").write_text("\n".join(lines), encoding="utf-8")
    return replace(parts, languages=Languages(tmp_path, store_shop))


def plain_words(text: str) -> set[str]:
    for title in sorted((item.title for item in BY_ID.values()), key=len, reverse=True):
        text = text.replace(title, " ")
    return set(re.findall(r"[A-Za-z]{2,}", text))


TALKS = [
    ("red dresses under 60, not linen", "cheaper", "why the first one?", "undo", "undo", "undo"),
    ("blue shoes", "compare the first two", "i'll take the first one", "hide the second one"),
    ("dresses rated at least 4", "like the first one but green", "more", "start over"),
    ("purple laptops under 20", "any colour is fine", "sort by price", "how much is the first one"),
    ("under 200", "not black", "in stock", "more", "more", "more", "why not the first one?"),
    ("at least 20", "for women", "from Alto or Brisa", "undo", "the cheapest", "compare 1 and 2"),
    ("hello", "thanks", "bye", "what do you have?", "compare them", "???"),
    ("shoes", "why not the Adidas?", "is the first one in stock?", "tell me about the third one"),
    ("something waterproof", "ideally black", "the ninth one", "zzxq qqzx", "sneakers from 2019"),
    ("can i return it?", "i want to talk to a person", "that one", "free courses", "not paid"),
]


@pytest.mark.parametrize("texts", TALKS, ids=[talk[0] for talk in TALKS])
def test_nothing_is_said_beside_the_table(shop, texts):
    session = shop.store.create_session(language=CODE)
    spoken = shop.languages.tongue(CODE)
    for text in texts:
        events = respond(shop, session, text, Extras(language=CODE))
        done = next(e for e in events if isinstance(e, Done))
        said = [done.reply, *(one.text for one in done.relaxations), *done.notes]
        said += [reason.text for item in done.slate.items for reason in item.reasons]
        said += [chip.label for chip in chips_of(done.state.need, shop.retriever, spoken)]
        said += [one.label for one in quick_replies(done.state, shop.retriever, spoken)]
        typed = set(re.findall(r"[A-Za-z]{2,}", " ".join(texts).lower()))
        described = {w for item in BY_ID.values() for w in plain_words(item.description)}
        left = {word.lower() for one in said for word in plain_words(one)} - typed
        assert left - {word.lower() for word in described} - {"eur", "cm"} == set(), text


def test_claims_of_the_made_up_language_hold(shop):
    session = shop.store.create_session(language=CODE)
    events = respond(shop, session, "red dresses under 60", Extras(language=CODE))
    done = next(e for e in events if isinstance(e, Done))
    texts = [reason.text for item in done.slate.items for reason in item.reasons]
    assert wide("as asked") in texts[0]
    assert len(texts) >= 2
