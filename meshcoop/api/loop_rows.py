"""Shows signals and matters as rows of lists. A signal is a result of a measure that stands out
among the other results, or misses the target. A signal can open a matter. Somebody must then deal
with this matter.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from meshcoop.api.loop_codes import Reading, read_result
from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso_time
from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.state import State
from protocol.kinds.services.actions import Action
from protocol.kinds.services.measures import Measure
from protocol.kinds.services.services import Service
from protocol.loops import outcome as outcomes
from protocol.loops.action_state import ActionState, Tally
from protocol.loops.matters import Loop, Matter, Signal
from protocol.loops.points import Totals

Shown = dict[str, Any]

_DAY_LENGTH = len("2026-11-23")


class LoopRows:
    """Shows the signals and matters of one home to the person `me`. The function `now` returns the
    time in milliseconds.

    Each API call makes its own `LoopRows` object.
    """

    def __init__(
        self,
        state: State,
        following: LoopCache,
        presenter: Presenter,
        me: bytes | None,
        now: Callable[[], int],
    ) -> None:
        self._state = state
        self._following = following
        self._presenter = presenter
        self._me = me
        self._now = now

    def list_matters(self, services: Iterable[Service]) -> list[Shown]:
        """Lists the matters of the given services, the newest first."""
        rows = [
            self._show_matter(followed, loop, matter)
            for followed, loop in self._loops_of(services)
            for matter in loop.matters
        ]
        return _newest_first(rows)

    def find_matter(self, record_id: bytes, matter_id: bytes) -> Shown | None:
        """Shows the matter with an id. `record_id` is a record in the thread of its service. Returns
        None if there is no such matter any more.
        """
        followed = self._following.loops_for(record_id, self._now())
        if followed is None:
            return None
        for loop in followed.loops.values():
            for matter in loop.matters:
                if matter.id == matter_id:
                    return self._show_matter(followed, loop, matter)
        return None

    def list_signals(self, services: Iterable[Service]) -> list[Shown]:
        """Lists the signals of the given services, the newest first."""
        rows = [
            self.show_signal(followed, loop, signal)
            for followed, loop in self._loops_of(services)
            for signal in loop.signals
        ]
        return _newest_first(rows)

    def show_signal(self, followed: FollowedService, loop: Loop, signal: Signal) -> Shown:
        """Shows one signal of a measure."""
        measure = followed.measure_of(loop)
        is_early = signal.change_test.w1 is None
        return {
            "id": f"{measure.id.hex()}:{signal.window}",
            "kind": "signal",
            "author": self._presenter.show_person(measure.author),
            "created": iso_time(signal.at),
            "state": "worse" if signal.needs_attention else "better",
            "measure": show_measure(measure),
            "service": show_service(followed.described),
            "window": signal.window,
            "from": loop.context.calendar.first_day(signal.window),
            "n": signal.point.n,
            "bad": signal.point.bad,
            "short": signal.misses_target,
            "change": signal.change,
            "by": signal.change_test.decided_by,
            "reading": str(
                read_result(signal.change, is_short=signal.misses_target, is_early=is_early)
            ),
        }

    def state_of_action(self, action: Action, tally: Tally) -> str:
        """Returns the state of an action. The state follows from the verdicts of the people who
        raised the matter.

        If an open or reopened action is past its due day, the state is "overdue".
        """
        is_late = self._presenter.clock.is_past(action.due)
        is_unfinished = tally.state in {ActionState.OPEN, ActionState.REOPENED}
        return str(Action.State.OVERDUE if is_late and is_unfinished else tally.state)

    def _loops_of(self, services: Iterable[Service]) -> Iterator[tuple[FollowedService, Loop]]:
        """Yields the feedback loop of each measure in use, together with the measure's service."""
        for service in services:
            followed = self._following.loops_for(service.id, self._now())
            if followed is None:
                continue
            for loop in followed.loops.values():
                yield followed, loop

    def _show_matter(self, followed: FollowedService, loop: Loop, matter: Matter) -> Shown:
        measure = followed.measure_of(loop)
        held = followed.holder_of(loop, matter, self._now())
        # If nobody in the chain solved a matter, the neighbourhood holds it, and no person does.
        holder = followed.chain[held.level] if held.level >= 0 else None
        window = loop.windows.get(matter.window)
        point = window.point(loop.context.scale, 1) if window else None
        reading = read_result(
            matter.change, is_short=matter.misses_target, is_early=matter.opened_early
        )
        return {
            "id": matter.id.hex(),
            "kind": "matter",
            "author": self._presenter.show_person(measure.author),
            "created": iso_time(matter.opened),
            "state": "open" if matter.closed is None else "closed",
            "closed": None if matter.closed is None else iso_time(matter.closed),
            "quiet": matter.is_quiet,
            "measure": show_measure(measure),
            "service": show_service(followed.described),
            "window": matter.window,
            "from": loop.context.calendar.first_day(matter.window),
            "n": point.n if point else 0,
            "bad": point.bad if point else 0,
            "short": matter.misses_target,
            "change": matter.change,
            "reading": str(Reading.FADED if matter.faded else reading),
            "raised_by": len(matter.raisers),
            "i_raised_it": self._me in matter.raisers,
            "holder": self._presenter.show_person(holder) if holder else None,
            "level": held.level,
            "held_since": iso_time(held.since),
            "answer_by": None if held.answer_by is None else iso_time(held.answer_by),
            "missed_at": (
                None
                if held.answer_by is None
                else iso_time(held.answer_by + loop.context.settle_ms)  # R-23.6k
            ),
            "actions": [action.id.hex() for action in matter.actions],
            "leading": self._show_leading_action(followed, matter),
            "outcome": _show_outcome(followed, loop, matter),
        }

    def _show_leading_action(self, followed: FollowedService, matter: Matter) -> Shown | None:
        tally = matter.leading
        if tally is None:
            return None
        action = followed.action_of(tally)
        return {
            "id": action.id.hex(),
            "owner": self._presenter.show_person(action.author),
            "what": action.what,
            "due": action.due,
            "state": self.state_of_action(action, tally),
            "fixed": tally.fixed,
        }


