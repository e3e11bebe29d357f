import pytest

from agent.languages.phrases import phrases


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("60", 60), ("六十", 60), ("一百", 100), ("一百五", 150), ("一百零五", 105),
        ("一百五十", 150), ("两百", 200), ("两千五", 2500), ("三千二百", 3200), ("一万", 10_000),
        ("一万二", 12_000), ("十", 10), ("十五", 15), ("二十", 20), ("3千", 3000),
        ("1.5万", 15_000), ("1,200", 1200), ("49.9", 49.9), ("两", 2), ("九十九", 99),
        ("一千零一", 1001),
        ("二五", 5), ("十万", 100_000), ("一百二十三", 123),
    ],
)  # fmt: skip
def test_numbers_are_read(said, value):
    assert phrases("zh").numerals.value(said) == value


@pytest.mark.parametrize("said", ["", "六x", "abc", "1" * 30, "1.2.3"])
def test_what_is_no_number_is_none(said):
    assert phrases("zh").numerals.value(said) is None
