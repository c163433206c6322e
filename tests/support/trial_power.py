"""Simulates trials of which the truth is known, for the table of powers (specs/25)."""

import random
from fractions import Fraction
from math import exp

from protocol.loops.exact_tails import rank_sum_tails

CORRELATION = Fraction(1, 20)  # of the answers of one window
BEFORE = Fraction(1, 5)  # the share of bad answers before
DURING = Fraction(1, 10)
INCIDENTS_BEFORE = 4  # a window
INCIDENTS_DURING = 2
LIMIT = Fraction(1, 20)


def draw_share(dice, answers, bad, correlation=CORRELATION):
    """Draws a window of answers that hang together a little, by Pólya's urn."""
    if not correlation:
        return Fraction(sum(dice.random() < bad for _ in range(answers)), answers)
    weight = float(1 / correlation - 1)
    worst = weight * float(bad)
    count = 0
    for drawn in range(answers):
        count += dice.random() < (worst + count) / (weight + drawn)
    return Fraction(count, answers)


def draw_incidents(dice, mean):
    """Draws a number of incidents, of a Poisson distribution."""
    limit = exp(-mean)
    product = dice.random()
    count = 0
    while product > limit:
        product *= dice.random()
        count += 1
    return Fraction(count)


def share_of_better(windows, answers, runs, *, changes=True, correlation=CORRELATION, seed=1):
    """Returns in which share of simulated trials the test says "better".

    `answers` is the number of answers in a window. None: incidents are counted. If `changes` is
    False, nothing changes, and every "better" is wrong.
    """
    dice = random.Random(seed)

    def draw(is_trial):
        if answers is None:
            return draw_incidents(dice, INCIDENTS_DURING if is_trial else INCIDENTS_BEFORE)
        return draw_share(dice, answers, DURING if is_trial else BEFORE, correlation)

    better = 0
    for _ in range(runs):
        before = [draw(is_trial=False) for _ in range(windows)]
        during = [draw(is_trial=changes) for _ in range(windows)]
        better += rank_sum_tails(before, during)[0] <= LIMIT
    return better / runs
