"""Exact tail probabilities of the hypergeometric and the binomial distribution, as fractions."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import comb

_KEPT = 4096  # results; of old windows, a loop asks the same again and again


@lru_cache(maxsize=_KEPT)
def hypergeometric_tails(good: int, bad: int, drawn: int, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for a draw: of at most `seen` bad answers, and of at least `seen`
    bad answers.

    The draw takes `drawn` answers out of `good + bad` answers.
    """
    least = max(0, drawn - good)
    weights = _weights(good, bad, drawn, least)
    below = sum(islice(weights, max(0, seen - least)))
    return _tails(below, next(weights), comb(good + bad, drawn))


@lru_cache(maxsize=_KEPT)
def binomial_tails(n: int, p: Fraction, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for `n` trials: of at most `seen` successes, and of at least `seen`
    successes.

    In each trial, `p` is the probability of success.
    """
    yes = p.numerator
    no = p.denominator - p.numerator
    exactly = comb(n, seen) * yes**seen * no ** (n - seen)
    below = sum(islice(_terms(n, yes, no), seen)) if no else 0
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


def _terms(n: int, yes: int, no: int) -> Iterator[int]:
    """Yields the terms of the binomial `(no + yes) ** n`, each from the term before."""
    term = no**n
    for k in range(n + 1):
        yield term
        term = term * (n - k) * yes // ((k + 1) * no)


def _tails(below: int, exactly: int, whole: int) -> tuple[Fraction, Fraction]:
    return Fraction(below + exactly, whole), Fraction(whole - below, whole)
