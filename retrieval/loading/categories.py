"""Kinds of things that titles name: "toner cartridge", "notebook", "patch cable".

In titles such as "Xerox 006R90321 toner cartridge Original Black", the words in small letters
between names, numbers and colours say what the thing is. Phrases that recur so, across brands,
give the nouns; the nouns then find more phrases ("Patch Cable") in all titles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set

from retrieval.loading.colours import BASIC
from retrieval.loading.derive import Deriver, head_of, stem, tokenize
from retrieval.loading.mapping import Derived
from retrieval.loading.values import vocabulary
from retrieval.loading.words import UNITS

LEAST = 8
"""Titles a phrase must stand in; a single noun must stand in twice as many."""
MAKERS = 2
"""Brands whose titles must use a phrase."""
COVERAGE = 0.6
LONGEST = 4
VAGUE_WORDS = vocabulary(
    "unit kit set part accessory supply system component pack type item piece product equipment "
    "device indoor outdoor internal external series version edition model colour size sheet page "
    "original compatible replacement universal standard new digital professional media machine "
    "body head line end side box roll service extension upgrade solution power male female wired "
    "wireless blank spare multi inch plus pro control multifunctional memory gen maker"
)
VAGUE = frozenset(map(stem, VAGUE_WORDS))
"""Nouns and adjectives that say nothing on their own."""
FUNCTION = vocabulary(
    "for with of and or the a an in on to from by per at as w incl not via x up over up under"
)
SHORT = frozenset({"pc", "tv"})

_LOWER = re.compile(r"^[a-zß-ÿ][a-zß-ÿ'/-]+$")
_ALPHA = re.compile(r"^[^\W\d_][^\W\d_'-]+$")

_NUMBER = re.compile(r"^[\d.,]+$")

Phrase = tuple[str, ...]


def learn_categories(
    titles: Sequence[str], brands: Sequence[str], kinds: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return the category phrases of titles, most frequent first; none on weak evidence.

    Args:
        brands: The brand of each title.
        kinds: Names of kinds that some column states for a few of the items.
    """
    bodies = [_body(title, brand) for title, brand in zip(titles, brands, strict=True)]
    banned = VAGUE | BASIC | _units(bodies)
    runs = _Counts()
    for body, brand in zip(bodies, brands, strict=True):
        if run := next(_runs(body), ()):
            runs.add(run, brand)
    often = dict.fromkeys(runs.frequent(LEAST) + runs.frequent(5 * LEAST, 1))
    known = [phrase for phrase in often if _is_kind(phrase, banned)]
    stated = {tuple(map(stem, tokenize(kind))): kind.casefold() for kind in kinds}
    known += [phrase for phrase in stated if _is_kind(phrase, banned)]
    nouns = {phrase[-1] for phrase in known}
    found = _Counts()
    for body, brand in zip(bodies, brands, strict=True):
        for phrase in _around_noun(body, nouns, banned):
            found.add(phrase, brand)
    phrases = dict.fromkeys(known)
    more = [p for p in found.frequent(LEAST) if len(p) > 1]
    phrases |= dict.fromkeys(p for p in more if not _is_part(p, known, runs, found))
    phrases |= dict.fromkeys(p for p in found.frequent(2 * LEAST, MAKERS + 1) if len(p) == 1)
    forms = [stated.get(p) or runs.form(p) or found.form(p) or " ".join(p) for p in phrases]
    return _useful(forms, bodies)


def _is_part(phrase: Phrase, known: list[Phrase], runs: _Counts, found: _Counts) -> bool:
    """Return whether a phrase mostly stands at the end of a longer one ("disc drive")."""
    longer = [p for p in known if len(p) > len(phrase) and p[-len(phrase) :] == phrase]
    return sum(map(runs.count, longer)) > 0.6 * found.count(phrase)


