"""The loop of one measure: its signals, and the matters that people handle (R-23.1 to R-23.7).

A loop is a pure function of what people said and of the time `now`. The same input always gives the
same loop. The time at which an answer arrives here makes no difference; only the time at which the
answer counts does. At most one matter is open at a time.

A window settles some hours after its end. Only then do its answers become a point: the numbers that
the tests read.
"""

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from protocol.loops.action_state import ActionState, Tally, tally_action
from protocol.loops.change_detection import (
    BASELINE,
    RARE,
    Change,
    ChangeTest,
    alarm_limit,
    run_change_test,
)
from protocol.loops.counted_answers import MeasureContext, Report, Window, count_windows
from protocol.loops.points import COUNT, Point
from protocol.loops.statements import (
    ActionView,
    MergeView,
    ReportView,
    StatementView,
    VerdictView,
    stands_at,
)
from protocol.loops.target_check import USUAL_SHARE, misses_target

LIMITS_SHOWN = 60  # for how many of the latest points alarm limits are computed
REOPENING_WINDOWS = 4  # for so many windows, a new signal reopens a closed matter
QUIET_POINTS = 4  # after so many points without a signal, what is reported done is closed
_LONG_TEST = 4  # the points of the test W4

V = TypeVar("V", bound=StatementView)


class MeasureInputs(NamedTuple):
    """The views of everything that people said about one measure, in any order."""

    feedback: Collection[ReportView]
    merges: Collection[MergeView]
    actions: Collection[ActionView]
    done: Collection[StatementView]  # reports that an action is done
    verdicts: Collection[VerdictView]
    # Window → when (ms) half of the witnesses had named the matter that opened because of it.
    seen_matters: Mapping[int, int] = MappingProxyType({})

    def until(self, now: int) -> "MeasureInputs":
        """Returns the views of what people had said by the time `now` (ms)."""
        return MeasureInputs(
            _until(self.feedback, now),
            _until(self.merges, now),
            _until(self.actions, now),
            _until(self.done, now),
            _until(self.verdicts, now),
            {window: seen for window, seen in self.seen_matters.items() if seen <= now},
        )


class LoopRules(NamedTuple):
    """The rules of the charter that loops need.

    `smallest_group` is the smallest number of people whose answers may be shown. `settle_ms` is the
    time from the end of a window until its answers count as complete.
    """

    smallest_group: int
    settle_ms: int


class Signal(NamedTuple):
    """The results of the tests at one point. A point is the counted answers of one window.

    The field `at` is the earliest time (ms) at which these results can be known.
    """

    window: int
    at: int
    point: Point
    change_test: ChangeTest
    misses_target: bool

    @property
    def change(self) -> Change | None:
        """The change that the change test found, "worse" or "better", or None."""
        return self.change_test.change

    @property
    def needs_attention(self) -> bool:
        """True if people should act: the measure misses its target or has become worse."""
        return self.misses_target or self.change == "worse"


@dataclass
class Matter:
    """A matter: a problem that a signal shows, with people's actions on it. Times are in ms."""

    id: bytes
    window: int
    opened: int
    misses_target: bool
    change: Change | None
    opened_early: bool  # opened before there were enough points for a baseline
    raisers: set[bytes]
    windows: set[int]  # the windows of the signals that opened and joined it
    faded: bool = False  # its signal is gone, but somebody acts on it, or witnesses saw it
    closed: int | None = None  # when the matter was closed
    closed_in: int = 0  # the window in which it was closed
    is_quiet: bool = False  # nobody confirmed it: it was closed because no signal came (R-23.5i)
    reopened_at: list[int] = field(default_factory=list)  # when a signal reopened what was done
    actions: list[ActionView] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)

    @property
    def leading(self) -> Tally | None:
        """The first action in the matter, or None. All later actions support the first action."""
        return self.tallies[0] if self.tallies else None

    @property
    def done_at(self) -> int | None:
        """When an action of the matter was last reported done (ms), or None."""
        times = [tally.done_at for tally in self.tallies if tally.done_at is not None]
        return max(times, default=None)


