"""A project's own words, and what is wrong with a table of them."""

import pytest

from agent.languages.glossary import BadGlossary, read_glossary
from agent.languages.languages import Languages
from retrieval.catalog import Facet

COLOUR = Facet("colour", "categorical", "colour", "colour", values=(("Blue", 3), ("Light Blue", 2)))


class Catalog:
    """A catalog of one facet, which can change."""

    def __init__(self) -> None:
        self.facets = (COLOUR,)
        self.version = 1


def project(tmp_path, text: str):
    (tmp_path / "languages").mkdir(exist_ok=True)
    (tmp_path / "languages/zh.toml").write_text(text, encoding="utf-8")
    return tmp_path


WORDS = """
[facets]
colour = ["颜色", "色彩"]
[values.colour]
"Light Blue" = ["浅蓝色", "湖水蓝"]
"Gone" = "没有了"
"""


def test_first_word_is_said_and_all_are_understood(tmp_path):
    found = Languages(project(tmp_path, WORDS), Catalog())
    tongue = found.tongue("zh")
    assert tongue.label("colour", "colour") == "颜色"
    assert tongue.value("colour", "light blue") == "浅蓝色"
    assert tongue.value("colour", "Blue") == "Blue"
    assert found.carried("湖水蓝").text == "Light Blue"
    assert found.carried("色彩无所谓").text.startswith("colour")


def test_names_the_catalog_lacks_are_ignored(tmp_path):
    found = Languages(project(tmp_path, WORDS), Catalog())
    assert found.carried("没有了").text != "Gone"


def test_new_values_are_understood_at_once(tmp_path):
    catalog = Catalog()
    found = Languages(project(tmp_path, WORDS), catalog)
    assert found.carried("没有了").text != "Gone"
    catalog.facets = (Facet("colour", "categorical", "colour", "colour", values=(("Gone", 1),)),)
    catalog.version = 2
    assert found.carried("没有了").text == "Gone"


@pytest.mark.parametrize(
    "text", ["[facets", "[facets]\ncolour = 3", "[other]\na = 1", "[values]\ncolour = 'x'"]
)
def test_bad_table_is_told(tmp_path, text):
    folder = project(tmp_path, text)
    with pytest.raises(BadGlossary, match=r"zh\.toml cannot be read: .*it takes \[facets\]"):
        read_glossary(folder / "languages/zh.toml")
    with pytest.raises(BadGlossary):
        Languages(folder).check()


def test_no_table_is_no_words(tmp_path):
    assert read_glossary(tmp_path / "zh.toml").facets == {}
    assert Languages(tmp_path).tongue("zh").label("colour", "colour") == "colour"


@pytest.mark.parametrize(
    ("asked", "header", "language"),
    [("zh_TW", None, "zh"), ("ZH", None, "zh"), ("xx", None, "en"), (None, "de,zh", "zh"),
     (None, "de", None), (None, None, None), ("", "zh;q=0.2,en;q=0.1", "zh")],
)  # fmt: skip
def test_language_asked_for(asked, header, language):
    assert Languages().asked(asked, header) == language
