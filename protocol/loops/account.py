"""What a measure cost the people who answered it, and what it brought (R-22.11)."""

from collections.abc import Mapping
from typing import NamedTuple

from protocol.loops.action_state import ActionState
from protocol.loops.counted_answers import Window
from protocol.loops.matters import Loop
from protocol.loops.outcome import Result, outcome_of

MINUTES_AN_ANSWER = 1  # assumed: nobody measures how long an answer takes


class Account(NamedTuple):
    """The account of a measure. It begins with the first point that the measure did not take over
    from an earlier measure. It ends with the last settled window.
    """

    windows: int
    asked: int  # people and windows, with the people who are asked today
    given: int  # answers that count
    minutes: int  # which the answers took, as `MINUTES_AN_ANSWER` assumes
    matters: int
    confirmed: int  # matters in which people confirmed an action
    quiet: int  # matters that closed unconfirmed
    better: int  # matters after which the answers were better, beyond chance


def account_of(loop: Loop, now: int) -> Account:
    """Returns the account of a measure at `now` (ms)."""
    own = [number for number, _ in loop.points if number >= _first_own(loop)]
    windows = _settled_windows(loop, own[0], now) if own else range(0)
    people = len(set(loop.context.members) - loop.context.party_since.keys())
    given = sum(_count_answers(loop.windows, number) for number in windows)
    outcomes = [outcome_of(loop, matter) for matter in loop.matters]
    return Account(
        windows=len(windows),
        asked=len(windows) * people,
        given=given,
        minutes=given * MINUTES_AN_ANSWER,
        matters=len(loop.matters),
        confirmed=sum(
            any(tally.state == ActionState.CONFIRMED for tally in matter.tallies)
            for matter in loop.matters
        ),
        quiet=sum(matter.is_quiet for matter in loop.matters),
        better=sum(outcome is not None and outcome.result == Result.BETTER for outcome in outcomes),
    )


def _first_own(loop: Loop) -> int:
    if loop.own_from is not None:
        return loop.own_from
    return min((number for number, _ in loop.points), default=0)


def _settled_windows(loop: Loop, first: int, now: int) -> range:
    """Returns the windows from `first` on. Leaves out windows that have not settled, and windows in
    which the measure was not asked.
    """
    context = loop.context
    end = context.calendar.window_at(now - context.settle_ms)  # this one has not settled yet
    last = loop.points[-1][0]
    if context.last_window is not None:
        end = min(end, max(context.last_window, last) + 1)
    return range(first, end)


def _count_answers(windows: Mapping[int, Window], number: int) -> int:
    window = windows.get(number)
    if window is None:
        return 0
    reports = sum(len(incident.reports) for incident in window.incidents)
    return len(window.answers) + len(window.not_charted) + reports
