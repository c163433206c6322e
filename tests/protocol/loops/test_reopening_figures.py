"""How often a matter reopens by its figures once an action is reported done: a matter that is truly
mended, and one that is not (specs/23 R-23.5g). Nobody gives a verdict.
"""

import random

import pytest

from protocol.loops.action_state import ActionState
from tests.protocol.loops.test_matters import BINS, VISITS, Street

RUNS = 100
BEFORE = 12  # windows in which all is well
AFTER = 6  # windows after the report that it is done


class Case:
    """A measure, and how many answers are bad: usually, and while something is wrong."""

    def __init__(self, name, measure, answers, usual, wrong):
        self.name, self.measure, self.answers = name, measure, answers
        self.usual, self.wrong = usual, wrong

    def week(self, street, dice, week, bad):
        """People answer once in a week. Of a measure of incidents, `bad` is their mean number."""
        people = [number.to_bytes(32, "big") for number in range(self.answers)]
        for number, who in enumerate(people):
            is_bad = dice.random() < (bad / self.answers if self.measure is BINS else bad)
            value = is_bad if self.measure is BINS else (1 if is_bad else 5)
            street.report(0, 7 * week + 1 + number / 100, int(value), author=who)


CASES = [
    Case("share, 10 answers, 10 % bad, then 50 %", VISITS, 10, 0.1, 0.5),
    Case("share, 30 answers, 10 % bad, then 30 %", VISITS, 30, 0.1, 0.3),
    Case("share, 30 answers, 10 % bad, then 50 %", VISITS, 30, 0.1, 0.5),
    Case("incidents, 1.1 a week, then 5", BINS, 40, 1.1, 5),
]


def is_reopened(case, seed, *, is_mended):
    """Runs a street until a matter opens, an action is done, and some weeks have passed. Returns
    whether its figures reopened the action. Returns None if no matter opened in time.
    """
    dice = random.Random(f"{case.name} {seed}")
    street = Street(case.measure, members=[])
    for week in range(BEFORE):
        case.week(street, dice, week, case.usual)
    for week in range(BEFORE, BEFORE + 24):
        case.week(street, dice, week, case.wrong)
        matters = street.loop(7 * week + 11).matters
        if matters and matters[-1].closed is None:
            break
    else:
        return None
    action = street.act(11, 7 * week + 11.1, window=matters[-1].window)
    street.done(action, 11, 7 * week + 12)
    for later in range(week + 2, week + 2 + AFTER):
        case.week(street, dice, later, case.usual if is_mended else case.wrong)
    loop = street.loop(7 * (week + 2 + AFTER) + 4)
    tallies = [tally for matter in loop.matters for tally in matter.tallies]
    return any(tally.reopened or tally.state is ActionState.REOPENED for tally in tallies)


def share_reopened(case, runs, *, is_mended):
    ends = [is_reopened(case, seed, is_mended=is_mended) for seed in range(runs)]
    counted = [end for end in ends if end is not None]
    return sum(counted) / len(counted)


def test_a_matter_that_is_not_mended_reopens_and_a_mended_one_does_not():
    assert [share_reopened(CASES[2], 3, is_mended=mended) for mended in (True, False)] == [0, 1]


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_how_often_matters_reopen_by_their_figures(case):
    mended, unmended = (share_reopened(case, RUNS, is_mended=mended) for mended in (True, False))
    print(f"\n{case.name}: {mended:.0%} mended, {unmended:.0%} unmended")  # noqa: T201 -- with -s
    assert mended <= 0.1
    assert unmended >= 0.95
