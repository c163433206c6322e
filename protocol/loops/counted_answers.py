"""Who counts: what the answers to a measure come to, window by window (R-22.4 to R-22.8).

No weights: one answer a person and window, or a person, incident and day. Whoever holds a part of
the service is left out by that relation, and their view is shown apart.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.windows import Calendar, day_of

PANEL_SIZE = 30  # people whose answers are charted where more belong
SERVED_DAYS = 60
MOST_BY_PROXY = 2  # answers of others that one person gives in a window
_TAG = b"meshcoop panel 1"

View = dict[str, Any]


class Report(NamedTuple):
    """An answer that counts, in the window of its day."""

    time: int
    id: bytes
    person: bytes
    window: int
    day: int
    bad: bool
    link: bytes | None

    @property
    def order(self) -> tuple[int, bytes]:
        """Which of two came first."""
        return self.time, self.id


@dataclass(frozen=True)
class Incident:
    """Reports of one thing that happened; it counts on its earliest day."""

    reports: tuple[Report, ...]

    @property
    def first(self) -> Report:
        """The report that stands for it."""
        return min(self.reports, key=lambda one: one.order)

    @property
    def day(self) -> int:
        """The earliest day that a reporter names."""
        return min(one.day for one in self.reports)


@dataclass
class Window:
    """What was said in one window. `beside`: by people who are not charted; `apart`: by those who
    hold a part of the service.
    """

    number: int
    answers: list[Report] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    beside: list[Report] = field(default_factory=list)
    apart: list[Report] = field(default_factory=list)
    by_proxy: int = 0

    @property
    def people(self) -> set[bytes]:
        """Whose answers count here."""
        told = {one.person for incident in self.incidents for one in incident.reports}
        return told | {one.person for one in self.answers}

    @property
    def raisers(self) -> set[bytes]:
        """Who said that something was wrong."""
        told = {one.person for incident in self.incidents for one in incident.reports}
        return told | {one.person for one in self.answers if one.bad}

    @property
    def digest(self) -> bytes:
        """SHA-256 of the ids of all that counts here, sorted: what an action cites."""
        reports = [*self.answers, *(one for each in self.incidents for one in each.reports)]
        return hashlib.sha256(b"".join(sorted(one.id for one in reports))).digest()

    def point(self, scale: str, least: int) -> Point | None:
        """R-20.1: its point; None where fewer than `least` people have said something."""
        if len(self.people) < least:
            return None
        if scale == COUNT:
            return Point(1, len(self.incidents))
        return Point(len(self.answers), sum(one.bad for one in self.answers))


class Asked(NamedTuple):
    """A measure as its windows are counted. `leave_out`: parties to the chain."""

    measure: View
    calendar: Calendar
    leave_out: Collection[bytes]
    members: Collection[bytes]
    days_served: Mapping[bytes, Collection[int]] | None  # person → days on which they were served

    @property
    def scale(self) -> str:
        """Which of the two ways of counting it is."""
        return COUNT if self.measure["scale"] == COUNT else SHARE

    def includes(self, report: Report) -> bool:
        """R-22.5: whether the answer of somebody who is no party counts: a member, who was served."""
        if report.person not in self.members:
            return False
        if self.days_served is None:
            return True
        days = self.days_served.get(report.person, ())
        return any(0 <= report.day - one <= SERVED_DAYS for one in days)

    def is_bad(self, value: int) -> bool:
        """Whether an answer misses what one person may expect."""
        target = self.measure["target"]
        if self.scale == COUNT:
            return value > 0
        return bool(value < target if self.measure["better"] != "lower" else value > target)


def count_windows(
    asked: Asked, feedback: Iterable[View], merges: Iterable[View]
) -> dict[int, Window]:
    """What was said of a measure, by the number of the window."""
    found: dict[int, Window] = {}
    reports = []
    for view in sorted(feedback, key=lambda one: (one["created"], one["id"])):
        report = _report(asked, view)
        if report is None:
            continue
        if report.person in asked.leave_out:
            _window(found, report.window).apart.append(report)
        elif asked.includes(report):
            reports.append((report, view.get("by")))
    if asked.scale == COUNT:
        _count(asked, found, [report for report, _ in reports], merges)
    else:
        _share(asked, found, reports)
    return found


def draw_panel(measure: bytes, window: int, members: Collection[bytes]) -> set[bytes]:
    """R-22.7: whose answers are charted: all, or the 30 on whom the lot falls in this window."""
    if len(members) <= PANEL_SIZE:
        return set(members)
    number = window.to_bytes(8, "big", signed=True)
    drawn = sorted(members, key=lambda one: hashlib.sha256(_TAG + measure + number + one).digest())
    return set(drawn[:PANEL_SIZE])


def _report(asked: Asked, view: View) -> Report | None:
    if view["value"] is None:
        return None
    day = day_of(view["on"])
    place = (view["created"], view["id"], view["author"], asked.calendar.window(day), day)
    return Report(*place, asked.is_bad(view["value"]), view["link"])


def _window(found: dict[int, Window], number: int) -> Window:
    return found.setdefault(number, Window(number))


def _share(
    asked: Asked, found: dict[int, Window], reports: list[tuple[Report, bytes | None]]
) -> None:
    """R-22.4, R-22.5: a person's latest answer in a window; two by proxy at the most."""
    latest: dict[tuple[int, bytes], tuple[Report, bytes | None]] = {}
    for report, by in reports:
        latest[report.window, report.person] = (report, by)
    given: dict[tuple[int, bytes], int] = defaultdict(int)
    panels: dict[int, set[bytes]] = {}
    for report, by in sorted(latest.values(), key=lambda one: one[0].order):
        window = _window(found, report.window)
        if by is not None:
            given[report.window, by] += 1
            if given[report.window, by] > MOST_BY_PROXY:
                continue
        if report.window not in panels:
            panels[report.window] = draw_panel(asked.measure["id"], report.window, asked.members)
        charted = report.person in panels[report.window]
        (window.answers if charted else window.beside).append(report)
        window.by_proxy += charted and by is not None


def _count(
    asked: Asked, found: dict[int, Window], reports: list[Report], merges: Iterable[View]
) -> None:
    """R-22.6: distinct incidents, after merging; who says that all is fine counts as heard."""
    bad = {one.id: one for one in reports if one.bad}
    for one in reports:
        if not one.bad:
            _window(found, one.window).answers.append(one)
    for cluster in _clusters(bad, merges):
        incident = Incident(cluster)
        _window(found, asked.calendar.window(incident.day)).incidents.append(incident)


def _clusters(reports: dict[bytes, Report], merges: Iterable[View]) -> list[tuple[Report, ...]]:
    """Union-find over what was said to be the same, and over a person's own reports of one day."""
    leader = {one: one for one in reports}

    def find(one: bytes) -> bytes:
        while leader[one] != one:
            leader[one] = one = leader[leader[one]]
        return one

    same = [(one["about"], one["other"]) for one in merges if one["state"] == "said"]
    own: dict[object, bytes] = {}
    for report in reports.values():
        first = own.setdefault((report.person, report.day, report.link), report.id)
        same.append((first, report.id))
    for one, other in same:
        if one in leader and other in leader:
            leader[find(one)] = find(other)
    clusters: dict[bytes, list[Report]] = defaultdict(list)
    for one, report in reports.items():
        clusters[find(one)].append(report)
    return [tuple(sorted(each, key=lambda one: one.order)) for each in clusters.values()]
