"""Finds the answers to a measure that count, window by window (R-22.4 to R-22.8).

A window is a run of days. All answers weigh the same. Each person has one answer in a window. Where
incidents are counted, each person has at most one incident a day. Answers of people who hold a part
of the service do not count; they are shown separately.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.statements import MeasureView, MergeView, ReportView, stands_at
from protocol.loops.windows import Calendar, parse_day

USUAL_SETTLE_MS = 72 * 3_600_000
SERVED_DAYS = 60
MOST_BY_PROXY = 2  # the most answers that one person may give for others in a window
LOWER = "lower"  # of a measure whose answers are good if they are low enough
_TAG = b"meshcoop panel 2"


class Report(NamedTuple):
    """An answer that counts, by one person.

    `day` is the day that the answer is about. `window` is the number of the window of that day.
    """

    time: int
    id: bytes
    person: bytes
    window: int
    day: int
    bad: bool

    @property
    def order(self) -> tuple[int, bytes]:
        """The sort key of reports: first the time, then the id."""
        return self.time, self.id


@dataclass(frozen=True)
class Incident:
    """The reports of one incident.

    `head` is the report that stands for all of them. The incident counts in the window of `head`.
    """

    head: Report
    reports: tuple[Report, ...]


@dataclass
class Window:
    """The answers and incidents of one window."""

    number: int
    answers: list[Report] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    not_charted: list[Report] = field(default_factory=list)  # answers of people outside the panel
    by_parties: list[Report] = field(
        default_factory=list
    )  # answers of people who hold a part of the service
    late: list[Report] = field(default_factory=list)  # answers that came after it had settled
    by_proxy: int = 0

    @property
    def people(self) -> set[bytes]:
        """The people who have an answer or a report of an incident that counts in this window."""
        return self._reporters | {report.person for report in self.answers}

    @property
    def bad_answers(self) -> list[Report]:
        """The answers and reports in this window that say that something was wrong."""
        return [*self._incident_reports, *(report for report in self.answers if report.bad)]

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the ids of all reports that count in this window. The ids are sorted.

        An action names this hash to show which answers it acts on.
        """
        reports = [*self.answers, *self._incident_reports]
        return hashlib.sha256(b"".join(sorted(report.id for report in reports))).digest()

    @property
    def _incident_reports(self) -> list[Report]:
        return [report for incident in self.incidents for report in incident.reports]

    @property
    def _reporters(self) -> set[bytes]:
        return {report.person for report in self._incident_reports}

    @cached_property
    def early_points(self) -> list[tuple[Report, int, int]]:
        """The reports of a window with incidents, in the order of time.

        With each report come two numbers: how many people have reported so far, and how many
        incidents they have reported. The list is empty if the window has no incidents.
        """
        if not self.incidents:
            return []
        incident_of = {
            report.id: place
            for place, incident in enumerate(self.incidents)
            for report in incident.reports
        }
        people: set[bytes] = set()
        seen: set[int] = set()
        points: list[tuple[Report, int, int]] = []
        for report in sorted(
            [*self._incident_reports, *self.answers], key=lambda report: report.order
        ):
            people.add(report.person)
            if report.id in incident_of:
                seen.add(incident_of[report.id])
            points.append((report, len(people), len(seen)))
        return points

    def point(self, scale: str, least: int) -> Point | None:
        """Returns the point of this window: its counted answers, as numbers for the tests.

        Returns None if fewer than `least` people have answered (R-20.1).
        """
        if len(self.people) < least:
            return None
        if scale == COUNT:
            return Point(1, len(self.incidents))
        return Point(len(self.answers), sum(report.bad for report in self.answers))


class MeasureContext(NamedTuple):
    """A measure, with all the facts that decide which of its answers count."""

    measure: MeasureView
    calendar: Calendar
    party_since: Mapping[bytes, int]  # who holds a part of the service, and from when on (ms)
    members: Collection[bytes]
    days_served: Mapping[bytes, Collection[int]] | None  # by person; None: all members are asked
    cycle: int = 1  # in so many windows, the answers of each person are charted once
    settle_ms: int = USUAL_SETTLE_MS  # between the end of a window and its settling
    last_window: int | None = None  # with it the measure ends; None: it has no end

    @property
    def scale(self) -> str:
        """What the tests count: `share` (the share of bad answers) or `count` (incidents)."""
        return COUNT if self.measure.scale == COUNT else SHARE

    def includes(self, report: Report) -> bool:
        """Returns True if the service served the author of the report (R-22.5).

        If the measure asks all members, it makes no difference who was served. The caller has
        already left out the reports of people who hold a part of the service. The report of a
        person goes on counting after the person was removed.
        """
        if self.days_served is None:
            return True
        days = self.days_served.get(report.person, ())
        return any(0 <= report.day - day <= SERVED_DAYS for day in days)

    def settles_at(self, window: int) -> int:
        """Returns the time (ms) at which a window settles: its answers then count as complete
        (R-24.8).
        """
        return self.calendar.window_start(window + 1) + self.settle_ms

    def is_party(self, report: Report) -> bool:
        """Returns True if the author of a report held a part of the service at the time of the
        report (R-24.12).
        """
        since = self.party_since.get(report.person)
        return since is not None and since <= report.time

    def is_bad(self, value: int) -> bool:
        """Returns True if an answer is bad.

        On the scale `count`, an answer is bad if it reports an incident. On the scale `share`, an
        answer is bad if it is worse than the measure's target.
        """
        if self.scale == COUNT:
            return value > 0
        target = self.measure.target
        assert target is not None, "a measure that counts has a target on its scale (R-22.1)"
        return value > target if self.measure.better == LOWER else value < target