def _units(bodies: Sequence[str]) -> set[str]:
    """Return the words that mostly follow a number: "800 pixels", "250 sheets"."""
    after: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for body in bodies:
        before = ""
        for token in body.split():
            word = stem(token.split("(")[0])
            total[word] += 1
            after[word] += _NUMBER.match(before) is not None
            before = token
    return {word for word, count in after.items() if count > 0.5 * total[word]}


def _is_kind(phrase: Phrase, banned: Set[str]) -> bool:
    """Return whether a phrase may name a kind of thing: words only, a noun at the end."""
    if not 0 < len(phrase) <= LONGEST + 1 or not all(map(_ALPHA.match, phrase)):
        return False
    alone = phrase[-1] in banned and (len(phrase) == 1 or phrase[-1] not in VAGUE)
    return not alone and (len(phrase[-1]) > 2 or phrase[-1] in SHORT)


class _Counts:
    """How often phrases occur, in which brands, and how they are written."""

    def __init__(self) -> None:
        self._counts: Counter[Phrase] = Counter()
        self._brands: dict[Phrase, set[str]] = {}
        self._forms: dict[Phrase, Counter[str]] = {}

    def add(self, words: Sequence[str], brand: str) -> None:
        """Count a phrase, given as it is written."""
        phrase = tuple(stem(part) for word in words for part in tokenize(word))
        self._counts[phrase] += 1
        self._brands.setdefault(phrase, set()).add(brand)
        self._forms.setdefault(phrase, Counter())[" ".join(words).casefold()] += 1

    def frequent(self, least: int, makers: int = MAKERS) -> list[Phrase]:
        """Return phrases used often enough by enough brands."""
        return [
            phrase
            for phrase, count in self._counts.most_common()
            if count >= least and len(self._brands[phrase]) >= makers
        ]

    def count(self, phrase: Phrase) -> int:
        """Return in how many titles a phrase stands."""
        return self._counts[phrase]

    def form(self, phrase: Phrase) -> str:
        """Return how a phrase is mostly written, or nothing."""
        forms = self._forms.get(phrase)
        return forms.most_common(1)[0][0] if forms else ""


def _body(title: str, brand: str) -> str:
    return title[len(brand) :] if brand and title.casefold().startswith(brand.casefold()) else title


def _runs(body: str) -> Iterator[Phrase]:
    """Yield the runs of words in small letters that follow a name or number."""
    run: list[str] = []
    begun = False
    for token in [*body.split(), "0"]:
        if begun and _LOWER.match(token) and not _is_filler(token):
            run.append(token)
            continue
        if 0 < len(run) <= LONGEST:
            yield tuple(run)
        run, begun = [], True


def _is_filler(word: str) -> bool:
    folded = word.casefold()
    return folded in FUNCTION or folded in BASIC or folded in UNITS


def _around_noun(body: str, nouns: Set[str], banned: Set[str]) -> list[Phrase]:
    """Return the last noun of the head of a title, alone and with the word before it."""
    tokens = [token.strip(".,:") for token in head_of(body).split()]
    places = [n for n, token in enumerate(tokens) if stem(token) in nouns]
    if not places:
        return []
    last = places[-1]
    found: list[Phrase] = [] if stem(tokens[last]) in banned else [(tokens[last],)]
    before = tokens[last - 1] if last else ""
    if _ALPHA.match(before) and not _is_filler(before) and stem(before) not in banned:
        found.append((before, tokens[last]))
    return found


def _useful(forms: list[str], bodies: Sequence[str]) -> tuple[str, ...]:
    """Return phrases that are the category of enough titles; none if too few have any."""
    finder = Deriver(Derived("category", "category", "phrase", ("title",), tuple(forms)))
    counts: Counter[str] = Counter()
    named = 0
    for body in bodies:
        found = finder.find(body)
        if isinstance(found, tuple):
            named += 1
            counts.update(found)
    if named < COVERAGE * len(bodies):
        return ()
    return tuple(form for form, count in counts.most_common() if count >= LEAST)
