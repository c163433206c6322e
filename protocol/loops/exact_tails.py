"""Exact tail probabilities of the hypergeometric and the binomial distribution, as fractions."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from math import comb


def hypergeometric_tails(good: int, bad: int, drawn: int, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for a draw: of at most `seen` bad answers, and of at least `seen`
    bad answers.

    The draw takes `drawn` answers out of `good + bad` answers.
    """
    least = max(0, drawn - good)
    weights = _weights(good, bad, drawn, least)
    below = sum(islice(weights, max(0, seen - least)))
    return _tails(below, next(weights), comb(good + bad, drawn))


def binomial_tails(n: int, p: Fraction, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for `n` trials: of at most `seen` successes, and of at least `seen`
    successes.

    In each trial, `p` is the probability of success.
    """
    yes = p.numerator
    no = p.denominator - p.numerator
    below = sum(comb(n, k) * yes**k * no ** (n - k) for k in range(seen))
    exactly = comb(n, seen) * yes**seen * no ** (n - seen)
    return _tails(below, exactly, p.denominator**n)


def _weights(good: int, bad: int, drawn: int, k: int) -> Iterator[int]:
    """Yields in how many ways a draw has exactly `k` bad answers, then `k + 1`, and so on.

    It computes each number from the number before, which is quicker.
    """
    ways = comb(bad, k) * comb(good, drawn - k)
    while True:
        yield ways
        ways = ways * (bad - k) * (drawn - k) // ((k + 1) * (good - drawn + k + 1))
        k += 1


def _tails(below: int, exactly: int, whole: int) -> tuple[Fraction, Fraction]:
    return Fraction(below + exactly, whole), Fraction(whole - below, whole)
