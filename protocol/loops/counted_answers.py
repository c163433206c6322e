"""The answers to a measure that count, window by window (R-22.4 to R-22.8).

There are no weights. A person has one answer in a window, or one for each incident and day. People
who hold a part of the service are left out for that reason; their answers are shown apart.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.windows import Calendar, parse_day

PANEL_SIZE = 30  # if there are more members, the answers of this many are charted
SERVED_DAYS = 60
MOST_BY_PROXY = 2  # one person gives at most so many answers for others in a window
_TAG = b"meshcoop panel 1"

View = dict[str, Any]


class Report(NamedTuple):
    """An answer that counts. `window` is the window of its day."""

    time: int
    id: bytes
    person: bytes
    window: int
    day: int
    bad: bool
    link: bytes | None

    @property
    def order(self) -> tuple[int, bytes]:
        """The order of reports: by time, then by id."""
        return self.time, self.id


@dataclass(frozen=True)
class Incident:
    """Reports of one incident. The incident counts on its earliest day."""

    reports: tuple[Report, ...]

    @property
    def first(self) -> Report:
        """The report that stands for the incident."""
        return min(self.reports, key=lambda report: report.order)

    @property
    def day(self) -> int:
        """The earliest day that a reporter names."""
        return min(report.day for report in self.reports)


@dataclass
class Window:
    """The answers of one window."""

    number: int
    answers: list[Report] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    not_charted: list[Report] = field(default_factory=list)  # by people who are not on the panel
    by_parties: list[Report] = field(
        default_factory=list
    )  # by those who hold a part of the service
    by_proxy: int = 0

    @property
    def people(self) -> set[bytes]:
        """The people whose answers count in the window."""
        return self._reporters | {report.person for report in self.answers}

    @property
    def raisers(self) -> set[bytes]:
        """The people who said that something was wrong."""
        return self._reporters | {report.person for report in self.answers if report.bad}

    @property
    def digest(self) -> bytes:
        """SHA-256 of the sorted ids of all reports that count in the window. An action cites it."""
        reports = [*self.answers, *self._incident_reports]
        return hashlib.sha256(b"".join(sorted(report.id for report in reports))).digest()

    @property
    def _incident_reports(self) -> list[Report]:
        return [report for incident in self.incidents for report in incident.reports]

    @property
    def _reporters(self) -> set[bytes]:
        return {report.person for report in self._incident_reports}

    def point(self, scale: str, least: int) -> Point | None:
        """Returns the window's point.

        Returns None if fewer than `least` people have answered (R-20.1).
        """
        if len(self.people) < least:
            return None
        if scale == COUNT:
            return Point(1, len(self.incidents))
        return Point(len(self.answers), sum(report.bad for report in self.answers))


class MeasureContext(NamedTuple):
    """A measure, with everything that decides which answers to it count."""

    measure: View
    calendar: Calendar
    parties: Collection[bytes]  # the parties to the chain
    members: Collection[bytes]
    days_served: Mapping[bytes, Collection[int]] | None  # by person; None: everybody is asked

    @property
    def scale(self) -> str:
        """How the measure's scale is counted: `share` or `count`."""
        return COUNT if self.measure["scale"] == COUNT else SHARE

    def includes(self, report: Report) -> bool:
        """Returns True if the author of the report is a member who was served (R-22.5).

        The caller has already left out the reports of parties.
        """
        if report.person not in self.members:
            return False
        if self.days_served is None:
            return True
        days = self.days_served.get(report.person, ())
        return any(0 <= report.day - day <= SERVED_DAYS for day in days)

    def is_bad(self, value: int) -> bool:
        """Returns True if an answer is worse than what one person may expect."""
        if self.scale == COUNT:
            return value > 0
        target: int = self.measure["target"]
        return value > target if self.measure["better"] == "lower" else value < target


class _Answer(NamedTuple):
    """A report, and the person who gave it by proxy, if somebody did (R-12.4)."""

    report: Report
    deputy: bytes | None


