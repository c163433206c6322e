"""The loop of one measure: its signals, and the matters that people handle (R-23.1 to R-23.7).

A pure function of what was said and of `now`: run again, it gives the same; run with a late answer,
what it would have given had the answer come in time. At most one matter is open at a time.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from protocol.loops.action_state import Tally, tally_action
from protocol.loops.change_detection import BASELINE, Change, ChangeTest, alarm_limit, held_against
from protocol.loops.counted_answers import Asked, Incident, Window, count_windows
from protocol.loops.points import COUNT, Point
from protocol.loops.target_check import is_short

LIMITS_SHOWN = 60  # points of which limits are worked out, the latest
REOPENING_WINDOWS = 4  # windows after a matter was closed in which a new signal opens it again

View = dict[str, Any]


class MeasureInputs(NamedTuple):
    """What was said of one measure: views, in any order."""

    feedback: Collection[View]
    merges: Collection[View]
    actions: Collection[View]
    done: Collection[View]
    verdicts: Collection[View]


class LoopRules(NamedTuple):
    """What the charter says of loops; `settle` in ms."""

    smallest_group: int
    settle_ms: int


class Signal(NamedTuple):
    """What the tests say at a point. `at`: the moment (ms) from which it can be known."""

    window: int
    at: int
    point: Point
    found: ChangeTest
    short: bool

    @property
    def change(self) -> Change | None:
        """Whether something changed."""
        return self.found.change

    @property
    def calls(self) -> bool:
        """Whether people are to look at it."""
        return self.short or self.change == "worse"


@dataclass
class Matter:
    """What a signal has opened. `closed`: when it was confirmed; `faded`: with late answers the
    signal is gone, and it stays because somebody acts on it.
    """

    id: bytes
    window: int
    opened: int
    short: bool
    change: Change | None
    early: bool  # opened before there was a baseline
    raisers: set[bytes]
    faded: bool = False
    closed: int | None = None
    again: list[int] = field(default_factory=list)  # when it was opened again
    actions: list[View] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)

    @property
    def leading(self) -> Tally | None:
        """The first action; others help."""
        return self.tallies[0] if self.tallies else None


@dataclass
class Loop:
    """All of it, as of `now`. `phase`: the first window of the phase; None: since the beginning."""

    asked: Asked
    windows: dict[int, Window]
    points: list[tuple[int, Point]] = field(default_factory=list)  # settled ones, by window
    signals: list[Signal] = field(default_factory=list)
    latest: Signal | None = None  # what the tests say of the last settled point
    matters: list[Matter] = field(default_factory=list)
    phase: int | None = None
    phases: dict[int, int | None] = field(default_factory=dict)  # the phase of each point

    @cached_property
    def limits(self) -> dict[int, int | None]:
        """From how many bad ones on each of the latest points alone would stand out (R-20.3)."""
        return {
            number: alarm_limit(
                self.asked.scale, [*self.points_before(number, self.phases[number]), point]
            )
            for number, point in self.points[-LIMITS_SHOWN:]
        }

    def points_before(self, number: int, first: int | None) -> list[Point]:
        """The points before a window, from window `first` on."""
        return [
            point
            for window, point in self.points
            if window < number and (first is None or window >= first)
        ]


def follow_measure(asked: Asked, said: MeasureInputs, rules: LoopRules, now: int) -> Loop:
    """Goes through the windows and what people did until now, in order of time."""
    said = MeasureInputs(*([one for one in views if one["created"] <= now] for views in said))
    loop = Loop(asked, count_windows(asked, said.feedback, said.merges))
    return _Follower(loop, said, rules, now).follow()


class _Follower:
    def __init__(self, loop: Loop, said: MeasureInputs, rules: LoopRules, now: int) -> None:
        self._loop, self._said, self._rules, self._now = loop, said, rules, now
        self._pooled: int | None = None  # the first window after the last confirmed action
        self._better_after: int | None = None  # from this window on a better signal begins a phase
        self._done = _by_about(said.done)
        self._verdicts = _by_about(said.verdicts)

    def follow(self) -> Loop:
        for _, _, _, step in sorted(self._steps(), key=lambda one: one[:3]):
            if isinstance(step, Window):
                self._settle(step)
            elif isinstance(step, tuple):
                self._crosses(*step)
            elif step["kind"] == "action":
                self._act(step)
            else:
                self._judge(step["created"])
        self._judge(self._now)
        return self._loop

    def _steps(self) -> Iterable[tuple[int, str, bytes, Any]]:
        """(time, type, id, what): windows that settle, reports that count, what people did."""
        calendar = self._loop.asked.calendar
        for number, window in self._loop.windows.items():
            settles = calendar.begin(number + 1) + self._rules.settle_ms
            if settles <= self._now:
                yield settles, "settled", number.to_bytes(8, "big", signed=True), window
            for incident in window.incidents:
                for one in incident.reports:
                    yield one.time, "report", one.id, (window, one.time, one.id)
            for one in window.answers if window.incidents else ():
                yield one.time, "report", one.id, (window, one.time, one.id)
        for view in (*self._said.actions, *self._said.done, *self._said.verdicts):
            yield view["created"], view["kind"], view["id"], view

    # -- signals ----------------------------------------------------------------------------------

    def _settle(self, window: Window) -> None:
        point = window.point(self._loop.asked.scale, self._least)
        if point is None:
            return
        self._loop.points.append((window.number, point))
        self._loop.points.sort()
        self._loop.phases[window.number] = self._loop.phase
        at = self._loop.asked.calendar.begin(window.number + 1) + self._rules.settle_ms
        signal = self._signal(window.number, point, at)
        self._loop.latest = signal
        if signal.calls or signal.change:
            self._loop.signals.append(signal)
        if signal.calls:
            self._open(signal)
        after = self._better_after
        if signal.change == "better" and after is not None and window.number >= after:
            self._loop.phase, self._better_after = after, None

    def _crosses(self, window: Window, time: int, report: bytes) -> None:
        """R-23.1: incidents only grow, so a count need not wait until its window settles."""
        so_far = _until(window, (time, report))
        point = so_far.point(COUNT, self._least)
        if point is None or window.number in dict(self._loop.points):
            return
        signal = self._signal(window.number, point, time)
        if signal.calls:
            self._open(signal)

    def _signal(self, number: int, point: Point, at: int) -> Signal:
        scale, measure = self._loop.asked.scale, self._loop.asked.measure
        phase = [*self._loop.points_before(number, self._loop.phase), point]
        pooled = [*self._loop.points_before(number, _later(self._loop.phase, self._pooled)), point]
        aim = measure["target"] if scale == COUNT else measure["share"]
        return Signal(number, at, point, held_against(scale, phase), is_short(scale, aim, pooled))

    @property
    def _least(self) -> int:
        return max(self._rules.smallest_group, self._loop.asked.measure["min_answers"] or 1)

    # -- matters ----------------------------------------------------------------------------------

    def _open(self, signal: Signal) -> None:
        last = self._loop.matters[-1] if self._loop.matters else None
        raisers = self._loop.windows[signal.window].raisers
        if last is not None and last.closed is None:
            last.raisers |= raisers
            last.short |= signal.short
            if signal.change == "worse":
                last.change = "worse"
            return
        if last is not None and last.closed is not None:
            closed_in = self._loop.asked.calendar.at(last.closed)
            if signal.window <= closed_in:
                return  # it speaks of the time before that was put right
            if signal.window - closed_in <= REOPENING_WINDOWS and signal.change == "worse":
                last.closed = None
                last.again.append(signal.at)
                last.raisers |= raisers
                return
        self._add(signal.window, signal.at, signal.short, signal.change, raisers)

    def _add(
        self, window: int, at: int, short: bool, change: Change | None, raisers: set[bytes]
    ) -> Matter:
        early = len(self._loop.points_before(window, self._loop.phase)) < BASELINE[0]
        place = matter_id(self._loop.asked.measure["id"], window)
        matter = Matter(place, window, at, short, change, early, set(raisers))
        self._loop.matters.append(matter)
        return matter

    def _act(self, action: View) -> None:
        last = self._loop.matters[-1] if self._loop.matters else None
        if last is None or last.closed is not None:
            if action["window"] is None:
                return
            # it cites a signal that is gone with late answers, or has been put right.
            known = {one.window: one for one in self._loop.matters}
            last = known.get(action["window"])
            if last is None:
                window = self._loop.windows.get(action["window"])
                raisers = window.raisers if window else set()
                last = self._add(action["window"], action["created"], False, None, raisers)
                last.faded = True
        last.actions.append(action)
        last.tallies.append(Tally(action, since=action["created"]))

    def _judge(self, until: int) -> None:
        """What has become of the actions of the latest matter; what it comes to may open it again."""
        for matter in self._loop.matters[-1:]:
            matter.tallies = [
                tally_action(
                    one,
                    self._done.get(one["id"], ()),
                    self._verdicts.get(one["id"], ()),
                    matter.raisers,
                    self._rules.smallest_group,
                    until,
                )
                for one in matter.actions
            ]
            opened = matter.again[-1] if matter.again else matter.opened
            confirmed = [
                one for one in matter.tallies if one.state == "confirmed" and one.since >= opened
            ]
            if matter.closed is None and confirmed:
                self._close(matter, confirmed[0])
            elif matter.closed is not None and not confirmed:
                matter.closed = self._pooled = self._better_after = None

    def _close(self, matter: Matter, confirmed: Tally) -> None:
        matter.closed = confirmed.since
        assert confirmed.done is not None
        first = self._loop.asked.calendar.at(confirmed.done) + 1
        self._pooled = self._better_after = first


def _until(window: Window, last: tuple[int, bytes]) -> Window:
    """A window as it was when this report came."""
    incidents = [
        Incident(so_far)
        for one in window.incidents
        if (so_far := tuple(report for report in one.reports if report.order <= last))
    ]
    answers = [one for one in window.answers if one.order <= last]
    return Window(window.number, answers, incidents)


def _later(one: int | None, other: int | None) -> int | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _by_about(views: Iterable[View]) -> Mapping[bytes, list[View]]:
    found: dict[bytes, list[View]] = {}
    for view in views:
        found.setdefault(view["about"], []).append(view)
    return found


def matter_id(measure: bytes, window: int) -> bytes:
    """R-23.1: the same on every home: SHA-256 of a tag, the measure and the opening window."""
    number = window.to_bytes(8, "big", signed=True)
    return hashlib.sha256(b"meshcoop matter 1" + measure + number).digest()
