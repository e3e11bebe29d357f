"""service.toml: what is read, and how errors name the key and what is expected."""

import pytest

from agent.service.config import BadService, read_config

WHOLE = """
contact = "Write to help@shop.example."

[hours]
zone = "Europe/Berlin"
monday = ["9:00-12:00", "13:00-18:00"]
holidays = ["2026-12-25", "01-01"]
special = {"2026-12-24" = ["9:00-13:00"]}

[[openings]]
text = "Hello!"
closed = "Hello! Nobody is here, but I am."
suggestions = ["Blue shirts"]

[handover]
url = "https://desk.example/hook"
secret_env = "DESK_SECRET"
after_failures = 2
while_open = "quiet"

[[handover.rules]]
name = "dear"
facet = "price"
over = 1000

[tools.shop]
secret_env = "SHOP_SECRET"
timeout_s = 2
"""


def written(folder, text):
    (folder / "service.toml").write_text(text, encoding="utf-8")
    return folder


def test_whole_file_is_read(tmp_path):
    config = read_config(written(tmp_path, WHOLE))
    assert config.hours.hours().zone.key == "Europe/Berlin"
    assert config.openings[0].suggestions == ["Blue shirts"]
    assert config.handover.rules[0].over == 1000
    assert config.tools["shop"].timeout_s == 2


def test_missing_file_says_nothing(tmp_path):
    config = read_config(tmp_path)
    assert (config.hours, config.handover, config.openings) == (None, None, [])


BROKEN = [
    ("contact = ", "is no TOML"),
    ("contac = 'x'", "there is no key 'contac'"),
    ("contact = 5", "contact: Input should be a valid string, got '5'"),
    ("[hours]\nmonday = ['9:00-10:00']", "hours.zone: Field required"),
    ("[hours]\nzone = 'Mars'", "hours.zone: 'Mars' is no time zone"),
    ("[hours]\nzone = 'UTC'\nmonday = ['9-5']", "hours.monday.0: '9-5' is no span of hours"),
    ("[hours]\nzone = 'UTC'\nholidays = ['25.12.']", "hours.holidays.0: '25.12.' is no day"),
    ("[hours]\nzone = 'UTC'\nholidays = ['2026-02-30']", "'2026-02-30' is no day"),
    ("[handover]\nurl = 'http://desk.example'", "expected https"),
    ("[handover]\nurl = 'https://desk.example'", "url needs secret_env"),
    ("[handover]\nsecret_env = 'my secret'", "handover.secret_env"),
    ("[handover]\nafter_failures = -1", "handover.after_failures"),
    ("[handover]\nwhile_open = 'sleep'", "'help' or 'quiet'"),
    ("[[handover.rules]]\nname = 'x'", "a rule needs words, facet or tool_failed"),
    ("[[handover.rules]]\nname = 'x'\nfacet = 'price'", "facet needs"),
    ("[[handover.rules]]\nname = 'x'\nover = 5", "need `facet = NAME`"),
    ("[[openings]]\nlanguage = 'en'", "openings.0.text: Field required"),
    ("[tools.shop]\ntimeout_s = 0", "tools.shop.timeout_s"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_wrong_key_is_named(tmp_path, text, said):
    with pytest.raises(BadService) as error:
        read_config(written(tmp_path, text))
    assert said in str(error.value)
    assert "service.toml" in str(error.value)


def test_file_of_other_bytes_is_refused(tmp_path):
    (tmp_path / "service.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadService, match="is no TOML"):
        read_config(tmp_path)
