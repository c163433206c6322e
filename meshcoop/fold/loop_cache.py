"""Caches the feedback loops of this home's services: the signals and matters of their measures. The
loops of a service are computed when somebody looks at the service.

A result stays valid until a record joins the service's thread, or authority changes. It also
becomes invalid when a window of a measure settles, some hours after the window's last day.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.fold.thread import View
from protocol.loops.counted_answers import MeasureContext
from protocol.loops.escalation import Holder, Step, find_holder
from protocol.loops.matters import Loop, Matter
from protocol.loops.measure_loop import HOUR_MS, DaysServed, loop_of
from protocol.loops.windows import DAY_MS, parse_day

_FOR_GOOD = 2**63  # milliseconds


@dataclass(frozen=True)
class FollowedService:
    """A service with the feedback loops of its measures in use.

    `views` holds the views of the service's thread, by id. `loops` holds each loop under the id of
    its measure. The result is valid until the time `until` (ms), when the next window settles.
    """

    service: View
    views: dict[bytes, View]
    loops: dict[bytes, Loop]
    until: int

    @property
    def chain(self) -> list[bytes]:
        """The people of the service's chain, from the person who answers for the service down to
        the person who holds it.
        """
        links = [self.views[link] for link in self.service["chain"]]
        return [self.service["answers_for"], *(link["to"] for link in links)]

    def holder_of(self, loop: Loop, matter: Matter, answer_days: int, now: int) -> Holder:
        """R-23.6: returns who holds a matter at the time `now` (ms). If the matter is closed,
        returns its last holder.
        """
        chain = self.chain
        # The target was missed though nothing changed: the usual work is not enough. So the matter
        # begins with the person above the holder.
        begins_higher = matter.misses_target and matter.change is None and not matter.opened_early
        begin = max(0, len(chain) - 2) if begins_higher else len(chain) - 1
        reopened = [*matter.reopened_at]
        for tally in matter.tallies:
            reopened += tally.reopened_at
        end = now if matter.closed is None else min(now, matter.closed)
        steps = self._steps(loop, matter)
        return find_holder(chain, begin, matter.opened, steps, reopened, answer_days * DAY_MS, end)

    def _steps(self, loop: Loop, matter: Matter) -> list[Step]:
        """Returns the steps that people took about a matter: their actions, and their answers to
        the measure or to feedback on it.
        """
        measure = loop.context.measure["id"]
        answered = {view["id"] for view in self.views.values() if view["about"] == measure}
        answered.add(measure)
        steps = [
            Step(view["created"], view["author"])
            for view in self.views.values()
            if view["kind"] == "answer"
            and view["about"] in answered
            and view["reason"] != "not_ours"
        ]
        for tally in matter.tallies:
            action = tally.action
            done_times = [self.views[done]["created"] for done in action["done"]]
            due = _end_of(action["due"], loop.context)
            first_done = min(done_times, default=None)
            steps.append(Step(action["created"], action["author"], due, first_done))
        return steps


class _Kept(NamedTuple):
    """A followed service as it was computed, with the authority and the version of the thread that
    were used.
    """

    version: tuple[int, int]
    authority: Authority
    followed: FollowedService


class LoopCache:
    """The followed services of one home. Each is kept under the row of its thread's root record."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[int, _Kept] = {}
        self._served: DaysServed = {}
        self._served_at_change = -1  # the change count of the views when `_served` was made

    def loops_for(self, record: bytes, now: int) -> FollowedService | None:
        """Returns the service to whose thread a record belongs, with its loops at the time `now`
        (ms).

        Returns None if the record is not in the thread of a service.
        """
        row = self._state.store.records.find(record)
        authority = self._state.authority
        if row is None or row.root is None or authority is None:
            return None
        version = self._state.views.version_of_thread(row.root)
        kept = self._kept.get(row.root)
        if (
            kept is not None
            and kept.version == version
            and kept.authority is authority
            and now < kept.followed.until
        ):
            return kept.followed
        followed = self._follow(self._state.views.of_thread(row.root), authority, now)
        if followed is not None:
            self._kept[row.root] = _Kept(version, authority, followed)
        return followed

    def _follow(
        self, thread: Sequence[View], authority: Authority, now: int
    ) -> FollowedService | None:
        service = next((view for view in thread if view["kind"] == "service"), None)
        if service is None:
            return None
        charter = authority.charter
        settle_ms = charter["settle_hours"] * HOUR_MS
        loops: dict[bytes, Loop] = {}
        until = _FOR_GOOD
        for measure in thread:
            if measure["kind"] != "measure" or measure["state"] != "in use":
                continue
            served = self._find_served() if measure["who"] == "served" else {}
            loop = loop_of(measure, thread, service, charter, authority.members, served, now)
            loops[measure["id"]] = loop
            calendar = loop.context.calendar
            settled = [calendar.window_start(window + 1) + settle_ms for window in loop.windows]
            until = min([until, *(time for time in settled if time > now)])
            if served:
                until = now  # a record in another thread may change the result
        return FollowedService(service, {view["id"]: view for view in thread}, loops, until)

    def _find_served(self) -> DaysServed:
        """Returns the days on which each person was served, according to all receipts."""
        change_count = self._state.views.change_count
        if self._served_at_change != change_count:
            days: dict[bytes, list[int]] = defaultdict(list)
            for person, day in self._state.views.receipts():
                days[person].append(parse_day(day))
            self._served = days
            self._served_at_change = change_count
        return self._served


def _end_of(day: str, asked: MeasureContext) -> int:
    """Returns the end of a day (ms) in the calendar of a measure."""
    return (parse_day(day) + 1) * DAY_MS - asked.calendar.offset * 60_000
