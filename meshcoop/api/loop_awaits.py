"""Lists the answers for which people wait in the open matters and in the actions of these matters.

The feedback loops decide which answers these are. So the list changes as time passes, even without
new records.
"""

from collections.abc import Iterator
from typing import NamedTuple

from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.services.opened_services import measures_to_copy
from meshcoop.fold.state import State
from meshcoop.fold.trial_reports import is_being_decided, report_trial
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import Proposal
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.measures import NOTICE_DAYS, Measure
from protocol.kinds.services.services import Service
from protocol.kinds.services.trials import Trial
from protocol.loops.action_state import ActionState, Tally
from protocol.loops.matters import Loop, Matter
from protocol.loops.windows import parse_day

_JUDGED = (ActionState.REPORTED_DONE, ActionState.REOPENED)


class LoopAwaited(NamedTuple):
    """An answer that a matter or a trial waits for.

    `kind` is the kind of the answer. `about` is the answered record. If `about` is None, the answer
    begins a thread. `view` is the measure, the action or the trial that waits. `matter` is the id
    of the matter to which the answer belongs, or None.
    """

    kind: str
    about: bytes | None
    view: bytes
    matter: bytes | None


def loop_awaits(state: State, following: LoopCache, person: bytes, now: int) -> list[LoopAwaited]:
    """Returns the answers that a person owes to the matters of all services at the time `now` (ms).

    If nobody holds a matter any more, everybody owes the same answer: a proposal for a decision.
    """
    awaited: list[LoopAwaited] = []
    authority = state.authority
    is_on_roll = authority is not None and person in authority.term.roll
    for service in state.views.of_kind(Service):
        if is_on_roll and measures_to_copy(following, service, now):
            # Everybody is asked whether these measures hold here too.
            awaited.append(LoopAwaited(declared_of(Measure).name, service.id, service.id, None))
        followed = following.loops_for(service.id, now)
        if followed is None:
            continue
        for loop in followed.loops.values():
            for matter in loop.matters:
                awaited += _awaited_by_matter(followed, loop, matter, person, now)
                awaited += _awaited_by_actions(followed, matter, person)
        awaited += _awaited_by_ends(state, followed, person, now)
        for trial in followed.views_of(Trial):
            if trial.author == person:
                awaited += _awaited_by_trial(state, following, trial, now)
    return awaited


def _awaited_by_ends(
    state: State, followed: FollowedService, person: bytes, now: int
) -> Iterator[LoopAwaited]:
    """Yields the answers for which a measure waits if it ends soon. At first, the measure waits for
    a later measure that continues it. Then it waits for a proposal to adopt that later measure
    (R-22.12d).

    The measure's author is asked, or everybody if this author has left. But only the author of the
    later measure is asked for the proposal.
    """
    measures = followed.views_of(Measure)
    for loop in followed.loops.values():
        measure = followed.measure_of(loop)
        is_asked = measure.author == person or measure.author in followed.left
        if not is_asked or not _ends_soon(loop, measure, now):
            continue
        first_day = parse_day(measure.until or "") - NOTICE_DAYS
        later = [
            other
            for other in measures
            if other.scale == measure.scale
            and other.order > measure.order
            and loop.context.calendar.day_at(other.created) >= first_day
        ]
        if not later:
            yield LoopAwaited(declared_of(Measure).name, followed.service.id, measure.id, None)
        for other in later:
            is_new = other.state == Measure.State.PROPOSED
            if is_new and other.author == person and not is_being_decided(state, other.id):
                yield LoopAwaited(declared_of(Proposal).name, None, other.id, None)


def _ends_soon(loop: Loop, measure: Measure, now: int) -> bool:
    """Returns whether a measure ends within a few days, or has ended a few days ago."""
    day = loop.context.calendar.day_at(now)
    return abs(parse_day(measure.until or "") - day) <= NOTICE_DAYS


def _awaited_by_trial(
    state: State, following: LoopCache, trial: Trial, now: int
) -> Iterator[LoopAwaited]:
    """Yields the decision for which a trial waits. The decision is about the start of the trial, or
    about what follows after the trial. The trial's author has to propose this decision (R-25.13).
    """
    report = report_trial(state, following, trial.id, now)
    if report is None:
        return
    is_ended = report.state == Trial.State.ENDED and report.is_settled
    is_ready = is_ended or report.state == Trial.State.PROPOSED
    if is_ready and not is_being_decided(state, trial.id):
        yield LoopAwaited(declared_of(Proposal).name, None, trial.id, None)


def _awaited_by_matter(
    followed: FollowedService, loop: Loop, matter: Matter, person: bytes, now: int
) -> Iterator[LoopAwaited]:
    """Yields the answer for which an open matter waits: an action by the person who holds the
    matter, or a decision.
    """
    if matter.closed is not None:
        return
    measure = loop.context.measure.id
    held = followed.holder_of(loop, matter, now)
    if held.level < 0:
        yield LoopAwaited(declared_of(Proposal).name, None, measure, matter.id)
    elif followed.chain[held.level] == person and not held.has_acted:
        yield LoopAwaited(declared_of(Action).name, measure, measure, matter.id)


def _awaited_by_actions(
    followed: FollowedService, matter: Matter, person: bytes
) -> Iterator[LoopAwaited]:
    """Yields the answers for which the actions of a matter wait. A reopened action waits until its
    owner has done it. If an action is done, it waits for verdicts.

    Open actions are left out, because the view of an open action says itself that it waits for the
    owner.
    """
    for tally in matter.tallies:
        action = tally.action
        if action.author == person:
            if tally.state == ActionState.REOPENED:
                yield LoopAwaited(declared_of(Done).name, action.id, action.id, matter.id)
        elif person in tally.raisers and _needs_verdict(followed, tally, person):
            yield LoopAwaited(declared_of(Verdict).name, action.id, action.id, matter.id)


def _needs_verdict(followed: FollowedService, tally: Tally, person: bytes) -> bool:
    is_asked = tally.state in _JUDGED or tally.complained_since(person)
    return is_asked and followed.verdict_on(tally, person) is None
