"""Whole catalogs: what is loaded, what is left out and why, what is refused."""

import csv
import gzip
import json

import pytest

from retrieval.errors import CatalogError
from retrieval.loading import describe, load, write_rejects
from retrieval.loading.records import Reject


def write(path, rows, delimiter=","):
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def goods(count=40, **more):
    """Rows of a small shop; `more` are columns as functions of the row number."""
    rows = []
    for n in range(count):
        row = {
            "id": f"g{n}",
            "name": f"{['Mug', 'Lamp', 'Chair'][n % 3]} number {n}",
            "category": ["Kitchen", "Light", "Furniture"][n % 3],
            "price_eur": f"{n + 0.5}",
        }
        rows.append(row | {name: make(n) for name, make in more.items()})
    return rows


def test_clean_shop_has_no_rejects(tmp_path):
    loaded = load([write(tmp_path / "shop.csv", goods())], strict=True, progress=True)
    assert (loaded.name, loaded.currency, len(loaded.items)) == ("shop", "EUR", 40)
    assert loaded.rejects == loaded.warnings == ()
    assert loaded.items[3].fields == {"price": 3.5, "category": "Kitchen"}
    assert [facet.name for facet in loaded.facets] == ["price", "category"]


def test_bad_rows_are_listed_and_rest_loaded(tmp_path):
    rows = goods()
    rows[1]["id"] = ""
    rows[2]["id"] = "g0"
    rows[3]["price_eur"] = "cheap"
    rows[4]["category"] = "x" * 10_000_001
    path = write(tmp_path / "shop.csv", rows)
    path.write_bytes(
        path.read_bytes().replace(b"Lamp number 7", b"Lamp n\xfcmber 7") + b"g99,too few\n"
    )
    loaded = load([path])
    assert [(r.row, r.column, r.kind) for r in loaded.rejects] == [
        (3, "id", "row"),
        (4, "id", "row"),
        (5, "price_eur", "field"),
        (6, "category", "row"),
        (9, "name", "row"),
        (42, "", "row"),
    ]
    reasons = " / ".join(r.reason for r in loaded.rejects)
    for word in (
        "missing id",
        "duplicate id",
        "not a price",
        "10,000,001",
        "encoding",
        "2 columns",
    ):
        assert word in reasons
    assert all(len(r.excerpt) <= 81 for r in loaded.rejects)
    assert len(loaded.items) == 36
    assert "price" not in next(item for item in loaded.items if item.id == "g3").fields


def test_strict_names_the_first_rejects(tmp_path):
    rows = goods()
    rows[1]["id"] = ""
    path = write(tmp_path / "shop.csv", rows)
    with pytest.raises(CatalogError, match=r"1 rejects: shop\.csv, row 3, id: missing id"):
        load([path], strict=True)


def test_rejects_are_written_as_csv(tmp_path):
    rows = goods()
    rows[1]["id"] = ""
    loaded = load([write(tmp_path / "shop.csv", rows)])
    write_rejects(tmp_path / "rejects.csv", loaded.rejects)
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "source": "shop.csv", "row": "3", "column": "id", "kind": "row",
        "reason": "missing id", "excerpt": "",
    }  # fmt: skip


def test_rejects_hold_no_formulas(tmp_path):
    seller = '=HYPERLINK("http://evil.example")'
    write_rejects(tmp_path / "r.csv", [Reject("a.csv", 2, "+x", "not a number", seller)])
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["column"], row["excerpt"]) == ("'+x", f"'{seller}")


def test_repeated_rows_merge_their_categories(tmp_path):
    rows = goods(category=lambda n: "Light" if n % 2 else "Kitchen")
    rows += [row | {"category": "Sale"} for row in rows[:10]]
    loaded = load([write(tmp_path / "shop.csv", rows)], strict=True)
    assert len(loaded.items) == 40
    assert loaded.items[1].fields["category"] == ("Light", "Sale")
    assert loaded.items[20].fields["category"] == ("Kitchen",)
    (category,) = [facet for facet in loaded.facets if facet.name == "category"]
    assert (category.kind, dict(category.values)["Sale"]) == ("list", 10)


def test_exact_repeats_are_a_warning(tmp_path):
    rows = goods()
    loaded = load([write(tmp_path / "shop.csv", rows + rows[:2])], strict=True)
    assert loaded.warnings == ("2 rows repeat an item word for word; kept once",)


def test_conflicting_repeats_are_rejects(tmp_path):
    rows = goods()
    rows.append(rows[0] | {"price_eur": "99", "name": "Other"})
    loaded = load([write(tmp_path / "shop.csv", rows)])
    assert [(r.row, r.excerpt) for r in loaded.rejects] == [(42, "g0")]
    assert loaded.items[0].fields["price"] == 0.5


