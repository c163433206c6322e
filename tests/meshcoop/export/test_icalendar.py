"""The calendar file: which entries it has, and their times in every time zone. The file holds
nothing private.
"""

from datetime import UTC, date, datetime

import pytest
from icalendar import Calendar

from meshcoop.api.calendar import Diary
from meshcoop.api.presenter import Presenter
from meshcoop.export import icalendar as ics
from tests.support.street_in_memory import MORNING, by_id, settle, street

TODAY = "2026-11-18"
PRIVATE = "ring twice"


def diary(home):
    diary = Diary(home.state, Presenter(home.state, home.now), home.me.person)
    return {"timezone": diary.timezone, "entries": list(diary.entries())}


def calendar(home):
    found = diary(home)
    data = ics.encode_calendar(found["entries"], found["timezone"])
    return data, {str(one["uid"]): one for one in Calendar.from_ical(data).walk("VEVENT")}


@pytest.fixture
def lane():
    """Makes three homes: Ada organises a lunch, Ben comes and drives Ada, Cho waits for a place."""
    with street(homes=3, timezone="Europe/London") as homes:
        ada, ben, cho = homes
        lunch = {
            "title": "Lunch, with soup; and more\n", "starts": f"{TODAY}T12:30", "minutes": "90",
            "repeats": "FREQ=WEEKLY;UNTIL=20270901", "roles": "cook=1", "area": "The hall",
        }  # fmt: skip
        root = ada.post("activity", **lunch)
        settle(*homes)
        signups = [one.post("signup", root, on="2027-07-07") for one in (ben, cho)]
        request = ada.post("request", title="A lift", starts="2026-12-01T09:30", minutes="60")
        settle(*homes)
        response = ben.post("response", request, text=PRIVATE)
        settle(*homes)
        agreement = ada.post("agreement", response)
        settle(*homes)
        yield homes, root, signups, agreement


def test_everybody_finds_their_own_and_nobody_elses(lane):
    (ada, ben, cho), root, signups, agreement = lane

    assert set(calendar(ada)[1]) == {root.id.hex(), agreement.id.hex()}
    assert set(calendar(ben)[1]) == {signups[0].id.hex(), agreement.id.hex()}
    assert set(calendar(cho)[1]) == {signups[1].id.hex()}
    for home in (ada, ben, cho):
        assert PRIVATE.encode() not in calendar(home)[0]


def test_the_clock_on_the_wall_is_kept_over_the_change_to_summer_time(lane):
    (ada, ben, _), root, signups, _ = lane
    series, once = calendar(ada)[1][root.id.hex()], calendar(ben)[1][signups[0].id.hex()]

    assert series["dtstart"].params["TZID"] == "Europe/London"
    assert series.start.isoformat() == f"{TODAY}T12:30:00+00:00"
    assert (series.end - series.start).total_seconds() == 90 * 60
    assert once.start.isoformat() == "2027-07-07T12:30:00+01:00"
    assert series["rrule"].to_ical() == b"FREQ=WEEKLY;UNTIL=20270901T225959Z"
    zones = Calendar.from_ical(calendar(ada)[0]).walk("VTIMEZONE")
    assert [str(one["tzid"]) for one in zones] == ["Europe/London"]


def test_who_waits_finds_it_tentative_and_what_is_cancelled_says_so(lane):
    (ada, ben, cho), root, signups, _ = lane
    assert calendar(ben)[1][signups[0].id.hex()]["status"] == "CONFIRMED"
    assert calendar(cho)[1][signups[1].id.hex()]["status"] == "TENTATIVE"
    ada.post("close", root, as_state="cancelled")
    settle(ada, ben, cho)

    assert calendar(ben)[1][signups[0].id.hex()]["status"] == "CANCELLED"
    assert calendar(ada)[1][root.id.hex()]["status"] == "CANCELLED"


def test_what_is_withdrawn_is_not_in_it(lane):
    (_, ben, _), _, signups, agreement = lane
    ben.post("close", signups[0], as_state="withdrawn")

    assert set(calendar(ben)[1]) == {agreement.id.hex()}


def test_the_same_records_give_the_same_file(lane):
    (ada, _, _), *_ = lane
    before = calendar(ada)[0]
    ada.street.clock = MORNING + 3_600_000_000

    assert calendar(ada)[0] == before


def test_words_that_people_wrote_break_no_line_of_it(lane):
    (ada, _, _), root, _, _ = lane
    event = calendar(ada)[1][root.id.hex()]

    assert event["summary"] == "Lunch, with soup; and more"
    assert event["location"] == "The hall"


def entry(**more):
    base = {
        "id": "ab", "created": "2026-11-18T11:00:00.000Z", "title": "x", "starts": TODAY,
        "minutes": None, "repeats": None, "area": None, "state": "confirmed",
    }  # fmt: skip
    return base | more


@pytest.mark.parametrize(
    ("starts", "timezone", "dtstart", "until"),
    [
        (TODAY, "Europe/London", date(2026, 11, 18), b"20261202"),
        (f"{TODAY}T09:30", None, datetime(2026, 11, 18, 9, 30), b"20261202T235959"),  # noqa: DTZ001
        (
            f"{TODAY}T09:30",
            "Asia/Kolkata",
            datetime(2026, 11, 18, 4, tzinfo=UTC),
            b"20261202T182959Z",
        ),
    ],
)
def test_days_moments_and_zones(starts, timezone, dtstart, until):
    data = ics.encode_calendar(
        [entry(starts=starts, repeats="FREQ=WEEKLY;UNTIL=20261202")], timezone
    )
    (event,) = Calendar.from_ical(data).walk("VEVENT")

    assert event.start == dtstart
    assert event["rrule"].to_ical().endswith(b"UNTIL=" + until)


def test_a_moment_in_utc_stays_one():
    data = ics.encode_calendar([entry(starts=f"{TODAY}T09:30Z", minutes=90)], "Asia/Kolkata")
    (event,) = Calendar.from_ical(data).walk("VEVENT")

    assert event["dtstart"].to_ical() == b"20261118T093000Z"
    assert event["dtend"].to_ical() == b"20261118T110000Z"


def test_an_agreement_on_a_rule_that_is_none_is_there_once(lane):
    (ada, ben, _), *_ = lane
    offer = ada.put(ada.forge("offer", title="Bread", repeats="FREQ=SECONDLY", starts=TODAY))
    settle(ada, ben)
    response = ben.put(ben.forge("response", offer, when=TODAY))
    settle(ada, ben)
    agreement = ada.author.post("agreement", {}, about=response.id, resolve=by_id)

    assert "rrule" not in calendar(ada)[1][agreement.id.hex()]