@dataclass
class Loop:
    """The points, signals and matters of a measure at one time. A point is the counted answers of
    one window.
    """

    context: MeasureContext
    windows: dict[int, Window]
    points: list[tuple[int, Point]] = field(default_factory=list)  # (window, its point), settled
    signals: list[Signal] = field(default_factory=list)
    latest: Signal | None = None  # the test results at the last settled point
    matters: list[Matter] = field(default_factory=list)
    phase: int | None = None  # the first window of the present phase; None: the first one of all
    phases: dict[int, int | None] = field(default_factory=dict)  # window → the phase of its point
    # The first window whose answers were given to the measure itself. The windows before it come from
    # the measure that it continues: they have points, and no signals.
    own_from: int | None = None
    # The short test adds up points from this window on: the first one after the last confirmed action.
    pooled_from: int | None = None
    # A "better" signal in or after this window begins a new phase.
    better_from: int | None = None
    is_over: bool = False  # its last window has settled, and no matter is open (R-22.10c)

    @cached_property
    def alarm_limits(self) -> dict[int, int | None]:
        """The alarm limit for each of the latest points, by the number of its window (R-20.3).

        The limit is the smallest number of bad answers or incidents that signals "worse".
        """
        return {
            number: alarm_limit(
                self.context.scale, [*self.points_before(number, self.phases[number]), point]
            )
            for number, point in self.points[-LIMITS_SHOWN:]
        }

    def points_before(self, number: int, first: int | None) -> list[Point]:
        """Returns the points of the windows from number `first` to number `number` − 1.

        If `first` is None, it returns all points before window `number`.
        """
        return [
            point
            for window, point in self.points
            if window < number and (first is None or window >= first)
        ]


class Continuation(NamedTuple):
    """What the loop of a later measure takes over from the loop of an earlier measure, if the later
    measure continues the earlier one (R-22.12).

    All values are numbers of windows of the later measure.
    """

    own_from: int  # the first window whose answers were given to the later measure
    phase: int | None
    pooled_from: int | None
    better_from: int | None


def follow_measure(
    context: MeasureContext, inputs: MeasureInputs, rules: LoopRules, now: int
) -> Loop:
    """Returns the loop of a measure at `now` (ms), from everything that people had said by then."""
    inputs = inputs.until(now)
    windows = count_windows(context, inputs.feedback, inputs.merges)
    return follow_windows(context, windows, inputs, rules, now)


def follow_windows(
    context: MeasureContext,
    windows: dict[int, Window],
    inputs: MeasureInputs,
    rules: LoopRules,
    now: int,
    taken: Continuation | None = None,
) -> Loop:
    """Returns the loop of a measure at `now` (ms). `windows` are the windows of the feedback that
    people had given by then. The other `inputs` must not be later than `now` either. `taken` is what
    the measure takes over, if it continues an earlier one.
    """
    loop = Loop(context, windows)
    if taken is not None:
        loop.own_from = taken.own_from
        loop.phase = taken.phase
        loop.pooled_from = taken.pooled_from
        loop.better_from = taken.better_from
    _Follower(loop, inputs, rules, now).follow()
    return loop


def matter_id(measure: bytes, window: int) -> bytes:
    """Returns the id of a matter, which is the same on every home (R-23.1).

    It is the SHA-256 of a tag, the measure's id and the window that opened the matter.
    """
    return hashlib.sha256(b"meshcoop matter 1" + measure + _pack_number(window)).digest()


class _Event(NamedTuple):
    """Something that changes a loop, such as a window that settles or a new action.

    Events are handled in the order of time, type and id (R-23.1).
    """

    time: int
    type: str
    id: bytes
    handle: Callable[[], None]

    @property
    def order(self) -> tuple[int, str, bytes]:
        return self.time, self.type, self.id


