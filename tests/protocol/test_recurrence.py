from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import recurrence as series
from protocol.errors import Refused
from protocol.local_clock import start_of
from tests.support.work import count_calls

STARTS = "2026-11-25T09:30"  # a Wednesday


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        ("FREQ=DAILY;COUNT=3", ["2026-11-25", "2026-11-26", "2026-11-27"]),
        ("FREQ=DAILY;INTERVAL=7;COUNT=2", ["2026-11-25", "2026-12-02"]),
        ("FREQ=WEEKLY", ["2026-11-25", "2026-12-02", "2026-12-09"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,SU;WKST=MO", ["2026-11-25", "2026-11-29", "2026-12-09"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,SU;WKST=SU", ["2026-11-25", "2026-12-06", "2026-12-09"]),
        ("FREQ=WEEKLY;UNTIL=20261202", ["2026-11-25", "2026-12-02"]),
        ("FREQ=MONTHLY", ["2026-11-25", "2026-12-25", "2027-01-25"]),
        ("FREQ=MONTHLY;BYDAY=-1WE", ["2026-11-25", "2026-12-30", "2027-01-27"]),
        ("FREQ=MONTHLY;BYMONTHDAY=25,-1", ["2026-11-25", "2026-11-30", "2026-12-25"]),
        ("FREQ=MONTHLY;BYDAY=WE,TH;BYSETPOS=-2", ["2026-11-25", "2026-12-30", "2027-01-27"]),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4WE", ["2026-11-25", "2027-11-24", "2028-11-22"]),
        ("FREQ=YEARLY", ["2026-11-25", "2027-11-25", "2028-11-25"]),
    ],
)
def test_a_rule_names_its_days(rule, first):
    found = series.occurrence_days(STARTS, rule)

    assert list(found[:3]) == first


def test_without_a_rule_it_takes_place_once():
    assert series.occurrence_days(STARTS, None) == ("2026-11-25",)
    assert series.occurrence_days("2026-11-25", None) == ("2026-11-25",)


def test_weekdays_with_and_without_a_number_go_together():
    found = series.occurrence_days("2026-12-07", "FREQ=MONTHLY;BYDAY=MO,+2WE")

    assert found[:5] == ("2026-12-07", "2026-12-09", "2026-12-14", "2026-12-21", "2026-12-28")


def test_the_31st_leaves_out_the_months_that_have_none():
    found = series.occurrence_days("2027-01-31", "FREQ=MONTHLY")

    assert found[:4] == ("2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31")


def test_a_leap_day_comes_every_fourth_year():
    assert series.occurrence_days("2028-02-29", "FREQ=YEARLY") == (
        "2028-02-29",
        "2032-02-29",
        "2036-02-29",
    )


def test_a_series_is_worked_out_for_ten_years():
    found = series.occurrence_days(STARTS, "FREQ=DAILY")

    assert (len(found), found[-1]) == (3654, "2036-11-25")


_EVERY_WEEKDAY = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
_NUMBERED = [f"{number}{day}" for number in (1, 2, 3, 4, -1) for day in _EVERY_WEEKDAY]
COSTLY = [
    "FREQ=MONTHLY;BYDAY=MO,+2WE",  # dateutil finds no day, and searches until the year 9999
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=9999999999",
    "FREQ=WEEKLY;BYDAY=" + ",".join(20 * _EVERY_WEEKDAY),
    "FREQ=MONTHLY;BYDAY=" + ",".join(_EVERY_WEEKDAY + _NUMBERED),
    "FREQ=MONTHLY;BYMONTHDAY=" + ",".join(map(str, range(-31, 0))),
    "FREQ=YEARLY;BYMONTH=" + ",".join(10 * ["2", "12", "1"]) + ";BYDAY=SU,-1SU,1MO",
    *(f"FREQ=MONTHLY;BYDAY=TU,{numbered}" for numbered in _NUMBERED),
    *(f"FREQ=MONTHLY;BYDAY={day},+2WE" for day in _EVERY_WEEKDAY),
    *(f"FREQ=MONTHLY;INTERVAL=11;BYDAY={day};BYSETPOS=4,-4" for day in _EVERY_WEEKDAY),
    *(f"FREQ=YEARLY;BYMONTH={month};BYDAY=MO,-1FR" for month in range(1, 13)),
    *(f"FREQ=YEARLY;BYMONTH={month};BYDAY=4MO,-4MO,TU" for month in range(1, 13)),
    *(f"FREQ=YEARLY;INTERVAL=10;BYMONTH={month};BYMONTHDAY=-28" for month in range(1, 13)),
]
_MOST_CALLS = 25_000  # 3,654 days, and a few calls for each


