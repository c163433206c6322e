"""Only a few modules read a clock or a time zone. All others ask a `LocalClock` (R-10.17)."""

import ast

from tests.support.house import ROOT, product_files

CLOCKS = {"datetime", "date", "time"}
READINGS = {"now", "utcnow", "today", "localtime", "gmtime", "strftime", "ctime", "time", "time_ns"}
CONVERSIONS = {"astimezone", "fromtimestamp", "utcfromtimestamp", "timetuple"}
CHARTER_FIELDS = {"offset", "timezone"}

ALLOWED = {
    # The clock of a home, and what it looks like in local time and in UTC.
    "meshcoop/clock.py": {"time.time_ns", ".fromtimestamp"},
    "protocol/local_clock.py": {".fromtimestamp"},
    "protocol/time_zones.py": {"ZoneInfo.from_file"},
    "meshcoop/fold/state.py": {"timezone"},
    # Founding checks moments by the new zone, and sets the charter's offset to that of the zone.
    "meshcoop/cli/membership.py": {"timezone"},
    "meshcoop/author/founding.py": {"offset", "timezone"},
    # The offset decides about the windows of measures alone.
    "protocol/authority/register_change.py": {"offset"},
    "meshcoop/api/beside/rehearsed_points.py": {"offset"},
    # These carry a time zone from the local API to a clock or to a calendar.
    "meshcoop/cli/context.py": {"timezone"},
    "meshcoop/cli/export.py": {"timezone"},
    "meshcoop/export/own_files.py": {"timezone"},
    # Calendars of other programs write moments in UTC, and learn how clocks change.
    "protocol/recurrence.py": {".astimezone"},
    "meshcoop/export/icalendar.py": {".astimezone"},
    "meshcoop/export/observances.py": {".astimezone"},
    # Times for technicians, which say that they are in UTC.
    "meshcoop/node/json_log.py": {".fromtimestamp"},
    "meshcoop/cli/doctor/checks/machine.py": {".fromtimestamp", ".strftime"},
    # The name of a folder, and times that two libp2p nodes agree on.
    "meshcoop/repair/rebuild.py": {"time.strftime"},
    # The days of log files, in UTC, by the clock that their entries have.
    "meshcoop/home/log_files.py": {"time.time", ".fromtimestamp"},
    "meshcoop/network/libp2p/circuit_client.py": {"time.time"},
    "meshcoop/network/libp2p/circuit_relay.py": {"time.time"},
    # The demo and the benchmarks have neighbourhoods without a time zone.
    "meshcoop/dev/bench/fixtures.py": {"time.time_ns"},
    "meshcoop/dev/demo/bins.py": {"datetime.now"},
    "meshcoop/dev/demo/story.py": {"datetime.now"},
}


def readings(source):
    """Returns what a module reads of clocks, of time zones and of the charter's fields on time."""
    return {text for node in ast.walk(ast.parse(source)) for text in _readings_of(node)}


def _readings_of(node):
    match node:
        case ast.Attribute(value=ast.Name(id=clock), attr=name) if clock in CLOCKS:
            if name in READINGS:
                yield f"{clock}.{name}"
            if name in CONVERSIONS:
                yield f".{name}"
        case ast.Attribute(attr=name) if name in CONVERSIONS | {"strftime"}:
            yield f".{name}"
        case ast.Attribute(value=ast.Name(id="ZoneInfo"), attr="from_file"):
            yield "ZoneInfo.from_file"
        case ast.Call(func=ast.Name(id="ZoneInfo")):
            yield "ZoneInfo"
        case (
            ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_])
            | ast.Subscript(slice=ast.Constant(value=str(name)), ctx=ast.Load())
        ) if name in CHARTER_FIELDS:
            yield name


def test_only_these_modules_read_a_clock_or_a_zone():
    found = {
        str(path.relative_to(ROOT)): readings(path.read_text(encoding="utf-8"))
        for path in product_files()
    }

    assert {path: names for path, names in found.items() if names} == ALLOWED


def test_every_way_to_read_a_clock_is_found():
    source = (
        "datetime.now(UTC)\ndate.today()\ntime.localtime()\ndatetime.fromtimestamp(0)\n"
        "moment.astimezone()\nZoneInfo(name)\nnow.strftime('%Y')\n"
        "authority.charter['offset']\ncharter.get('timezone')\n"
    )

    assert readings(source) == {
        "datetime.now", "date.today", "time.localtime", ".fromtimestamp", ".astimezone",
        "ZoneInfo", ".strftime", "offset", "timezone",
    }  # fmt: skip
