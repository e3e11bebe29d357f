"""How well personal data is masked: what is found, what is masked that is none, and how fast.

    python benchmarks/privacy.py [--set dev|heldout] [--n 200] [--failures 20] [--json]

Recall: utterances of shopping talk with personal data of several countries, generated and written
by hand; a span counts as found when nothing of it is left. False masks: real utterances, queries,
titles of ../shared/data where it is; some of them do hold names and addresses, which are listed
with the rest. Titles are masked without their catalog, whose names would protect themselves.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from agent.privacy.masking import PersonalDataMasker
from benchmarks.privacy_texts import Said, generated, written

SHARED = Path(__file__).parents[2] / "shared" / "data"

Row = dict[str, Any]


def _messages(row: Row) -> Iterator[str]:
    for one in row.get("messages") or row.get("turns") or ():
        yield one[1] if isinstance(one, list) else one.get("text") or one.get("user") or ""


REAL: dict[str, tuple[str, Callable[[Row], Iterable[str]]]] = {
    "assistant talk": ("utterances_sgd.jsonl.gz", lambda row: [row["text"]]),
    "shopping wishes": ("utterances_webshop.jsonl.gz",
                        lambda row: [row.get("text") or row.get("instruction") or ""]),
    "changes of clothes": ("utterances_fashioniq.jsonl.gz", lambda row: row["captions"]),
    "shopping queries": ("queries_shopping.jsonl.gz", lambda row: [row["query"]]),
    "hardware queries": ("search_homedepot.csv.gz", lambda row: [row["query"]]),
    "film talk": ("redial_test.jsonl.gz", _messages),
    "film talk, valid": ("redial_valid.jsonl.gz", _messages),
    "spoken film talk": ("ccpe_satisfaction.jsonl.gz", _messages),
    "book talk": ("opendialkg_books_dialogs.jsonl.gz", _messages),
    "furniture and clothes": ("dialogs_simmc1.jsonl.gz", _messages),
    "coffee orders": ("dialogs_taskmaster4_sample.jsonl.gz", _messages),
    "books": ("catalog_books.csv.gz", lambda row: [row["title"], row["authors"]]),
    "electronics": ("catalog_electronics.jsonl.gz",
                    lambda row: [row["title"], row["description"] or ""]),
    "fashion": ("catalog_fashion.csv.gz", lambda row: [row["name"]]),
    "groceries": ("catalog_grocery.csv.gz", lambda row: [row["name"]]),
    "courses": ("catalog_courses.csv.gz", lambda row: [row["title"]]),
    "furniture": ("catalog_furniture_ikea.csv.gz", lambda row: [row["short_description"]]),
    "films": ("movielens_movies.csv.gz", lambda row: [row["title"]]),
}  # fmt: skip
"""Real texts: their file, and what of a row is text."""


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a compressed CSV or JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        if path.name.endswith(".csv.gz"):
            yield from csv.DictReader(file)
        else:
            for line in file:
                yield json.loads(line)


def recall(masker: PersonalDataMasker, said: Iterable[Said]) -> tuple[Row, list[str]]:
    """Return how much is found by kind, and what was missed or masked too much."""
    total, found, right, extra = Counter(), Counter(), Counter(), 0
    failures: list[str] = []
    count = 0
    for one in said:
        count += 1
        spans = masker.find(one.text)
        for start, end, kind in one.spans:
            total[kind] += 1
            covered = {i for span in spans for i in range(span.start, span.end)}
            left = [i for i in range(start, end) if i not in covered and one.text[i].isalnum()]
            found[kind] += not left
            right[kind] += not left and any(s.kind == kind and s.start < end and start < s.end
                                            for s in spans)  # fmt: skip
            if left:
                failures.append(f"missed {kind} {one.locale}: {one.text!r} -> "
                                f"{masker.mask(one.text)!r}")  # fmt: skip
        for span in spans:
            if not any(start < span.end and span.start < end for start, end, _ in one.spans):
                extra += 1
                failures.append(f"extra {span.kind}: {one.text!r} -> {masker.mask(one.text)!r}")
    by_kind = {
        kind: {"n": total[kind], "recall": found[kind] / total[kind],
               "right_kind": right[kind] / total[kind]}
        for kind in sorted(total)
    }  # fmt: skip
    return {"utterances": count, "kinds": by_kind, "extra": extra}, failures


def false_masks(masker: PersonalDataMasker) -> tuple[Row, list[str]]:
    """Return how often real texts are masked, by source and kind, with every case."""
    found: Row = {}
    cases: list[str] = []
    for name, (file, texts) in REAL.items():
        if not (SHARED / file).is_file():
            continue
        count, kinds = 0, Counter()
        for text in (text for row in rows(SHARED / file) for text in texts(row) if text):
            count += 1
            for span in masker.find(text):
                kinds[span.kind] += 1
                near = text[max(0, span.start - 30) : span.end + 20].replace("\n", " ")
                cases.append(f"{name}: {span.kind} {text[span.start : span.end]!r} in {near!r}")
        found[name] = {"texts": count, "masked": dict(kinds)}
    return found, cases


def speed(masker: PersonalDataMasker, texts: list[str]) -> dict[str, float]:
    """Return microseconds for a text, each the best of three: median, 99th percentile, slowest."""
    spent = sorted(min(_took(masker, text) for _ in range(3)) for text in texts)
    n = len(spent)
    return {"p50_us": spent[n // 2], "p99_us": spent[int(n * 0.99)], "max_us": spent[-1]}


def _took(masker: PersonalDataMasker, text: str) -> float:
    began = time.perf_counter()
    masker.mask(text)
    return (time.perf_counter() - began) * 1e6


def main() -> None:
    """Measure, print a table and the cases asked for, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", choices=("dev", "heldout"), default="heldout")
    parser.add_argument("--n", type=int, default=200, help="generated utterances of each kind")
    parser.add_argument("--failures", type=int, default=0, help="cases to print")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    masker = PersonalDataMasker()
    made = list(generated(given.set, given.n))
    report: Row = {"set": given.set, "n": given.n}
    report["generated"], missed = recall(masker, made)
    report["written"], missed_written = recall(masker, written(given.set))
    report["real"], cases = false_masks(masker)
    report["speed"] = speed(masker, [one.text for one in made])
    if given.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    for name in ("generated", "written"):
        print(f"\n{name}: {report[name]['utterances']} utterances, {report[name]['extra']} extra")
        for kind, one in report[name]["kinds"].items():
            print(f"  {kind:8} {one['n']:5}  recall {one['recall']:.3f}  "
                  f"right kind {one['right_kind']:.3f}")  # fmt: skip
    print("\nreal texts                    texts  masked")
    for name, one in report["real"].items():
        print(f"  {name:24} {one['texts']:9,}  {one['masked']}")
    print("\nspeed", {name: round(value) for name, value in report["speed"].items()})
    by_kind: dict[str, list[str]] = defaultdict(list)
    for case in (*missed_written, *missed, *cases):
        by_kind[case.split(":")[0]].append(case)
    for listed in by_kind.values():
        print("\n".join(["", *listed[: given.failures]]) if given.failures else "", end="")


if __name__ == "__main__":
    main()