@pytest.mark.parametrize("starts", [STARTS, "2028-02-29", "1970-01-01"])
def test_no_rule_costs_more_than_the_days_of_ten_years(starts):
    for rule in COSTLY:
        series._days_or_refusal.cache_clear()

        assert count_calls(lambda: days_or_refusal(starts, rule)) < _MOST_CALLS, rule  # noqa: B023


def test_a_refusal_is_remembered():
    rule = "FREQ=WEEKLY;BYDAY=MO,TU"  # STARTS is a Wednesday
    days_or_refusal(STARTS, rule)

    assert count_calls(lambda: days_or_refusal(STARTS, rule)) < 10


HOSTILE = [
    "",
    "nonsense",
    "FREQ=SECONDLY",
    "FREQ=HOURLY;COUNT=1000000000",
    "FREQ=WEEKLY;FREQ=SECONDLY",
    "FREQ=DAILY;BYDAY=MO",
    "FREQ=DAILY;INTERVAL=0",
    "FREQ=DAILY;INTERVAL=367",
    "FREQ=DAILY;INTERVAL=-1",
    "FREQ=DAILY;COUNT=" + "9" * 100,
    "FREQ=DAILY;COUNT=2;UNTIL=20270101",
    "FREQ=DAILY;UNTIL=20270231",
    "FREQ=DAILY;UNTIL=20270101T000000Z",
    "FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(24))),
    "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=WEEKLY;BYDAY=1MO",
    "FREQ=WEEKLY;BYSETPOS=3",
    "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=5MO",
    "FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=1",
    "FREQ=MONTHLY;BYDAY=1MO;BYSETPOS=2",
    "FREQ=MONTHLY;BYSETPOS=2",
    "FREQ=MONTHLY;BYMONTHDAY=32",
    "FREQ=YEARLY;BYMONTH=2",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYMONTH=19;BYMONTHDAY=1",
    "FREQ=YEARLY;BYDAY=MO",
    "FREQ=YEARLY;BYYEARDAY=366",
    "FREQ=YEARLY;BYEASTER=0",
    "RRULE:FREQ=DAILY\nEXDATE:20261125",
    "freq=daily",
    "FREQ=DAILY;",
    "FREQ=DAILY;COUNT=１",
]


@pytest.mark.parametrize("rule", HOSTILE)
def test_what_never_ends_or_never_comes_is_refused(rule):
    with pytest.raises(Refused) as refused:
        series.occurrence_days(STARTS, rule)

    assert refused.value.rule == "R-17.2"


def test_it_starts_on_a_day_of_its_rule():
    with pytest.raises(Refused) as refused:
        series.occurrence_days(STARTS, "FREQ=WEEKLY;BYDAY=MO")

    assert refused.value.rule == "R-17.3"


@pytest.mark.parametrize("starts", ["2026-11-25T09:30Z", "0001-01-01", "9999-12-31T23:59"])
def test_it_starts_by_the_clock_here_and_in_this_age(starts):
    with pytest.raises(Refused) as refused:
        series.occurrence_days(starts, "FREQ=WEEKLY")

    assert refused.value.rule == "R-17.1"


_words = ["DAILY", "WEEKLY", "SECONDLY", "20990101", "20270231", "", "MO", "-1FR", "5SU", "1MO,TU"]
_values = st.one_of(
    st.sampled_from(_words),
    st.integers(-400, 10**12).map(str),
    st.lists(st.integers(-40, 40), max_size=20).map(lambda numbers: ",".join(map(str, numbers))),
)
_names = st.sampled_from([*series._PARTS, "BYHOUR", "BYYEARDAY", "BYWEEKNO", "BYEASTER", "DTSTART"])
_rules = st.lists(st.tuples(_names, _values), max_size=4)
_often = st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])


def days_or_refusal(starts, rule):
    try:
        return series.occurrence_days(starts, rule)
    except Refused as refused:
        return refused


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)), _often, _rules)
@example(date(2199, 12, 31), "DAILY", [("COUNT", "1000000000")])
@example(date(2028, 2, 29), "YEARLY", [("INTERVAL", "10")])
def test_of_any_rule_there_are_days_in_order_or_a_refusal(first, often, parts):
    rule = ";".join(f"{name}={value}" for name, value in [("FREQ", often), *parts])

    found = days_or_refusal(first.isoformat(), rule)

    if isinstance(found, Refused):
        assert found.rule in {"R-17.2", "R-17.3"}
    else:
        assert list(found) == sorted(set(found))
        assert found[0] == first.isoformat()
        assert date.fromisoformat(found[-1]) - first <= timedelta(days=3653)


