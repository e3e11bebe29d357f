"""Mapping files: laid over what was inferred, checked, and read back as written."""

from pathlib import Path

import pytest

from retrieval.errors import CatalogError
from retrieval.loading import Column, Derived, Mapping, load

CSV = "nr,id,name,heading,price,cost_ct,colour,note\n" + "".join(
    f"{n},{n % 7},Thing {n} of all,Head {n} of all,{n},{n}00,{['Red', 'Blue'][n % 2]},n{n % 3}\n"
    for n in range(1, 40)
)


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(CSV)

    def read(toml):
        file = tmp_path / "map.toml"
        file.write_text(toml)
        return load([path], mapping=file)

    return read


def test_file_goes_before_names_and_contents(shop):
    loaded = shop("""
        currency = "INR"
        [columns]
        id = "nr"
        title = "heading"
        price = {column = "cost_ct", scale = 0.01}
        ignore = ["note"]
        [facets.colour]
        label = "shade"
        role = "none"
    """)
    first = loaded.items[0]
    assert (first.id, first.title, first.fields["price"]) == ("1", "Head 1 of all", 1.0)
    assert first.fields["price_value"] == 1.0
    assert "note" not in first.fields
    assert loaded.currency == "INR"
    colour = next(facet for facet in loaded.facets if facet.name == "colour")
    assert (colour.label, colour.role) == ("shade", None)
    assert next(f for f in loaded.facets if f.role == "price").unit == "INR"


def test_titles_are_joined_in_given_order(shop):
    loaded = shop('[columns]\nid = "nr"\ntitle = ["heading", "note"]')
    assert loaded.items[0].title == "Head 1 of all n1"


def test_kind_can_be_forced(shop):
    loaded = shop(
        '[columns]\nid = "nr"\n[facets.price]\nlabel = "cost"\n[facets.id]\nkind = "categorical"'
    )
    found = {facet.name: facet for facet in loaded.facets}
    assert found["price"].label == "cost"
    assert found["id"].kind == "categorical"
    assert loaded.items[0].fields["id"] == "1"


def test_derived_facets_can_be_stated(shop):
    loaded = shop("""
        [columns]
        id = "nr"
        [derived.kind]
        role = "category"
        method = "phrase"
        sources = ["name"]
        values = ["thing"]
    """)
    assert loaded.items[0].fields["kind"] == ("thing",)
    assert next(f for f in loaded.facets if f.name == "kind").derived_from == "name"


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[columns", "not TOML"),
        ('[column]\nid = "nr"', "unknown key 'column'; expected one of currency, columns"),
        ('[columns]\nident = "nr"', "unknown key 'ident'; expected one of id, title"),
        ('[columns]\nid = "sku"', r"no column 'sku'; the catalog has 'nr', 'id'|no column 'sku'"),
        ("[columns]\nid = 7", "expected column names, got 7"),
        ('[columns]\nignore = ["colours"]', "no column 'colours'"),
        ('[columns]\nprice = {name = "price"}', "unknown key 'name'; expected one of column"),
        ('[columns]\nprice = {currency = "EUR"}', "expected column ="),
        ('[facets.colour]\nkind = "words"', "kind is 'words'; expected one of categorical"),
        ('[facets.shape]\nkind = "categorical"', "no column 'shape'"),
        ("[facets]\ncolour = 3", "expected a table"),
        ('[derived.brand]\nrole = "brand"', "method is missing"),
        ('[derived.b]\nrole = "brand"\nmethod = "prefix"\nsources = ["name"]', "expected values"),
        ("currency = 3", "expected a code such as EUR"),
    ],
)
def test_mistakes_in_the_file_are_explained(shop, toml, message):
    with pytest.raises(CatalogError, match=message):
        shop(toml)


def test_unknown_column_lists_existing_ones(shop):
    with pytest.raises(CatalogError, match=r"map\.toml") as caught:
        shop('[columns]\nid = "sku"')
    assert all(repr(name) in str(caught.value) for name in CSV.splitlines()[0].split(","))


def test_missing_mapping_file_is_named(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(CSV)
    with pytest.raises(CatalogError, match=r"mapping file .*nowhere\.toml"):
        load([path], mapping=tmp_path / "nowhere.toml")


FULL = Mapping(
    (
        Column("sku", "id"),
        Column("name", "title"),
        Column("sub", "title"),
        Column("text", "description"),
        Column("sale", "price", "price", "numeric", "price", "price", "EUR", 0.01, ","),
        Column("full", "price", "full", "numeric", None, "full", "EUR", 0.01, ","),
        Column("coin", "currency"),
        Column("pic", "image"),
        Column("page", "url"),
        Column("genre", "facet", "genre", "list", "category", "genre", separator="|"),
        Column("since", "facet", "since", "date", "date", "since", format="%d.%m.%Y"),
        Column("price", "facet", "price_value", "numeric", None, "price", "USD", decimal=","),
        Column("watts", "facet", "watts", "numeric", None, "watts", "W", 0.5, within="more"),
        Column("brand", "facet", "more_brand", "categorical", None, "brand", within="more"),
        Column("more", "map"),
        Column("hash", "ignore"),
        Column("secret", "ignore", within="more"),
    ),
    (
        Derived("brand", "brand", "prefix", ("name",), ("Acme", 'O"Neil')),
        Derived("colour", "colour", "colours", ("text", "name")),
    ),
    "EUR",
)


def test_mapping_survives_the_round_trip():
    assert Mapping.from_toml(FULL.to_toml()) == FULL


def test_empty_mapping_survives_the_round_trip():
    assert Mapping.from_toml(Mapping().to_toml()) == Mapping()


def test_inferred_mapping_overrides_itself(shop, tmp_path):
    first = shop('[columns]\nid = "nr"')
    again = shop(first.mapping.to_toml())
    assert again == first


def test_from_toml_refuses_unknown_keys():
    with pytest.raises(CatalogError, match=r"the mapping.*unknown key 'x'"):
        Mapping.from_toml("x = 1")


def test_documented_example_is_valid():
    page = (Path(__file__).parents[3] / "docs" / "catalogs.md").read_text(encoding="utf-8")
    mapping = Mapping.from_toml(page.split("```toml\n")[1].split("```")[0])
    assert mapping.currency == "INR"
    assert mapping.facet("base_colour").role == "colour"
    assert mapping.derived[0].values == ("Peter England", "Nike")