def test_several_sources_are_one_catalog(tmp_path):
    first = write(tmp_path / "a.csv", goods(10))
    second = tmp_path / "b.jsonl.gz"
    lines = [json.dumps(row | {"id": f"h{n}", "colour": "Red"}) for n, row in enumerate(goods(10))]
    second.write_bytes(gzip.compress("\n".join(lines).encode()))
    loaded = load([first, second], strict=True)
    assert [item.id for item in loaded.items[::10]] == ["g0", "h0"]
    assert "colour" not in loaded.items[0].fields
    assert loaded.items[10].fields["colour"] == "Red"


def test_rows_beyond_the_sample_follow_it(tmp_path, monkeypatch):
    monkeypatch.setattr("retrieval.loading.reading.SAMPLE", 30)
    rows = goods(100)
    rows[80]["price_eur"] = "cheap"
    loaded = load([write(tmp_path / "shop.csv", rows)])
    assert len(loaded.items) == 100
    assert loaded.items[90].fields["price"] == 90.5
    assert [(r.row, r.kind) for r in loaded.rejects] == [(82, "field")]


def test_missing_id_column_names_candidates(tmp_path):
    rows = [
        {"nr": f"{n}", **{k: v for k, v in row.items() if k != "id"}}
        for n, row in enumerate(goods())
    ]
    with pytest.raises(CatalogError, match=r"'nr', 'name'.*\[columns\].*id = ") as caught:
        load([write(tmp_path / "shop.csv", rows)])
    assert "'category'" in str(caught.value)


def test_no_title_column_is_refused(tmp_path):
    rows = [{"id": n, "size": n % 3, "year": 2000 + n % 9} for n in range(40)]
    with pytest.raises(CatalogError, match="title of an item"):
        load([write(tmp_path / "shop.csv", rows)])


def test_all_prices_broken_is_refused(tmp_path):
    rows = goods(price_eur=lambda n: f"ask {n}")
    with pytest.raises(CatalogError, match=r"none of the 40 prices in column 'price_eur'.*'ask 0'"):
        load([write(tmp_path / "shop.csv", rows)])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("id,name\n", "no row could be read"),
        ("id,name\n1\n2\n", "1 columns, expected 2"),
        ("id,name\n,a\n,b\n", "no column is clearly the id"),
    ],
)
def test_nothing_to_load_is_refused(tmp_path, content, message):
    path = tmp_path / "shop.csv"
    path.write_text(content)
    with pytest.raises(CatalogError, match=message):
        load([path])


def test_no_sources_is_refused():
    with pytest.raises(CatalogError, match="no source given"):
        load([])


def test_mixed_currencies_are_a_warning(tmp_path):
    rows = [{k: v for k, v in row.items() if k != "price_eur"} for row in goods()]
    rows = [row | {"price": "€5" if n % 4 else "$6"} for n, row in enumerate(rows)]
    loaded = load([write(tmp_path / "shop.csv", rows)])
    assert loaded.currency == "EUR"
    assert {item.currency for item in loaded.items} == {"EUR", "USD"}
    assert "several currencies" in loaded.warnings[0]


def test_unknown_currency_is_a_warning(tmp_path):
    rows = [row | {"price": "5"} for row in goods()]
    for row in rows:
        del row["price_eur"]
    loaded = load([write(tmp_path / "shop.csv", rows)])
    assert loaded.currency is None
    assert "currency of the prices is not stated" in loaded.warnings[0]


def test_control_characters_and_emoji_survive(tmp_path):
    rows = goods()
    rows[0]["name"] = "Mug\x00 \x1b[31m👍🏽 \u202eleft"
    loaded = load([write(tmp_path / "shop.csv", rows)], strict=True)
    assert "👍🏽" in loaded.items[0].title
    assert "\x1b" not in loaded.items[0].title


def test_description_shows_mapping_and_rejects(tmp_path):
    rows = goods(other=lambda n: "", depth_cm=str)
    rows[1]["id"] = ""
    shown = describe(load([write(tmp_path / "shop.csv", rows)]))
    for part in (
        "shop: 39 items, prices in EUR",
        "price_eur (EUR)",
        "not used",
        "depth (cm)",
        "3: Kitchen 14, Furniture 13, Light 12",
        "1 row left out:",
        "shop.csv, row 3, id: missing id",
    ):
        assert part in shown
    assert max(map(len, shown.splitlines())) <= 110