_sorts_of_lists = st.sampled_from(
    [
        ("WEEKLY", {"BYDAY": _EVERY_WEEKDAY, "WKST": ["SU", "TH"]}),
        ("MONTHLY", {"BYDAY": _EVERY_WEEKDAY, "BYSETPOS": ["1", "3", "-1", "-4"]}),
        ("MONTHLY", {"BYDAY": _NUMBERED}),
        ("MONTHLY", {"BYMONTHDAY": ["1", "15", "30", "31", "-1", "-31"]}),
        ("YEARLY", {"BYDAY": _NUMBERED, "BYMONTH": ["1", "2", "11"]}),
        ("YEARLY", {"BYDAY": _EVERY_WEEKDAY, "BYMONTH": ["2", "12"]}),
        ("YEARLY", {"BYMONTHDAY": ["1", "28", "-1", "-28"], "BYMONTH": ["2", "7"]}),
    ]
)
_ends = st.sampled_from(["", ";COUNT=1", ";COUNT=40", ";UNTIL=20301130", ";UNTIL=20991231"])


@settings(max_examples=40)
@given(st.dates(date(2026, 1, 1), date(2032, 12, 31)), _sorts_of_lists, _ends, st.data())
def test_another_library_finds_the_same_days(first, sort_of_list, end, draw):
    frequency, lists = sort_of_list
    interval = draw.draw(st.integers(1, 10))
    rule = f"FREQ={frequency};INTERVAL={interval}{end}"
    for name, values in lists.items():
        chosen = draw.draw(st.lists(st.sampled_from(values), min_size=1, max_size=4))
        rule += f";{name}=" + (chosen[0] if name == "WKST" else ",".join(chosen))
    theirs = rrulestr(rule, dtstart=datetime.combine(first, datetime.min.time()))
    last = f"{first.year + 10}{first.isoformat()[4:]}"
    their_days = (moment.date().isoformat() for moment in theirs)
    expected = list(takewhile(lambda day: day <= last, their_days))

    found = days_or_refusal(first.isoformat(), rule)

    if isinstance(found, Refused):
        assert expected[:1] != [first.isoformat()]
    else:
        assert list(found) == expected


@given(st.text(max_size=200))
def test_of_any_text_there_are_days_or_a_refusal(text):
    with pytest.raises(Refused):
        series.occurrence_days(STARTS, text)


# A time zone, a local time in this zone, and the same time in UTC.
CLOCKS = [
    ("Europe/London", "2026-03-22T09:30", "2026-03-22T09:30"),
    ("Europe/London", "2026-03-29T09:30", "2026-03-29T08:30"),  # on the day of the change
    ("Europe/London", "2026-10-25T09:30", "2026-10-25T09:30"),
    ("Europe/London", "2026-03-29T01:30", "2026-03-29T01:30"),  # no such time: it is 02:30 then
    ("Europe/London", "2026-10-25T01:30", "2026-10-25T00:30"),  # twice that day: the first counts
    ("Europe/Madrid", "2026-03-29T02:30", "2026-03-29T01:30"),  # no such time: it is 03:30 then
    ("Europe/Madrid", "2026-10-25T02:30", "2026-10-25T00:30"),
    ("America/Santiago", "2026-04-05T09:30", "2026-04-05T13:30"),  # summer ends in April
    ("America/Santiago", "2026-09-06T09:30", "2026-09-06T12:30"),
    ("America/Santiago", "2026-09-06T00:30", "2026-09-06T04:30"),  # there is no midnight that day
    ("Asia/Kolkata", "2026-07-01T09:30", "2026-07-01T04:00"),
    ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45"),  # changes by half an hour
    ("Australia/Lord_Howe", "2026-10-04T09:30", "2026-10-03T22:30"),
]


@pytest.mark.parametrize(("zone", "local", "utc"), CLOCKS)
def test_the_clock_on_the_wall_says_when_it_is(zone, local, utc):
    found = start_of(local, ZoneInfo(zone))

    assert datetime.fromtimestamp(found / 1000, UTC).isoformat(timespec="minutes")[:16] == utc


@pytest.mark.parametrize("zone", ["Europe/London", "America/Santiago", "Australia/Lord_Howe"])
def test_a_weekly_half_past_nine_stays_half_past_nine(zone):
    for day in series.occurrence_days(STARTS, "FREQ=WEEKLY;COUNT=60"):
        at = start_of(series.occurrence_start(STARTS, day), ZoneInfo(zone))

        shown = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
        assert shown.isoformat()[:16] == f"{day}T09:30"