class _EarlyLimits(NamedTuple):
    """Two limits for the incidents in a window that has not settled.

    From `misses_target` incidents on, the measure misses its target. From `worse` incidents on, the
    measure has become worse than usual.
    """

    misses_target: int
    worse: int


class _Follower:
    """Goes through the windows and the records in the order of time, and fills in the loop of a
    measure.
    """

    def __init__(self, loop: Loop, inputs: MeasureInputs, rules: LoopRules, now: int) -> None:
        self._loop = loop
        self._inputs = inputs
        self._rules = rules
        self._now = now
        self._done_reports = _by_target(inputs.done)
        self._verdicts = _by_target(inputs.verdicts)
        self._complaints: dict[int, list[Report]] = {}  # the bad answers, by window
        self._limits_state: tuple[object, ...] = ()
        self._limits = _EarlyLimits(0, 0)

    def follow(self) -> None:
        for event in sorted(self._events(), key=lambda event: event.order):
            event.handle()
        self._judge_actions(self._now)
        last = self._loop.context.last_window
        if last is not None and self._settle_time(last) <= self._now:
            matter = self._last_matter
            self._loop.is_over = matter is None or matter.closed is not None

    def _events(self) -> Iterator[_Event]:
        for window in self._loop.windows.values():
            settles = self._settle_time(window.number)
            if settles <= self._now:
                place = _pack_number(window.number)
                yield _Event(settles, "settled", place, partial(self._settle, window))
            for report, people, incidents in window.early_points:
                if people >= self._least:
                    try_window = partial(self._try_unsettled, window, report, incidents)
                    yield _Event(report.time, "report", report.id, try_window)
        for action in self._inputs.actions:
            yield _event_of(action, partial(self._act, action))
        for number, seen in self._inputs.seen_matters.items():
            yield _Event(seen, "seen", _pack_number(number), partial(self._keep, number, seen))
        for view in (*self._inputs.done, *self._inputs.verdicts):
            yield _event_of(view, partial(self._judge_actions, stands_at(view)))

    def _settle_time(self, number: int) -> int:
        """Returns the time (ms) at which a window settles. From then on, the window can have a
        point: its counted answers.
        """
        return self._loop.context.settles_at(number)

    def _settle(self, window: Window) -> None:
        """Adds the point of a settled window: the counted answers of this window. Runs the tests at
        this point and handles a signal.
        """
        loop = self._loop
        number = window.number
        point = window.point(loop.context.scale, self._least)
        if point is None or not self._is_asked_in(number):
            return
        loop.points.append((number, point))
        loop.points.sort()
        loop.phases[number] = loop.phase
        if loop.own_from is not None and number < loop.own_from:
            return
        signal = self._signal(number, point, self._settle_time(number))
        loop.latest = signal
        if signal.needs_attention or signal.change:
            loop.signals.append(signal)
        if signal.needs_attention:
            self._open_matter(signal)
        matter = self._last_matter
        if matter is not None and number == matter.window:
            self._judge_actions(signal.at)  # from now on, an action can be confirmed
        self._close_if_quiet(number, signal.at)
        first = self._loop.better_from
        if signal.change == "better" and first is not None and number >= first:
            loop.phase = first
            self._loop.better_from = None

    def _try_unsettled(self, window: Window, last: Report, incidents: int) -> None:
        """Tests a window before it settles, with its incidents up to the report `last` (R-23.1).

        An early signal stays valid, because further reports can only add incidents.
        """
        number = window.number
        is_earlier = self._loop.own_from is not None and number < self._loop.own_from
        if is_earlier or number in self._loop.phases or not self._is_asked_in(number):
            return  # it has settled, or the measure had not begun or had ended
        # Tests only the reports that can change something: a window may have thousands.
        limits = self._early_limits(number)
        misses_target = incidents >= limits.misses_target
        is_worse = incidents >= limits.worse
        if not misses_target and not is_worse:
            return
        matter = self._last_matter
        if (
            matter is not None
            and matter.closed is None
            and matter.misses_target >= misses_target
            and (matter.change == "worse" or not is_worse)
            and number in matter.windows
            and not self._may_reopen(matter, number)
        ):
            return  # the signal has joined the matter already
        self._open_matter(self._signal(number, Point(1, incidents), last.time))

    def _is_asked_in(self, number: int) -> bool:
        """Returns True if a measure had not ended when a window began (R-22.10b). A measure never
        ends while a matter is open.
        """
        last = self._loop.context.last_window
        if last is None or number <= last:
            return True
        begin = self._loop.context.calendar.window_start(number)
        matter = self._last_matter
        return (
            matter is not None
            and matter.opened < begin
            and (matter.closed is None or matter.closed > begin)
        )

    def _early_limits(self, number: int) -> "_EarlyLimits":
        """Returns how many incidents in a window give a signal before the window settles."""
        loop = self._loop
        state = (number, len(loop.points), loop.phase, self._loop.pooled_from)
        if self._limits_state != state:
            most = loop.windows[number].early_points[-1][2]

            def first(needs: Callable[[Signal], bool]) -> int:
                # A higher number is never less bad. So a binary search finds the first one.
                return bisect_left(
                    range(most + 1),
                    1,
                    key=lambda count: int(needs(self._signal(number, Point(1, count), 0))),
                )

            self._limits = _EarlyLimits(
                first(lambda signal: signal.misses_target),
                first(lambda signal: signal.change == "worse"),
            )
            self._limits_state = state
        return self._limits

    def _bad_answers(self, number: int) -> list[Report]:
        """Returns the bad answers that count in a window."""
        if number not in self._complaints:
            window = self._loop.windows.get(number)
            self._complaints[number] = [] if window is None else window.bad_answers
        return self._complaints[number]

    def _raisers_before(self, matter: Matter, time: int) -> dict[bytes, int]:
        """Returns the people who gave bad answers in a matter's windows before `time` (ms), and
        when each did so first.
        """
        raisers: dict[bytes, int] = {}
        for number in matter.windows:
            for report in self._bad_answers(number):
                if report.time < time:
                    first = raisers.get(report.person, report.time)
                    raisers[report.person] = min(first, report.time)
        return raisers

    def _raisers_for(self, matter: Matter, done_at: int) -> dict[bytes, int]:
        """Returns the people who judge an action that was reported done, and since when each of
        them does (R-23.1d).

        Two groups of people judge. The first group complained before the report. The second group
        reports something bad that happened on a later day, within four windows.
        """
        calendar = self._loop.context.calendar
        raisers: dict[bytes, int] = {}
        done_day = calendar.day_at(done_at)
        done_in = calendar.window_at(done_at)
        for number in range(done_in, done_in + REOPENING_WINDOWS + 1):
            for report in self._bad_answers(number):
                if report.day > done_day:
                    raisers[report.person] = min(
                        report.time, raisers.get(report.person, report.time)
                    )
        return {**raisers, **self._raisers_before(matter, done_at)}

    def _signal(self, number: int, point: Point, at: int) -> Signal:
        loop = self._loop
        scale = loop.context.scale
        phase = [*loop.points_before(number, loop.phase), point]
        pooled = [*loop.points_before(number, _later(loop.phase, self._loop.pooled_from)), point]
        test = run_change_test(scale, phase)
        return Signal(number, at, point, test, misses_target(scale, self._aim, pooled))

    @property
    def _aim(self) -> int:
        """The target of a measure of incidents, or the percentage of answers that should be good."""
        measure = self._loop.context.measure
        aim = measure.target if measure.scale == COUNT else measure.share or USUAL_SHARE
        assert aim is not None, "a measure that counts has a target on its scale (R-22.1)"
        return aim

    @property
    def _least(self) -> int:
        """How many people must have answered in a window before the tests read their answers."""
        return max(self._rules.smallest_group, self._loop.context.measure.min_answers or 1)

    @property
    def _last_matter(self) -> Matter | None:
        return self._loop.matters[-1] if self._loop.matters else None

    def _open_matter(self, signal: Signal) -> None:
        """Opens a matter for a signal, or joins the signal to a matter (R-23.1).

        If the last matter is open, the signal joins it. If the last matter was closed a short time
        ago, the signal opens it again. If the signal is about a time before the last matter was
        closed, nothing changes. Otherwise a new matter opens.
        """
        last = self._last_matter
        if last is None:
            self._add_matter(signal.window, signal.at, signal.misses_target, signal.change)
            return
        if last.closed is not None:
            if signal.window <= last.closed_in:
                return  # the signal is about a time before the matter was closed
            if signal.window - last.closed_in > REOPENING_WINDOWS:
                self._add_matter(signal.window, signal.at, signal.misses_target, signal.change)
                return
            if not self._says_not_fixed(last, signal):
                return  # the bad points before the action make it stand out, not those after it
        last.windows.add(signal.window)
        last.misses_target |= signal.misses_target
        if signal.change == "worse":
            last.change = "worse"
        if self._says_not_fixed(last, signal):
            last.reopened_at.append(signal.at)
            self._reopen(last)
        self._judge_actions(signal.at)

    def _says_not_fixed(self, matter: Matter, signal: Signal) -> bool:
        """Returns True if a signal reopens what was reported done in a matter (R-23.5g).

        Only windows after the latest report that something is done may make the signal.
        """
        if not self._may_reopen(matter, signal.window):
            return False
        done_in = self._loop.context.calendar.window_at(matter.done_at or 0)
        points = [*self._loop.points_before(signal.window, done_in + 1), signal.point]
        test = signal.change_test
        tests = [test.w1] if len(points) < _LONG_TEST else [test.w1, test.w4]
        is_worse = any(tail is not None and tail.worse <= RARE for tail in tests)
        return is_worse or (
            signal.misses_target and misses_target(self._loop.context.scale, self._aim, points)
        )

    def _may_reopen(self, matter: Matter, number: int) -> bool:
        """Returns True if a signal in a window could reopen an action of a matter.

        This is so if an action is reported done or confirmed, and the window comes after the latest
        report that something is done.
        """
        calendar = self._loop.context.calendar
        states = {tally.state for tally in matter.tallies}
        has_done = bool(states & {ActionState.REPORTED_DONE, ActionState.CONFIRMED})
        return has_done and number > calendar.window_at(matter.done_at or 0)

    def _add_matter(self, window: int, at: int, short: bool, change: Change | None) -> Matter:
        loop = self._loop
        is_early = len(loop.points_before(window, loop.phase)) < BASELINE[0]
        record_id = matter_id(loop.context.measure.id, window)
        raisers = {report.person for report in self._bad_answers(window)}
        matter = Matter(record_id, window, at, short, change, is_early, raisers, {window})
        loop.matters.append(matter)
        return matter

    def _act(self, action: ActionView) -> None:
        """Adds an action to the open matter.

        If no matter is open, it adds the action to the matter that the action names (R-23.2).
        """
        matter = self._last_matter
        if matter is None or matter.closed is not None:
            if action.window is None:
                return
            matter = self._cited_matter(action, action.window)
        matter.actions.append(action)
        matter.tallies.append(Tally(action, since=stands_at(action)))

    def _cited_matter(self, action: ActionView, number: int) -> Matter:
        """Returns the matter that an action names by the number of the matter's window.

        If the loop has no matter of that window any more, adds one. This happens if late answers
        have removed the signal that had opened the matter.
        """
        matters = {matter.window: matter for matter in self._loop.matters}
        if number in matters:
            return matters[number]
        matter = self._add_matter(number, stands_at(action), False, None)
        matter.faded = True
        return matter

    def _keep(self, number: int, time: int) -> None:
        """Keeps a matter that witnesses saw at `time` (ms), although the signal that opened the
        matter is gone by now (R-23.2d). `number` is the number of the window that had this signal.
        """
        matter = self._last_matter
        if matter is None or (matter.closed is not None and number > matter.closed_in):
            self._add_matter(number, time, False, None).faded = True

    def _judge_actions(self, until: int) -> None:
        """Counts the verdicts on the actions of the last matter, up to the time `until` (ms).

        If an action is confirmed, this closes the matter. If no action is confirmed any more, a
        closed matter opens again.
        """
        matter = self._last_matter
        if matter is None:
            return
        matter.tallies = [
            tally_action(
                action,
                self._done_reports[action.id],
                self._verdicts[action.id],
                matter.reopened_at,
                partial(self._raisers_for, matter),
                self._settle_time(matter.window),
                until,
            )
            for action in matter.actions
        ]
        matter.raisers = set(self._raisers_before(matter, matter.done_at or until + 1))
        for tally in matter.tallies:
            matter.raisers |= tally.raisers.keys()
        states = {tally.state for tally in matter.tallies}
        confirmed = [tally for tally in matter.tallies if tally.state == ActionState.CONFIRMED]
        if confirmed and (matter.closed is None or matter.is_quiet):
            self._close_matter(matter, confirmed[0])
        elif matter.closed is not None and not confirmed:
            is_still_quiet = matter.is_quiet and ActionState.REOPENED not in states
            if not is_still_quiet:
                self._reopen(matter)

    def _close_matter(self, matter: Matter, confirmed: Tally) -> None:
        assert confirmed.done_at is not None, "what is confirmed was reported done"
        matter.closed = confirmed.since
        matter.is_quiet = False
        calendar = self._loop.context.calendar
        matter.closed_in = calendar.window_at(confirmed.since)
        first = calendar.window_at(confirmed.done_at) + 1
        self._loop.pooled_from = first
        self._loop.better_from = first

    def _close_if_quiet(self, number: int, time: int) -> None:
        """Closes the last matter if it has stayed quiet since it was reported done (R-23.5i).

        It stayed quiet if four more windows have had enough answers, and no action is reopened.
        `number` is the window that has settled at `time` (ms).
        """
        matter = self._last_matter
        done_at = matter.done_at if matter is not None else None
        if matter is None or matter.closed is not None or done_at is None:
            return
        states = {tally.state for tally in matter.tallies}
        first = self._loop.context.calendar.window_at(done_at) + 1
        points = self._loop.points_before(number + 1, first)
        if ActionState.REOPENED in states or len(points) < QUIET_POINTS:
            return
        matter.closed = time
        matter.closed_in = number
        matter.is_quiet = True
        self._loop.pooled_from = first

    def _reopen(self, matter: Matter) -> None:
        """Opens a closed matter again. The new phase that was waited for does not begin (R-23.5l)."""
        matter.closed = None
        matter.is_quiet = False
        self._loop.pooled_from = None
        self._loop.better_from = None


def _until(views: Iterable[V], now: int) -> list[V]:
    return [view for view in views if stands_at(view) <= now]


def _event_of(view: StatementView, handle: Callable[[], None]) -> _Event:
    return _Event(stands_at(view), view.kind, view.id, handle)


def _later(first: int | None, second: int | None) -> int | None:
    """Returns the later of two windows. A window that is `None` comes before all others."""
    return max((number for number in (first, second) if number is not None), default=None)


def _by_target(views: Iterable[V]) -> Mapping[bytes | None, list[V]]:
    """Groups views by the record that they are about. If no view is about a record, its group is
    empty.
    """
    by_target: dict[bytes | None, list[V]] = defaultdict(list)
    for view in views:
        by_target[view.about].append(view)
    return by_target


def _pack_number(window: int) -> bytes:
    return window.to_bytes(8, "big", signed=True)