def count_windows(
    context: MeasureContext, feedback: Iterable[View], merges: Iterable[View]
) -> dict[int, Window]:
    """Returns the windows of a measure by number, from the views of its feedback and merges."""
    windows: dict[int, Window] = {}
    answers: list[_Answer] = []
    for view in sorted(feedback, key=lambda view: (view["created"], view["id"])):
        report = _read_report(context, view)
        if report is None:
            continue
        if report.person in context.parties:
            _window_of(windows, report.window).by_parties.append(report)
        elif context.includes(report):
            answers.append(_Answer(report, view.get("by")))
    if context.scale == COUNT:
        _count_incidents(context, windows, [answer.report for answer in answers], merges)
    else:
        _count_answers(context, windows, answers)
    return windows


def draw_panel(measure: bytes, window: int, members: Collection[bytes]) -> set[bytes]:
    """Returns the people whose answers are charted (R-22.7).

    These are all members, or 30 of them drawn for this window if there are more.
    """
    if len(members) <= PANEL_SIZE:
        return set(members)
    # Drawn by hash, not by chance: every home draws the same people.
    place = _TAG + measure + window.to_bytes(8, "big", signed=True)
    drawn = sorted(members, key=lambda person: hashlib.sha256(place + person).digest())
    return set(drawn[:PANEL_SIZE])


def _read_report(context: MeasureContext, view: View) -> Report | None:
    """Reads the report in a view of feedback.

    Returns None if the feedback has no value, only words.
    """
    if view["value"] is None:
        return None
    day = parse_day(view["on"])
    return Report(
        view["created"],
        view["id"],
        view["author"],
        context.calendar.window_of_day(day),
        day,
        context.is_bad(view["value"]),
        view["link"],
    )


def _window_of(windows: dict[int, Window], number: int) -> Window:
    return windows.setdefault(number, Window(number))


def _count_answers(
    context: MeasureContext, windows: dict[int, Window], answers: Iterable[_Answer]
) -> None:
    """Counts the latest answer of each person in a window (R-22.4, R-22.5).

    Of the answers that one deputy gives for others, at most two count in a window.
    """
    latest = {(answer.report.window, answer.report.person): answer for answer in answers}
    given: dict[tuple[int, bytes], int] = defaultdict(int)
    panels: dict[int, set[bytes]] = {}
    for report, deputy in sorted(latest.values(), key=lambda answer: answer.report.order):
        number = report.window
        window = _window_of(windows, number)
        if deputy is not None:
            given[number, deputy] += 1
            if given[number, deputy] > MOST_BY_PROXY:
                continue
        if number not in panels:
            panels[number] = draw_panel(context.measure["id"], number, context.members)
        is_charted = report.person in panels[number]
        (window.answers if is_charted else window.not_charted).append(report)
        window.by_proxy += is_charted and deputy is not None


def _count_incidents(
    context: MeasureContext,
    windows: dict[int, Window],
    reports: list[Report],
    merges: Iterable[View],
) -> None:
    """Counts distinct incidents, after merging (R-22.6).

    A person who says that all is fine counts as somebody who answered.
    """
    for report in reports:
        if not report.bad:
            _window_of(windows, report.window).answers.append(report)
    bad = {report.id: report for report in reports if report.bad}
    for incident in _merge_reports(bad, merges):
        number = context.calendar.window_of_day(incident.day)
        _window_of(windows, number).incidents.append(incident)


def _merge_reports(reports: dict[bytes, Report], merges: Iterable[View]) -> list[Incident]:
    """Merges reports of the same incident, by union-find.

    Reports are the same if somebody said so, or if one person made them for one day and one link.
    """
    parent = {report_id: report_id for report_id in reports}

    def find_leader(report_id: bytes) -> bytes:
        while parent[report_id] != report_id:
            grandparent = parent[parent[report_id]]
            parent[report_id] = grandparent  # halves the path for the next search
            report_id = grandparent
        return report_id

    pairs = [(merge["about"], merge["other"]) for merge in merges if merge["state"] == "said"]
    own: dict[tuple[bytes, int, bytes | None], bytes] = {}
    for report in reports.values():
        first = own.setdefault((report.person, report.day, report.link), report.id)
        pairs.append((first, report.id))
    for first, second in pairs:
        if first in parent and second in parent:
            parent[find_leader(first)] = find_leader(second)
    clusters: dict[bytes, list[Report]] = defaultdict(list)
    for report_id, report in reports.items():
        clusters[find_leader(report_id)].append(report)
    return [
        Incident(tuple(sorted(cluster, key=lambda report: report.order)))
        for cluster in clusters.values()
    ]
