"""Says how a trial stands at one time: its state, what harm it did, and what its answers show.

This depends on the clock and on the answers of everybody. So the view of the trial does not contain
it (specs/25).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.slices import run_beside
from meshcoop.fold.state import State
from protocol.fold.facets import TrialFacts
from protocol.kinds.decisions import Proposal
from protocol.kinds.people import Profile
from protocol.kinds.services.loop import loop_rules
from protocol.kinds.services.measures import Feedback
from protocol.kinds.services.services import Link
from protocol.kinds.services.trials import Trial, area_key
from protocol.local_clock import LocalClock
from protocol.loops.counted_answers import Report
from protocol.loops.matters import Loop, LoopRules
from protocol.loops.trial_comparison import (
    ASSUMED_ANSWERS,
    ENOUGH_WINDOWS,
    Comparison,
    compare_windows,
    find_power,
    windows_before,
)

URGENT = "yes"

_IsPart = Callable[[Report], bool]


@dataclass(frozen=True)
class TrialReport:
    """How a trial stands. Times are in ms.

    `comparisons` has a comparison for each measure of the trial. `comparisons` is empty until the
    last answers have come in. One of these measures decides about the trial. `elsewhere` is a
    comparison for the deciding measure, from the answers of places where nothing was tried.
    """

    trial: Trial
    state: str
    settles: int
    is_settled: bool
    windows_before: int  # of these, the gaps are not known before the end
    windows_during: int
    power: int  # percent
    answers: int  # in a window, on which the power rests
    is_assumed: bool  # nobody has answered yet, so `answers` is a guess
    harm: tuple[bytes, ...]  # urgent reports, and matters or measures that got worse
    comparisons: tuple[tuple[bytes, Comparison], ...]
    elsewhere: Comparison | None

    @property
    def is_short(self) -> bool:
        """True if the trial has so few windows that it rarely shows anything (R-25.12a)."""
        return min(self.windows_before, self.windows_during) < ENOUGH_WINDOWS

    def facts(self, clock: LocalClock) -> TrialFacts:
        """Returns what software must know of the trial before it signs a proposal on the trial."""
        assert self.trial.starts is not None, "a trial that counts has days"
        settles = clock.day_of(self.settles)
        return TrialFacts(self.state, self.trial.starts, settles, self.is_settled, bool(self.harm))


def report_trial(
    state: State, following: LoopCache, trial_id: bytes, now: int
) -> TrialReport | None:
    """Returns how a trial stands at the time `now` (ms). Returns None if there is no trial with
    this id that counts.
    """
    followed = following.loops_for(trial_id, now)
    trial = followed.views.get(trial_id) if followed is not None else None
    if followed is None or not isinstance(trial, Trial) or state.authority is None:
        return None
    rules = loop_rules(state.authority.charter)
    return _Reporter(state, followed, trial, rules, now).report()


def is_being_decided(state: State, trial: bytes) -> bool:
    """Returns True if people can vote on an open proposal about this trial."""
    proposals = state.views.newest(Proposal, state=Proposal.State.OPEN)
    clock = state.clock_at(state.now())
    return any(
        proposal.change is not None
        and proposal.change[1] == trial
        and proposal.state_at(clock) == Proposal.State.OPEN
        for proposal in proposals
    )


@dataclass(frozen=True)
class _Reporter:
    """Computes the report of one trial."""

    state: State
    followed: FollowedService
    trial: Trial
    rules: LoopRules
    now: int

    def report(self) -> TrialReport:
        clock = self.state.clock_at(self.now)
        deciding = self.followed.loops.get(self.trial.measures[0])
        harm = tuple(self._find_harm())
        state = self.trial.state_at(clock)
        if state == Trial.State.STOPPED and not harm:
            # R-25.8c: nothing but harm ends a trial early.
            ended = self.trial.ends is not None and clock.is_past(self.trial.ends)
            state = Trial.State.ENDED if ended else Trial.State.RUNNING
        calendar = self.followed.calendar_of(self.trial.measures[0])
        during = self.trial.windows(calendar)
        settles = calendar.window_start(during.stop) + self.rules.settle_ms
        has_begun = self.trial.state != Trial.State.PROPOSED
        is_settled = has_begun and self.now >= settles
        answers = _usual_answers(deciding, during)
        scale = deciding.context.scale if deciding is not None else ""
        before = len(during) if deciding is None else self._points_before(deciding, during)
        return TrialReport(
            trial=self.trial,
            state=state,
            settles=settles,
            is_settled=is_settled,
            windows_before=before,
            windows_during=len(during),
            power=find_power(scale, min(before, len(during)), answers or ASSUMED_ANSWERS),
            answers=answers or ASSUMED_ANSWERS,
            is_assumed=answers is None,
            harm=harm,
            comparisons=tuple(self._compare_all()) if is_settled else (),
            elsewhere=self._compare_elsewhere(deciding) if is_settled else None,
        )

    def _find_harm(self) -> Iterator[bytes]:
        """Yields two sorts of harm during the trial: urgent reports about the service, and measures
        of the trial that got worse (R-25.8a).
        """
        if self.trial.state == Trial.State.PROPOSED:
            return
        for feedback in self.followed.views_of(Feedback):
            day = feedback.on or ""
            is_during = (self.trial.starts or "") <= day <= (self.trial.ends or "")
            if feedback.urgent == URGENT and is_during:
                yield feedback.id
        for measure in self.trial.measures:
            loop = self.followed.loops.get(measure)
            during = self.trial.windows(loop.context.calendar) if loop is not None else range(0)
            signals = loop.signals if loop is not None else []
            if any(signal.change == "worse" and signal.window in during for signal in signals):
                yield measure

    def _points_before(self, loop: Loop, during: range) -> int:
        """Returns how many of the windows before the trial have a point, or can still get a
        point.
        """
        numbers = windows_before(during)
        settled = {number for number, _ in loop.points if number in numbers}
        ahead = [
            number
            for number in numbers
            if loop.context.calendar.window_start(number + 1) + self.rules.settle_ms > self.now
        ]
        return len(settled.union(ahead))

    def _compare_all(self) -> Iterator[tuple[bytes, Comparison]]:
        is_part = self._part()
        for measure in self.trial.measures:
            loop = self.followed.loops.get(measure)
            if loop is not None:
                yield measure, self._compare(loop, is_part)

    def _compare_elsewhere(self, deciding: Loop | None) -> Comparison | None:
        if self.trial.place is None or deciding is None:
            return None
        return self._compare(deciding, self._other_part())

    def _compare(self, loop: Loop, is_part: _IsPart) -> Comparison:
        least = max(self.rules.smallest_group, loop.context.measure.min_answers or 1)
        openings = {matter.window for matter in loop.matters}
        during = self.trial.windows(loop.context.calendar)
        scale = loop.context.scale
        return run_beside(compare_windows, scale, loop.windows, during, openings, least, is_part)

    def _part(self) -> _IsPart:
        """Returns a function that says whether an answer comes from a place where something was
        tried (R-25.5).
        """
        place = self.trial.place
        if place is None:
            return lambda _: True
        links = self._links_of(place)
        if links:
            return lambda report: self._link_of(report) in links
        people = {person for person, area in self._areas().items() if area == place}
        return lambda report: report.person in people

    def _other_part(self) -> _IsPart:
        """Returns a function that says whether an answer comes from a place where nothing was
        tried.

        An answer without a link comes neither from such a place nor from a place where something
        was tried. The same holds for an answer whose author has named no area (R-25.5b).
        """
        place = self.trial.place
        links = self._links_of(place or b"")
        if links:
            return lambda report: self._link_of(report) not in {None, *links}
        people = {person for person, area in self._areas().items() if area != place}
        return lambda report: report.person in people

    def _link_of(self, report: Report) -> bytes | None:
        """Returns the link that an answer names, or None."""
        return self.followed.view(report.id, Feedback).link

    def _links_of(self, place: bytes) -> Collection[bytes]:
        """Returns links of the chain. If the place of the trial, `place`, is a link, returns this
        link and all links below it. If the place is an area, returns no links.
        """
        links = {link.id: link for link in self.followed.views_of(Link)}
        below = {place} & links.keys()
        while further := {
            link.id for link in links.values() if link.about in below and link.id not in below
        }:
            below |= further
        return below

    def _areas(self) -> dict[bytes, bytes]:
        """Returns the area that each person had named in their profile before the trial
        (R-25.5a).
        """
        areas: dict[bytes, bytes] = {}
        for profile in self.state.views.newest(Profile):
            if profile.created < self.trial.created and profile.author not in areas:
                areas[profile.author] = area_key(profile.area) if profile.area else b""
        return {person: area for person, area in areas.items() if area}


def _usual_answers(loop: Loop | None, during: range) -> int | None:
    """Returns the usual number of answers in a window before a trial: the median. Returns None if
    these windows have no points.
    """
    points = loop.points if loop is not None else []
    counts = sorted(point.n for number, point in points if number in windows_before(during))
    return counts[len(counts) // 2] if counts else None
