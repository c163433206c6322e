"""Caches the feedback loops of this home's services: the signals and matters of their measures.

The loops of a service are computed when a caller asks for the service. The views of the service
stay in memory. So after a change, only the changed views are read again.

A result stays valid until authority changes, or until a record joins the service's thread. It also
becomes invalid when a window of a measure settles, some hours after the window's last day.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

from meshcoop.fold.service_views import ServiceViews
from meshcoop.fold.services.service_loops import ServiceLoops
from meshcoop.fold.services.successions import Successions
from meshcoop.fold.slices import run_beside
from meshcoop.fold.standing_views import NEVER, StandingViews
from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.authority.witnesses import RecordTimes
from protocol.fold.facets import ActionFacts, MeasureFacts
from protocol.fold.view import View
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.loop import (
    DaysServed,
    PartySince,
    find_parties,
)
from protocol.kinds.services.measures import Answer, Measure
from protocol.kinds.services.services import Link, Service
from protocol.loops.action_state import Tally
from protocol.loops.counted_answers import MeasureContext
from protocol.loops.escalation import Holder, Step, find_holder
from protocol.loops.matters import Loop, Matter
from protocol.loops.statements import stands_at
from protocol.loops.windows import DAY_MS, Calendar, format_day, parse_day

_FOR_GOOD = 2**63  # milliseconds
_MOST_CHANGED = 1000  # views that are read again one by one

V = TypeVar("V", bound=View)


@dataclass(frozen=True)
class FollowedService:
    """A service with the feedback loops of its measures in use.

    `views` holds the views of the service's thread, by id. `loops` holds each loop under the id of
    its measure. A person who holds a matter has `answer_days` days to answer; the charter sets this
    number. The loops are valid until the time `until` (ms), when the next window settles.
    """

    service: Service
    views: dict[bytes, View]
    loops: dict[bytes, Loop]
    answer_days: int
    until: int
    left: frozenset[bytes] = frozenset()  # the people who have left the neighbourhood
    party_since: PartySince = field(default_factory=dict)  # who holds a part, and from when on
    times: Mapping[bytes, RecordTimes] = field(default_factory=dict)  # of what witnesses name
    continued: Mapping[bytes, Measure] = field(default_factory=dict)  # by the measure that goes on
    successors: Sequence[Service] = ()  # the services that go on in its place
    matter_ids: frozenset[bytes] = frozenset()  # of all matters that its measures can have

    @property
    def matters(self) -> Iterator[Matter]:
        """The matters of all measures of the service."""
        return (matter for loop in self.loops.values() for matter in loop.matters)

    @property
    def chain(self) -> list[bytes]:
        """The people of the service's chain, in order. The first person answers for the service.
        The last person holds the service.
        """
        links = [self.view(link_id, Link) for link_id in self.service.chain]
        return [self.described.answers_for, *(link.to for link in links)]

    @property
    def described(self) -> Service:
        """The service whose description holds now: the last one that goes on in the place of this
        service, or else this service itself.
        """
        return self.successors[-1] if self.successors else self.service

    def view(self, record_id: bytes, view_type: type[V]) -> V:
        """Returns the view of a record in this thread. The record must have a view of
        this class.
        """
        view = self.views[record_id]
        assert isinstance(view, view_type), "the caller knows the record's kind"
        return view

    def views_of(self, view_type: type[V]) -> list[V]:
        """Returns the views of one kind in the thread."""
        return [view for view in self._by_type[view_type] if isinstance(view, view_type)]

    def standing_views_of(self, view_type: type[V]) -> list[V]:
        """Returns the views of one kind, without those whose records have no place in time because
        too few witnesses saw them (R-24.7).
        """
        return [view for view in self.views_of(view_type) if view.created < NEVER]

    @cached_property
    def _by_type(self) -> Mapping[type[View], list[View]]:
        by_type: Mapping[type[View], list[View]] = defaultdict(list)
        for view in self.views.values():
            by_type[type(view)].append(view)
        return by_type

    def calendar_of(self, measure: bytes) -> Calendar:
        """Returns the calendar of a measure: its windows. The measure need not be in use
        any more.
        """
        return self.view(measure, Measure).calendar

    def measure_of(self, loop: Loop) -> Measure:
        """Returns the measure to which a feedback loop belongs."""
        return self.view(loop.context.measure.id, Measure)

    def action_of(self, tally: Tally) -> Action:
        """Returns the action of a tally. A tally counts the verdicts on an action."""
        return self.view(tally.action.id, Action)

    def verdict_on(self, tally: Tally, person: bytes) -> Verdict | None:
        """Returns a person's latest verdict on an action, or None.

        A verdict does not count if somebody later reported that the action is done.
        """
        reported = tally.done_at or 0
        verdicts = (
            verdict
            for verdict in self.standing_views_of(Verdict)
            if verdict.about == tally.action.id
            and verdict.author == person
            and verdict.created >= reported
        )
        return max(verdicts, key=lambda verdict: verdict.order, default=None)

    def holder_of(self, loop: Loop, matter: Matter, now: int) -> Holder:
        """R-23.6: returns who holds a matter at the time `now` (ms). If the matter is closed,
        returns its last holder. A person who has left cannot hold an open matter (R-23.6g).
        """
        chain = self.chain
        # The target was missed though nothing changed: the usual work is not enough. So the matter
        # begins with the person above the holder.
        begins_higher = matter.misses_target and matter.change is None and not matter.opened_early
        begin = max(0, len(chain) - 2) if begins_higher else len(chain) - 1
        # One signal may reopen several actions. This is one reopening.
        reopened = {reopening for tally in matter.tallies for reopening in tally.reopened}
        end = now if matter.closed is None else min(now, matter.closed)
        steps = self._steps(loop, matter)
        answer_ms = self.answer_days * DAY_MS
        settle_ms = loop.context.settle_ms

        def hold(level: int, since: int) -> Holder:
            return find_holder(chain, level, since, steps, reopened, answer_ms, settle_ms, end)

        holder = hold(begin, matter.opened)
        while matter.closed is None and holder.level >= 0 and chain[holder.level] in self.left:
            holder = hold(holder.level - 1, holder.since)
        return holder

    def _steps(self, loop: Loop, matter: Matter) -> list[Step]:
        """Returns the steps that people took about a matter. One sort of step is an action. The
        other sort is an answer to the measure, or to feedback on the measure, if this answer names
        a day.
        """
        measure_id = loop.context.measure.id
        steps = [
            Step(stands_at(answer), answer.author, _end_of(answer.until, loop.context))
            for answer in self.standing_views_of(Answer)
            if answer.until is not None
            and not answer.is_handed_on
            and self._is_about(measure_id, answer)
        ]
        for tally in matter.tallies:
            action = self.action_of(tally)
            done = tuple(stands_at(self.view(report, Done)) for report in action.done)
            due = _end_of(action.due, loop.context)
            steps.append(Step(stands_at(action), action.author, due, done))
        return steps

    def _is_about(self, measure_id: bytes, answer: Answer) -> bool:
        """Returns whether an answer is about a measure, or about feedback on the measure."""
        answered = self.views.get(answer.about or b"")
        return answer.about == measure_id or (answered is not None and answered.about == measure_id)


class _Kept(NamedTuple):
    """A service with its computed feedback loops. They were computed from `authority`, and from the
    version `version` of the service's thread.
    """

    version: tuple[int, int]
    successors: Sequence[Service]
    authority: Authority
    followed: FollowedService


class LoopCache:
    """The services of one home with their computed feedback loops. The key of a service is the row
    of its thread's root record.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._kept: dict[int, _Kept] = {}
        self._views: dict[int, ServiceViews] = {}
        self.successions = Successions(state)
        self._changes = state.views.follow()
        self._named = state.authority_fold.witnesses.follow()
        self._basis: object = None  # of the times in `_views`
        self._served: DaysServed = {}
        self._served_at_change = -1  # the change count of the views when `_served` was made

    def loops_for(self, record: bytes, now: int) -> FollowedService | None:
        """If a record belongs to the thread of a service, returns this service with its feedback
        loops at the time `now` (ms). Otherwise returns None.
        """
        row = self._state.store.records.find(record)
        authority = self._state.authority
        if row is None or row.root is None or authority is None:
            return None
        self._take_namings(authority)
        version = self._state.views.version_of_thread(row.root)
        successors = self._successors_in(row.root)
        kept = self._kept.get(row.root)
        if (
            kept is not None
            and kept.version == version
            and kept.successors == successors
            and kept.authority is authority
            and now < kept.followed.until
        ):
            return kept.followed
        views = self._read_views(row.root, successors, authority, now)
        followed = self._follow(views, successors, authority, now) if views is not None else None
        if followed is not None:
            self._kept[row.root] = _Kept(version, successors, authority, followed)
        return followed

    def facts_of_action(self, action: bytes, now: int) -> ActionFacts | None:
        """Returns how an action stands at the time `now` (ms). If the action belongs to no matter,
        returns None.
        """
        followed = self.loops_for(action, now)
        for matter in followed.matters if followed is not None else ():
            for tally in matter.tallies:
                if tally.action.id == action:
                    return ActionFacts(tally.state.value, tally.done_at, frozenset(tally.raisers))
        return None

    def facts_of_measure(self, measure: bytes, now: int) -> MeasureFacts | None:
        """Returns how a measure stands at the time `now` (ms). Returns None if the measure is not
        in use.
        """
        followed = self.loops_for(measure, now)
        loop = followed.loops.get(measure) if followed is not None else None
        if followed is None or loop is None:
            return None
        calendar = loop.context.calendar
        day_after = parse_day(calendar.first_day(followed.measure_of(loop).last_window + 1))
        has_matter = any(matter.closed is None for matter in loop.matters)
        return MeasureFacts(format_day(day_after - 1), has_matter, loop.is_over)

    def all_followed(self, now: int) -> Iterator[FollowedService]:
        """Returns all services with their feedback loops at the time `now` (ms)."""
        for service in self._state.views.of_kind(Service):
            followed = self.loops_for(service.id, now)
            if followed is not None:
                yield followed

    def _read_views(
        self, root: int, successors: Sequence[Service], authority: Authority, now: int
    ) -> ServiceViews | None:
        """Returns the views of a service's thread. If the unchanged views are in memory, reads only
        the changed ones. Returns None if no service of this thread counts.
        """
        self._take_changes()
        find_times = self._state.authority_fold.witnesses.witnesses(authority).times_of
        views = self._views.get(root)
        if views is not None and views.service is not None:
            party_since = _add_successors(
                find_parties(views.service, views.others, now, find_times), successors
            )
            if party_since == views.standing.party_since:
                views.move_to(now)
                return views
        version = self._state.views.version_of_thread(root)
        by_row = self._state.views.of_thread_by_row(root)
        service = next((view for view in by_row.values() if isinstance(view, Service)), None)
        if service is None:
            return None
        party_since = _add_successors(
            find_parties(service, by_row.values(), now, find_times), successors
        )
        standing = StandingViews(find_times, party_since, now)
        views = run_beside(ServiceViews, by_row, standing, now)
        if self._state.views.version_of_thread(root) == version:  # others may work meanwhile
            self._views[root] = views
        return views

    def _successors_in(self, root: int) -> Sequence[Service]:
        """Returns the services that go on in the place of a service. `root` is the row of the root
        of that service's thread.
        """
        row = self._state.store.records.find_in_row(root) if self.successions.has_any else None
        return () if row is None else self.successions.successors_of(row.record.id)

    def _take_namings(self, authority: Authority) -> None:
        """Notes at what times witnesses have seen the records in memory. If witnesses have named
        records since the last call, only the services of these records are computed again.
        """
        witnesses = self._state.authority_fold.witnesses.witnesses(authority)
        named = self._named.take()
        if self._basis != witnesses.basis:
            self._basis = witnesses.basis
            self._views.clear()
            self._kept.clear()
        for root, views in self._views.items() if named else ():
            accepts = {link.accepted_in for link in views.others if isinstance(link, Link)}
            kept = self._kept.get(root)
            matters = kept.followed.matter_ids if kept is not None else frozenset()
            if views.see(witnesses.times_of, named) or named & (accepts | matters):
                self._kept.pop(root, None)

    def _take_changes(self) -> None:
        changed = list(self._changes.take())
        if self._changes.is_cleared or len(changed) > _MOST_CHANGED:
            self._changes.is_cleared = False
            self._views.clear()
            self._kept.clear()
        if not self._views:
            return
        root_of = dict(self._state.store.records.roots_of(changed))
        for root, views in self._views.items():
            here = [row for row in changed if root_of.get(row) == root]
            elsewhere = [row for row in changed if row in views and root_of.get(row) != root]
            views.change([*here, *elsewhere], self._state.views.find_in_rows(here))

    def _follow(
        self,
        thread: ServiceViews,
        successors: Sequence[Service],
        authority: Authority,
        now: int,
    ) -> FollowedService | None:
        service = thread.service
        if service is None:
            return None
        witnesses = self._state.authority_fold.witnesses.witnesses(authority)
        following = ServiceLoops(thread, authority, self.find_served, witnesses.seen_at, now)
        loops = following.follow()
        until = _FOR_GOOD
        for measure in following.in_use:
            context = loops[measure.id].context
            windows = (*loops[measure.id].windows, measure.last_window)
            settled = [context.settles_at(window) for window in windows]
            until = min([until, *(time for time in settled if time > now)])
            if context.days_served:
                until = now  # a record in another thread may change the result
        until = min(until, thread.next_time or _FOR_GOOD)
        days = authority.charter["answer_days"]
        return FollowedService(
            service,
            thread.by_id(),
            loops,
            days,
            until,
            authority.left,
            thread.standing.party_since,
            dict(thread.standing.times),
            following.continued,
            successors,
            frozenset(following.matter_ids),
        )

    def find_served(self) -> DaysServed:
        """Returns for each person the days on which the person was served, according to the
        receipts.
        """
        change_count = self._state.views.change_count
        if self._served_at_change != change_count:
            days: dict[bytes, list[int]] = defaultdict(list)
            for person, day in self._state.views.receipts():
                days[person].append(parse_day(day))
            self._served = days
            self._served_at_change = change_count
        return self._served


def _add_successors(party_since: PartySince, successors: Sequence[Service]) -> PartySince:
    """R-21.8d: adds people to the parties of a service: those who answer for the services that go
    on in its place. `party_since` says since when each party belongs.
    """
    since = dict(party_since)
    for service in successors:
        first = since.get(service.answers_for, service.created)
        since[service.answers_for] = min(first, service.created)
    return since


def _end_of(day: str, asked: MeasureContext) -> int:
    """Returns the time (ms) at which a day ends, according to the time zone of a measure."""
    return (parse_day(day) + 1) * DAY_MS - asked.calendar.offset * 60_000
