"""Items side by side."""

from tests.ui.web.test_markup import FACETS, Reader, item
from ui.web.comparison import MOST_ROWS, rows_of, side_by_side
from ui.web.words import Words

EN = Words()
MORE = [
    *FACETS,
    {"name": "reviews", "label": "reviews", "kind": "numeric", "role": "popularity", "unit": None},
    {"name": "rating", "label": "rating", "kind": "numeric", "role": "rating", "unit": None},
    {"name": "stock", "label": "stock", "kind": "numeric", "role": "availability", "unit": None},
]  # fmt: skip


def other(**more):
    return item(id="8", title="Red dress", **more)


def rows(*items):
    return {row.label: (row.cells, row.differs) for row in rows_of(items, MORE, EN)}


def test_numbers_read_as_people_write_them():
    found = rows(item(), other(attributes={"colour": "Red", "rating": 4.0}, availability=92))
    assert found["reviews"][0] == ("31", "")
    assert found["rating"][0] == ("4.4", "4.0")
    assert found["price"][0] == ("€40.95", "€40.95")
    assert found["stock"][0] == ("Only 3 left", "92 in stock")


def test_differences_come_first():
    made = rows_of([item(), other(attributes={"colour": "Red", "cut": "slim"})], MORE, EN)
    differ = [row.differs for row in made]
    assert differ == sorted(differ, reverse=True)
    assert {row.label for row in made if row.differs} == {"colour", "reviews", "rating"}


def test_what_is_the_same_is_folded():
    page = Reader(side_by_side([item(), other(attributes={"colour": "Red"})], MORE, "p/", EN))
    assert all(known["class"] == "at-differs" for known in page.all("tr")[1:])
    assert "open" not in page.all("details")[0]
    assert "The same for all (2)" in page.said
    heads = [known for known in page.all("th") if known["scope"] == "row"]
    assert len(heads) == len(page.all("tr")) - 1


def test_equal_items_are_said_to_be_equal():
    page = Reader(side_by_side([item(), other()], MORE, "p/", EN))
    assert "The catalog says the same of all of them." in page.said


def test_each_item_can_be_taken_out():
    page = Reader(side_by_side([item(), other()], MORE, "p/", EN))
    assert [(one["do"], one["item"]) for one in page.does] == [("compare", "7"), ("compare", "8")]


def test_hundreds_of_facets_are_cut():
    facets = [{"name": f"f{n}", "label": f"f{n}", "kind": "numeric", "role": None, "unit": None}
              for n in range(300)]  # fmt: skip
    own = {f"f{n}": float(n) for n in range(300)}
    assert len(rows_of([item(attributes=own), other()], facets, EN)) == MOST_ROWS


def test_long_titles_are_whole_in_the_head():
    long = "A very long title " * 20
    page = Reader(side_by_side([item(title=long), other()], MORE, "p/", EN))
    clamped = [known for known in page.all("span") if known.get("class") == "at-clamp"]
    assert clamped[0]["title"] == long
