"""Calendar files as the programs of others read them: each event begins and ends when ours does.

`icalendar` and `vobject` read them in Python, `ical.js` in Node (`tests/foreign/fetch` gets it).
"""

import json
import random
import re
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

import icalendar
import pytest
import vobject
from dateutil.rrule import rrulestr

from meshcoop.export.icalendar import encode_calendar
from protocol.errors import Refused
from protocol.local_clock import start_of
from protocol.recurrence import occurrence_days, occurrence_start, tidy_rule
from protocol.time_zones import find_zone

HERE = Path(__file__).parent
ZONES = ("America/New_York", "Europe/London", "Pacific/Auckland", "Asia/Kolkata")
ODD_ZONES = ("Asia/Jerusalem", "America/Santiago", "Australia/Lord_Howe", "Europe/Dublin",
             "Africa/Casablanca", "Pacific/Chatham")  # fmt: skip
MOST = 80  # occurrences of an event that are compared
COUNT = 20  # events that are drawn for a file
LONG_COUNT = 75
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def draw_rule(chance, starts):
    """Draws a rule that an event at this moment may have."""
    day = date.fromisoformat(starts[:10])
    weekday = WEEKDAYS[day.weekday()]
    nth = (day.day - 1) // 7 + 1
    end = (day + timedelta(days=chance.randrange(1, 1500))).strftime("%Y%m%d")
    tail = chance.choice(["", f";COUNT={chance.randrange(1, 90)}", f";UNTIL={end}", ";WKST=SU"])
    return chance.choice(
        [
            f"FREQ=DAILY;INTERVAL={chance.randrange(1, 40)}",
            f"FREQ=WEEKLY;INTERVAL={chance.randrange(1, 9)}",
            f"FREQ=WEEKLY;BYDAY={','.join(sorted({weekday, chance.choice(WEEKDAYS)}))}",
            f"FREQ=MONTHLY;BYDAY={min(nth, 4)}{weekday}",
            f"FREQ=MONTHLY;BYDAY=-1{weekday}",
            f"FREQ=MONTHLY;BYMONTHDAY={day.day}",
            f"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS={chance.choice((1, -1))}",
            f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={min(day.day, 28)}",
            f"FREQ=YEARLY;BYMONTH={day.month};BYDAY={weekday}",
            "FREQ=YEARLY",
        ]
    ) + tail  # fmt: skip


def draw_entries(seed, count):
    """Draws entries of a diary. Each repeats, and its rule gives its first day."""
    chance = random.Random(seed)
    entries = []
    while len(entries) < count:
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(730))
        clock = f"T{chance.randrange(24):02}:{chance.choice((0, 15, 30)):02}"
        starts = day.isoformat() + chance.choice([clock, clock, clock, ""])
        repeats = draw_rule(chance, starts)
        try:
            occurrence_days(starts, repeats)
        except Refused:
            continue
        entries.append(make_entry(str(len(entries)), starts, repeats, chance.randrange(5, 600)))
    return entries


def make_entry(uid, starts, repeats, minutes=60):
    return {
        "id": uid, "created": "2026-01-01T00:00:00.000Z", "title": "Lunch", "starts": starts,
        "minutes": minutes, "repeats": repeats, "area": None, "state": "confirmed",
    }  # fmt: skip


def own_occurrences(entry, zone):
    """Returns when each occurrence begins and ends by our own reckoning, in seconds since 1970."""
    spans = []
    for day in islice(occurrence_days(entry["starts"], entry["repeats"]), MOST):
        begin = start_of(occurrence_start(entry["starts"], day), zone) // 1000
        spans.append([begin, begin + entry["minutes"] * 60])
    return spans


def timed(entries):
    return [entry for entry in entries if "T" in entry["starts"]]


# -- the readers -----------------------------------------------------------------------------------