class _Answer(NamedTuple):
    """A report, and the deputy who gave it for its author, or None (R-12.4)."""

    report: Report
    deputy: bytes | None


class WindowCounter:
    """Counts the answers to a measure, window by window. After a change, counts again only the
    windows that the change touches.
    """

    def __init__(self, context: MeasureContext) -> None:
        self.context = context
        self._windows: dict[int, Window] = {}
        self._feedback: dict[int, dict[bytes, ReportView]] = defaultdict(dict)  # by window
        self._window_of: dict[bytes, int] = {}  # by the id of the feedback
        self._merges: dict[bytes, MergeView] = {}
        self._merges_of: dict[bytes, set[bytes]] = defaultdict(set)  # by the id of the feedback
        self._stale: set[int] = set()

    @property
    def stale_count(self) -> int:
        """How many windows must be counted again."""
        return len(self._stale)

    def set_feedback(self, record_id: bytes, view: ReportView | None) -> None:
        """Replaces the view of a piece of feedback. If `view` is None, forgets this feedback."""
        old = self._window_of.pop(record_id, None)
        if old is not None:
            del self._feedback[old][record_id]
            self._stale.add(old)
        if view is not None and view.value is not None:
            assert view.on is not None, "feedback that counts is about a day"
            new = self.context.calendar.window_of_day(parse_day(view.on))
            self._window_of[record_id] = new
            self._feedback[new][record_id] = view
            self._stale.add(new)
        for merge_id in self._merges_of.get(record_id, ()):
            self._stale |= self._merged_windows(self._merges[merge_id])

    def set_merge(self, record_id: bytes, view: MergeView | None) -> None:
        """Replaces the view of a merge, which says that two reports are about one incident. If
        `view` is None, forgets this merge.
        """
        old = self._merges.pop(record_id, None)
        if old is not None:
            self._stale |= self._merged_windows(old)
            for report in _merged_reports(old):
                self._merges_of[report].discard(record_id)
        if view is not None:
            self._merges[record_id] = view
            for report in _merged_reports(view):
                self._merges_of[report].add(record_id)
            self._stale |= self._merged_windows(view)

    def count(self) -> dict[int, Window]:
        """Returns all windows, by their numbers. The caller must not change them."""
        stale = self._close_over_merges(self._stale)
        feedback = [view for number in stale for view in self._feedback[number].values()]
        merges = {
            merge_id: self._merges[merge_id]
            for view in feedback
            for merge_id in self._merges_of.get(view.id, ())
        }
        kept = {number: self._windows[number] for number in self._windows.keys() - stale}
        self._windows = {**kept, **count_windows(self.context, feedback, merges.values())}
        self._stale = set()
        return self._windows

    def _merged_windows(self, merge: MergeView) -> set[int]:
        reports = _merged_reports(merge)
        return {self._window_of[report] for report in reports if report in self._window_of}

    def _close_over_merges(self, windows: set[int]) -> set[int]:
        """Returns `windows`, and all windows that share an incident with them.

        One incident can have reports in several windows, but it counts in one window only. So these
        windows are counted again together.
        """
        closed = set(windows)
        unread = list(windows) if self.context.scale == COUNT else []
        while unread:
            for report in self._feedback[unread.pop()]:
                for merge_id in self._merges_of.get(report, ()):
                    further = self._merged_windows(self._merges[merge_id]) - closed
                    closed |= further
                    unread.extend(further)
        return closed


