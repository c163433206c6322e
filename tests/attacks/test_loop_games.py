"""The moves with which people try to bend a feedback loop, one test a move.

Each docstring says the move, the rule that answers it, what remains, and what people see.
"""

import random
from collections import Counter
from types import SimpleNamespace

import pytest

from protocol.authority.register_change import number_change
from protocol.authority.terms import Holding
from protocol.loops.counted_answers import MeasureContext, count_windows, is_charted
from tests.protocol.loops.test_matters import CALENDAR, VISITS, Street

CYCLE = 4


def new_person(dice):
    return dice.randbytes(32)


# -- the panel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_panel_ground_by_a_late_vote_a_join_or_a_removal(seed):
    """Move: let people in or out, or let a late vote count, so that other people are charted.
    Rule: R-22.7, everybody's answers are charted once a cycle, whoever else is a member.
    Remains: nothing. Seen: the chart says who is charted this window, and it never changes.
    """
    dice = random.Random(seed)
    people = [new_person(dice) for _ in range(120)]
    stays = people[:90]
    charted = Counter()
    for window in range(2920, 2920 + 5 * CYCLE):
        members = dice.sample(people[90:], dice.randrange(30)) + stays
        context = MeasureContext(VISITS, CALENDAR, (), set(members), None, CYCLE)
        street = Street(VISITS)
        reports = [
            street.report(0, 0, 4, on=CALENDAR.first_day(window), author=who) for who in members
        ]
        assert len(reports) == len(members)
        windows = count_windows(context, street.said.feedback, ())
        charted.update((window // CYCLE, report.person) for report in windows[window].answers)
    rows = range(2920 // CYCLE, 2920 // CYCLE + 5)
    assert all(charted[row, who] == 1 for row in rows for who in stays)
    assert set(charted.values()) == {1}


@pytest.mark.parametrize("ground", ["the measure", "the person"])
def test_panel_ground_by_hashing(ground):
    """Move: try out measures or keys until many allies are charted in the window that matters.
    Rule: R-22.7. Remains: allies may sit together in one window (after 25 s: 8 of 10, where 1 is
    usual), but then not in the other windows of the cycle. Seen: how many answered beside the chart.
    """
    dice = random.Random(7)

    def charted(measure, allies, window):
        return sum(is_charted(measure, window, ally, CYCLE) for ally in allies)

    best = b"measure".ljust(32)
    allies = [new_person(dice) for _ in range(8)]
    if ground == "the measure":
        tried = [dice.randbytes(32) for _ in range(300)]
        best = max(tried, key=lambda measure: charted(measure, allies, 2920))
    else:
        tried = [new_person(dice) for _ in range(300)]
        allies = sorted(tried, key=lambda ally: not charted(best, [ally], 2920))[:8]
    seats = [charted(best, allies, 2920 + window) for window in range(CYCLE)]
    assert seats[0] > 8 / CYCLE
    assert sum(seats) == 8


def test_adoption_fixes_the_cycle_of_the_panel():
    """Move: let a late vote find other members, and so another panel.
    Rule: R-22.3e, the decision itself says in how many windows everybody is charted once.
    Remains: the proposer's software claims the number. Seen: the proposal says it before the vote.
    """
    members = dict.fromkeys([n.to_bytes(32, "big") for n in range(65)])
    authority = SimpleNamespace(
        charter={"offset": 60}, members=members, holding=lambda register: Holding(0, None)
    )
    change = number_change(["measure", b"m" * 32, None, True], authority, {})
    assert change == ["measure", b"m" * 32, 1, [60, 2]]
