"""The loops of this home's services: worked out when somebody looks, and kept while they hold.

What a loop comes to changes with the records of its thread, with authority, and with the clock when a
window settles: nothing else asks for it anew.
"""

from collections import defaultdict
from dataclasses import dataclass

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.fold.thread import View
from protocol.loops.counted_answers import Asked
from protocol.loops.escalation import Held, Step, holds
from protocol.loops.matters import Loop, Matter
from protocol.loops.measure_loop import HOUR_MS, Served, loop_of
from protocol.loops.windows import DAY_MS, day_of

_FOR_GOOD = 2**63


@dataclass(frozen=True)
class Followed:
    """A service with what its measures in use come to. `until`: when a window settles next, in ms."""

    service: View
    views: dict[bytes, View]
    loops: dict[bytes, Loop]
    until: int

    @property
    def chain(self) -> list[bytes]:
        """The people from who answers for it down to who holds it."""
        links = [self.views[one] for one in self.service["chain"]]
        return [self.service["answers_for"], *(one["to"] for one in links)]

    def holder(self, loop: Loop, matter: Matter, answer_days: int, now: int) -> Held:
        """R-23.6: who holds a matter now; of a closed one who held it in the end."""
        chain = self.chain
        higher = matter.short and matter.change is None and not matter.early
        begin = max(0, len(chain) - 2) if higher else len(chain) - 1
        again = [*matter.again, *(time for one in matter.tallies for time in one.reopened)]
        now = now if matter.closed is None else min(now, matter.closed)
        answer_ms = answer_days * DAY_MS
        return holds(chain, begin, matter.opened, self._steps(loop, matter), again, answer_ms, now)

    def _steps(self, loop: Loop, matter: Matter) -> list[Step]:
        said = {
            one["id"] for one in self.views.values() if one["about"] == loop.asked.measure["id"]
        }
        said.add(loop.asked.measure["id"])
        steps = [
            Step(one["created"], one["author"])
            for one in self.views.values()
            if one["kind"] == "answer" and one["about"] in said and one["reason"] != "not_ours"
        ]
        for one in matter.tallies:
            action = one.action
            done = [self.views[each]["created"] for each in action["done"]]
            due = _end_of(action["due"], loop.asked)
            steps.append(Step(action["created"], action["author"], due, min(done, default=None)))
        return steps


class Following:
    """What is kept of the services of one home."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[int, tuple[tuple[int, int], Authority, Followed]] = {}
        self._served: tuple[int, Served] = (-1, {})

    def of(self, record: bytes, now: int) -> Followed | None:
        """The service in whose thread a record is, as of `now` (ms)."""
        row = self._state.store.records.find(record)
        if row is None or row.root is None or self._state.authority is None:
            return None
        root, authority = row.root, self._state.authority
        version = self._state.views.version(root)
        if root in self._kept:
            seen, under, known = self._kept[root]
            if seen == version and under is authority and now < known.until:
                return known
        followed = self._follow(self._state.views.of_thread(root), authority, now)
        if followed is not None:
            self._kept[root] = (version, authority, followed)
        return followed

    def _follow(self, found: list[View], authority: Authority, now: int) -> Followed | None:
        views = {one["id"]: one for one in found}
        service = next((one for one in found if one["kind"] == "service"), None)
        if service is None:
            return None
        charter, loops, until = authority.charter, {}, _FOR_GOOD
        settle = charter["settle_hours"] * HOUR_MS
        for measure in found:
            if measure["kind"] != "measure" or measure["state"] != "in use":
                continue
            served = self._who_was_served() if measure["who"] == "served" else {}
            members = authority.members
            loop = loop_of(measure, found, service, charter, members, served, now)
            loops[measure["id"]] = loop
            ends = [loop.asked.calendar.begin(n + 1) + settle for n in loop.windows]
            until = min([until, *(end for end in ends if end > now)])
            if served:
                until = now  # another thread may change it
        return Followed(service, views, loops, until)

    def _who_was_served(self) -> Served:
        if self._served[0] != self._state.views.writes:
            found: dict[bytes, list[int]] = defaultdict(list)
            for person, day in self._state.views.received():
                found[person].append(day_of(day))
            self._served = (self._state.views.writes, found)
        return self._served[1]


def _end_of(day: str, asked: Asked) -> int:
    return (day_of(day) + 1) * DAY_MS - asked.calendar.offset * 60_000
