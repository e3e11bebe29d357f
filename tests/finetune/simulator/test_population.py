import pytest

from finetune.errors import DataError
from finetune.simulator.population import POPULATIONS, Population, read_population


def test_presets_by_name():
    assert read_population("dialect") is POPULATIONS["dialect"]


def test_file_overrides_the_defaults(tmp_path):
    path = tmp_path / "hasty.toml"
    path.write_text('patience = [1, 2]\n[taste.style]\nboho = 0.5\n[dialect]\nmore = ["go on"]\n')
    found = read_population(str(path))
    assert found.name == "hasty"
    assert found.patience == (1, 2)
    assert found.taste == {"style": {"boho": 0.5}}
    assert found.dialect == {"more": ("go on",)}
    assert found.margin == Population().margin


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patience = 3", "patience"),
        ("colour = 1", "colour"),
        ("patience = [", "not TOML"),
        ('[dialect]\nshout = ["HEY"]', "shout"),
    ],
)
def test_wrong_files_are_refused(tmp_path, text, said):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        read_population(str(path))


def test_unknown_name_lists_the_presets():
    with pytest.raises(DataError, match=r"'nobody'.*plain, dialect"):
        read_population("nobody")