def count_windows(
    context: MeasureContext, feedback: Iterable[ReportView], merges: Iterable[MergeView]
) -> dict[int, Window]:
    """Maps the number of each window to the window, with the answers that count in it.

    `feedback` are the views of all answers. In each of the `merges`, a person says that their own
    report and an earlier report are about one and the same incident.
    """
    windows: dict[int, Window] = {}
    answers: list[_Answer] = []
    for view in sorted(feedback, key=lambda view: (stands_at(view), view.id)):
        report = _read_report(context, view)
        if report is None:
            continue
        if report.time > context.settles_at(report.window):
            _window_of(windows, report.window).late.append(report)
        elif context.is_party(report):
            _window_of(windows, report.window).by_parties.append(report)
        elif context.includes(report):
            answers.append(_Answer(report, view.by))
    if context.scale == COUNT:
        _count_incidents(context, windows, [answer.report for answer in answers], merges)
    else:
        _count_answers(context, windows, answers)
    return windows


def is_charted(measure: bytes, window: int, person: bytes, cycle: int) -> bool:
    """Returns True if the answers of a person are charted in a window: the tests and the chart use
    them (R-22.7).

    In each row of `cycle` windows, every person is charted in one window. No other member changes
    which window it is. A person could choose a key with which they are charted in a certain window.
    Even so, they are charted only once in each row.
    """
    row, place = divmod(window, cycle)
    drawn = hashlib.sha256(_TAG + measure + row.to_bytes(8, "big", signed=True) + person).digest()
    return int.from_bytes(drawn, "big") % cycle == place


def _merged_reports(merge: MergeView) -> list[bytes]:
    return [report for report in (merge.about, merge.other) if report is not None]


def _read_report(context: MeasureContext, view: ReportView) -> Report | None:
    """Returns the report in a view of feedback.

    Returns None if the feedback has words only, and no value.
    """
    if view.value is None:
        return None
    assert view.on is not None, "feedback that counts is about a day"
    day = parse_day(view.on)
    return Report(
        stands_at(view),
        view.id,
        view.author,
        context.calendar.window_of_day(day),
        day,
        context.is_bad(view.value),
    )


def _window_of(windows: dict[int, Window], number: int) -> Window:
    return windows.setdefault(number, Window(number))


def _count_answers(
    context: MeasureContext, windows: dict[int, Window], answers: Iterable[_Answer]
) -> None:
    """Adds the latest answer of each person to its window (R-22.4, R-22.5).

    A deputy is a person who signs for other people. If a deputy gives answers for other people, at
    most two of these answers count in a window.
    """
    latest = {(answer.report.window, answer.report.person): answer for answer in answers}
    given: dict[tuple[int, bytes], int] = defaultdict(int)
    for report, deputy in sorted(latest.values(), key=lambda answer: answer.report.order):
        number = report.window
        window = _window_of(windows, number)
        if deputy is not None:
            given[number, deputy] += 1
            if given[number, deputy] > MOST_BY_PROXY:
                continue
        is_drawn = is_charted(context.measure.id, number, report.person, context.cycle)
        (window.answers if is_drawn else window.not_charted).append(report)
        window.by_proxy += is_drawn and deputy is not None


def _count_incidents(
    context: MeasureContext,
    windows: dict[int, Window],
    reports: list[Report],
    merges: Iterable[MergeView],
) -> None:
    """Adds the incidents to their windows, after grouping the reports of one incident (R-22.6).

    If a person reports that all is fine, the window counts this person as having answered.
    """
    for report in reports:
        if not report.bad:
            _window_of(windows, report.window).answers.append(report)
    bad = [report for report in reports if report.bad]
    for incident in _group_reports(context, bad, merges):
        _window_of(windows, incident.head.window).incidents.append(incident)


def _group_reports(
    context: MeasureContext, reports: Iterable[Report], merges: Iterable[MergeView]
) -> list[Incident]:
    """Groups reports by incident. `reports` are in the order of time.

    All reports by one person about one day are one incident, and the first of them stands for all.
    By a merge, a person says that their own report and an earlier report are about one incident.
    The latest merge of a person's report counts. Nobody can merge the report of somebody else. If a
    window of the merged reports has settled before the merge stands, the merge changes nothing
    (R-22.6g).
    """
    listed = list(reports)
    first_of_day: dict[tuple[bytes, int], Report] = {}
    for report in listed:
        first_of_day.setdefault((report.person, report.day), report)
    by_id = {report.id: report for report in listed}
    named: dict[Report, Report | None] = {}
    for merge in sorted(merges, key=lambda merge: (stands_at(merge), merge.id)):
        own = by_id.get(merge.about or b"")
        other = by_id.get(merge.other or b"")
        merged = [report for report in (own, other) if report is not None]
        is_late = any(stands_at(merge) > context.settles_at(report.window) for report in merged)
        if own is not None and not is_late:
            named[first_of_day[own.person, own.day]] = other
    grouped: dict[Report, list[Report]] = defaultdict(list)
    for report in listed:
        own = first_of_day[report.person, report.day]
        other = named.get(own) or own
        grouped[first_of_day[other.person, other.day]].append(report)
    return [Incident(head, tuple(group)) for head, group in grouped.items()]