def read_with_icalendar(data):
    calendar = icalendar.Calendar.from_ical(data)
    zone = calendar.timezones[0].to_tz(lookup_tzid=False)
    series, irregular = {}, {}
    for event in calendar.walk("VEVENT"):
        uid = str(event["uid"])
        if "recurrence-id" in event:
            moment = event["recurrence-id"].dt.replace(tzinfo=None)
            irregular[uid, moment] = event.start, event.end
        elif "rrule" in event:
            start = event.start.replace(tzinfo=zone)
            rule = rrulestr(event["rrule"].to_ical().decode(), dtstart=start)
            series[uid] = rule, event["duration"].dt
        else:
            is_local = "TZID" in event["dtstart"].params
            start = event.start.replace(tzinfo=zone) if is_local else event.start
            series[uid] = [start], event.end - event.start
    return {uid: expand(uid, *series[uid], irregular) for uid in series}


def read_with_vobject(data):
    text = re.sub(r"TZID([:=])", r"TZID\1from-file/", data.decode())  # else it looks the zone up
    series, irregular = {}, {}
    for event in vobject.readOne(text).vevent_list:
        uid, start = event.uid.value, event.dtstart.value
        if hasattr(event, "recurrence_id"):
            moment = event.recurrence_id.value.replace(tzinfo=None)
            irregular[uid, moment] = start, event.dtend.value
        elif hasattr(event, "rrule"):
            series[uid] = event.getrruleset(), event.duration.value
        else:
            series[uid] = [start], event.dtend.value - start
    return {uid: expand(uid, *series[uid], irregular) for uid in series}


def expand(uid, rule, length, irregular):
    """Lists the first occurrences of a series, with those that an event of their own describes."""
    spans = []
    for moment in islice(rule, MOST):
        usual = moment, moment.astimezone(UTC) + length
        span = irregular.get((uid, moment.replace(tzinfo=None)), usual)
        spans.append([int(edge.timestamp()) for edge in span])
    return spans


def read_with_ical_js(files):
    if shutil.which("node") is None or not (HERE / "node_modules" / "ical.js").is_dir():
        pytest.skip("ical.js is not here: tests/foreign/fetch gets it, for Node")
    done = subprocess.run(
        ["node", str(HERE / "read_calendars.cjs"), str(MOST)],
        input=json.dumps([data.decode() for data in files]), capture_output=True, text=True,
        check=True, timeout=300,
    )  # fmt: skip
    return [dict(events) for events in json.loads(done.stdout)]


# -- what they must read ---------------------------------------------------------------------------


@cache
def rules_of_the_package():
    """Lists (starts, repeats) of each series in the calendars that come with `icalendar`."""
    folder = Path(icalendar.__file__).parent / "tests"
    rules = set()
    for path in sorted(folder.rglob("*.ics")):
        text = re.sub(r"\r?\n[ \t]", "", path.read_text("utf-8", "replace"))  # lines unfolded
        for part in text.split("BEGIN:")[1:]:
            start = re.search(r"^DTSTART[^:\n]*:(\d{4})(\d\d)(\d\d)(T\d{4})?", part, re.MULTILINE)
            rule = re.search(r"^RRULE:(.*)$", part, re.MULTILINE)
            if start and rule:
                year, month, day, clock = start.groups()
                clock = f"{clock[:3]}:{clock[3:]}" if clock else ""
                rules.add((f"{year}-{month}-{day}{clock}", f"RRULE:{rule[1]}"))
    return sorted(rules)


def read_rule(starts, repeats, zone):
    """Returns a rule in our spelling, and the refusal if it has none."""
    rule = tidy_rule(repeats, starts, zone)
    try:
        occurrence_days(starts, rule)
    except Refused as refusal:
        return rule, refusal
    return rule, None


def entries_of_the_package(zone):
    """Makes an entry of each series of the package that has days by our rules."""
    for number, (starts, repeats) in enumerate(rules_of_the_package()):
        rule, refusal = read_rule(starts, repeats, zone)
        if refusal is None and starts >= "1970":
            yield make_entry(f"package {number}", starts, rule)