def show_totals(totals: Totals) -> Shown:
    """Shows how many answers there are, and how many of these are bad."""
    return {"n": totals.n, "bad": totals.bad}


def _newest_first(rows: list[Shown]) -> list[Shown]:
    return sorted(rows, key=lambda row: (row["created"], row["id"]), reverse=True)


def show_service(service: Service) -> Shown:
    """Shows the title of a service."""
    return {"id": service.id.hex(), "title": service.title}


def show_measure(measure: Measure) -> Shown:
    """Shows a measure by its id and its question."""
    return {"id": measure.id.hex(), "question": measure.question}


def _show_outcome(followed: FollowedService, loop: Loop, matter: Matter) -> Shown | None:
    """Shows how the answers to a measure changed after the leading action of a matter was done.
    Returns None as long as there is no later answer.
    """
    outcome = outcomes.outcome_of(loop, matter)
    if outcome is None:
        return None
    return {**_show_comparison(outcome), "balance": _show_balance(followed, loop, matter)}


def _show_balance(followed: FollowedService, loop: Loop, matter: Matter) -> Shown | None:
    """Shows whether the balance of a measure got worse after an action (R-22.13b). The balance is
    another measure, which must not get worse. Returns None if there is no such measure, or if
    nothing can be compared yet.
    """
    balance = followed.loops.get(followed.measure_of(loop).balance or b"")
    outcome = None if balance is None else outcomes.balance_of(loop, matter, balance)
    if balance is None or outcome is None:
        return None
    return {"measure": show_measure(followed.measure_of(balance)), **_show_comparison(outcome)}


def _show_comparison(outcome: outcomes.Outcome) -> Shown:
    return {
        "before": show_totals(outcome.before),
        "after": show_totals(outcome.after),
        "result": str(outcome.result),
    }
