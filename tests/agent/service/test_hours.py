"""Business hours: zones, summer time, midnight, holidays, and when they are back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.service.config import HoursTable
from agent.service.hours import back, read_span

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def hours(**own):
    table = {"zone": "Europe/Berlin", **{key: ["9:00-18:00"] for key in WEEKDAYS}, **own}
    return HoursTable.model_validate(table).hours()


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 09:00", True),
        ("2026-11-23 08:59:59", False),
        ("2026-11-23 17:59:59", True),
        ("2026-11-23 18:00", False),
        ("2026-11-22 12:00", False),
    ],
)
def test_open_from_the_first_minute_to_the_last(moment, is_open):
    assert hours().open_at(at(moment)) is is_open


def test_moment_of_another_zone_counts_as_it_is():
    assert hours().open_at(datetime(2026, 11, 23, 8, 30, tzinfo=UTC))
    assert not hours().open_at(datetime(2026, 7, 20, 16, 30, tzinfo=UTC))
    assert hours().open_at(at("2026-11-23 03:30", ZoneInfo("America/New_York")))


def test_span_past_midnight_belongs_to_its_day():
    late = hours(friday=["20:00-2:00"], saturday=[])
    assert late.open_at(at("2026-11-28 01:59"))
    assert not late.open_at(at("2026-11-28 02:00"))
    assert not late.open_at(at("2026-11-27 01:00"))
    assert hours(monday=["0:00-24:00"]).open_at(at("2026-11-23 23:59"))


def test_holidays_are_closed_and_special_days_differ():
    own = hours(holidays=["2026-11-24", "12-25"], special={"2026-11-25": ["12:00-13:00"]})
    assert not own.open_at(at("2026-11-24 12:00"))
    assert not own.open_at(at("2030-12-25 12:00"))
    assert own.open_at(at("2026-11-25 12:30"))
    assert not own.open_at(at("2026-11-25 10:00"))


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-23 07:00", "at 9:00"),
        ("2026-11-23 19:00", "tomorrow at 9:00"),
        ("2026-11-27 18:30", "at 9:00 on Monday"),
        ("2026-11-23 10:00", "tomorrow at 9:00"),
    ],
)
def test_next_opening_is_said_as_people_do(moment, said):
    assert back(hours(), at(moment)) == said


def test_long_holiday_names_the_date():
    days = [f"2026-12-{day}" for day in range(21, 32)]
    assert back(hours(holidays=days), at("2026-12-20 12:00")) == "at 9:00 on Friday, 1 January"


def test_never_open_again_is_said_nowhere():
    closed = HoursTable.model_validate({"zone": "Europe/Berlin"}).hours()
    assert closed.next_opening(at("2026-11-23 12:00")) is None
    assert back(closed, at("2026-11-23 12:00")) == ""


def test_clock_changes_keep_the_wall_clock():
    """On 29 March 2026 it is 3:00 after 1:59; on 25 October 2:00 to 2:59 comes twice."""
    night = hours(sunday=["2:30-6:00"])
    assert night.next_opening(at("2026-03-29 00:00")).isoformat() == "2026-03-29T03:30:00+02:00"
    assert night.open_at(datetime(2026, 3, 29, 3, 30, tzinfo=UTC))
    twice = [datetime(2026, 10, 25, hour, 45, tzinfo=UTC) for hour in (0, 1, 4, 5)]
    assert [night.open_at(moment) for moment in twice] == [True, True, True, False]
    assert hours().next_opening(at("2026-03-28 12:00")).isoformat() == "2026-03-30T09:00:00+02:00"


@pytest.mark.parametrize("text", ["9-18", "9:00", "9:60-10:00", "25:00-26:00", "9:00-9:00", "x"])
def test_span_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match=r"no span of hours|hours go from"):
        read_span(text)