def entries_about_changes(zone):
    """Makes entries that take place once, each quarter of an hour about a change of the clocks."""
    for change in changes_of_year(zone, 2027):
        for quarters in range(-12, 13):
            starts = (change + timedelta(minutes=15 * quarters)).isoformat()[:16]
            yield make_entry(f"once {starts}", starts, None, 90)


def changes_of_year(zone, year):
    """Lists when the clocks change in a year, by the clock before the change."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(8760)]
    clocks = [hour.astimezone(zone) for hour in hours]
    return [
        next_clock.replace(tzinfo=None)
        for clock, next_clock in pairwise(clocks)
        if clock.utcoffset() != next_clock.utcoffset()
    ]


@cache
def files_of(zone_ids, count):
    """Makes a calendar for each zone. Returns its bytes and what a reader must find in it."""
    files = {}
    for seed, zone_id in enumerate(zone_ids):
        zone = find_zone(zone_id)
        drawn = [*draw_entries(seed, count), *entries_of_the_package(zone)]
        entries = timed([*drawn, *entries_about_changes(zone)])
        expected = {entry["id"]: own_occurrences(entry, zone) for entry in entries}
        files[zone_id] = encode_calendar(entries, zone_id), expected
    return files


def differences(expected, reading):
    return [uid for uid in expected if reading.get(uid) != expected[uid]]


@pytest.mark.parametrize("count", [COUNT, pytest.param(LONG_COUNT, marks=pytest.mark.long)])
@pytest.mark.parametrize("reader", [read_with_icalendar, read_with_vobject])
@pytest.mark.parametrize("zone_id", [*ZONES, *ODD_ZONES])
def test_a_reader_in_python_finds_each_occurrence_at_our_moment(reader, zone_id, count):
    data, expected = files_of((*ZONES, *ODD_ZONES), count)[zone_id]

    assert differences(expected, reader(data)) == []


@pytest.mark.parametrize("count", [COUNT, pytest.param(LONG_COUNT, marks=pytest.mark.long)])
def test_ical_js_finds_each_occurrence_at_our_moment(count):
    files = files_of((*ZONES, *ODD_ZONES), count)

    readings = read_with_ical_js([data for data, _ in files.values()])

    wrong = {
        zone_id: differences(expected, reading)
        for (zone_id, (_, expected)), reading in zip(files.items(), readings, strict=True)
    }
    assert not any(wrong.values()), wrong


def test_a_rule_of_a_calendar_is_read_or_the_refusal_names_its_part():
    rules = rules_of_the_package()
    unnamed = []
    for starts, repeats in rules:
        rule, refusal = read_rule(starts, repeats, find_zone("Europe/London"))
        names = {part.partition("=")[0] for part in rule.split(";")}
        if refusal and refusal.rule == "R-17.2" and not any(n in str(refusal) for n in names):
            unnamed.append((repeats, str(refusal)))

    assert len(rules) > 50
    assert unnamed == []


@pytest.mark.parametrize(
    ("spelled", "rule"),
    [
        ("RRULE:FREQ=WEEKLY", "FREQ=WEEKLY"),
        (" freq=weekly;byday=mo, th ", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("FREQ=WEEKLY;UNTIL=20261231T235959Z;", "FREQ=WEEKLY;UNTIL=20261231"),
        ("FREQ=WEEKLY;UNTIL=20270101T045959Z", "FREQ=WEEKLY;UNTIL=20261231"),
        ("FREQ=WEEKLY;UNTIL=20261231T123000", "FREQ=WEEKLY;UNTIL=20261231"),
        ("FREQ=WEEKLY;UNTIL=20261231T122959", "FREQ=WEEKLY;UNTIL=20261230"),
        ("FREQ=WEEKLY;UNTIL=20260230T120000Z", "FREQ=WEEKLY;UNTIL=20260230T120000Z"),
    ],
)
def test_the_spelling_of_calendars_is_rewritten(spelled, rule):
    assert tidy_rule(spelled, "2026-11-23T12:30", find_zone("America/New_York")) == rule
