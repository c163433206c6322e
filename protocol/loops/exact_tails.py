"""Exact tail probabilities of the hypergeometric and the binomial distribution, and of sums of ranks,
as fractions.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from math import comb

_KEPT = 4096  # results; of old windows, a loop asks the same again and again


@lru_cache(maxsize=_KEPT)
def hypergeometric_tails(good: int, bad: int, drawn: int, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for a random draw of `drawn` answers from `good + bad` answers.

    The first is that the draw has at most `seen` bad answers. The second is that it has at least
    `seen` bad answers.
    """
    least = max(0, drawn - good)
    weights = _weights(good, bad, drawn, least)
    below = sum(islice(weights, max(0, seen - least)))
    return _tails(below, next(weights), comb(good + bad, drawn))


@lru_cache(maxsize=_KEPT)
def binomial_tails(n: int, p: Fraction, seen: int) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for `n` independent trials, each with the probability `p` of
    success.

    The first is of at most `seen` successes. The second is of at least `seen` successes.
    """
    yes = p.numerator
    no = p.denominator - p.numerator
    exactly = comb(n, seen) * yes**seen * no ** (n - seen)
    below = sum(islice(_terms(n, yes, no), seen)) if no else 0
    return _tails(below, exactly, p.denominator**n)


def rank_sum_tails(
    before: Sequence[Fraction], after: Sequence[Fraction]
) -> tuple[Fraction, Fraction]:
    """Returns two probabilities for a random shuffle of all values.

    A shuffle puts other values into `after`, and the ranks of the values in `after` are summed. The
    first probability is that the new sum is at most the present sum. The second is that it is at
    least the present sum. Equal values share their ranks, so the probabilities are exact even with
    equal values (R-25.10, R-25.10a).
    """
    values = sorted([*before, *after])
    # Twice the mean rank of each value, because the mean may be a half.
    ranks = {
        value: bisect_left(values, value) + 1 + bisect_right(values, value) for value in values
    }
    ways = _rank_sum_ways(tuple(ranks[value] for value in values), len(after))
    rank_sum = sum(ranks[value] for value in after)
    return _tails(sum(ways[:rank_sum]), ways[rank_sum], sum(ways))


@lru_cache(maxsize=_KEPT)
def _rank_sum_ways(ranks: tuple[int, ...], chosen: int) -> tuple[int, ...]:
    """Returns, for each sum from 0 on, in how many ways `chosen` of the ranks add up to this sum.

    One large integer holds these numbers for all sums, each in `width` bits. To add a rank to all
    sums at once, the integer is shifted. This is much quicker than a loop over the sums.
    """
    width = 8 * (len(ranks) // 8 + 1)  # whole bytes; there are fewer than 2 ** len(ranks) ways
    by_count = [1, *([0] * chosen)]
    for rank in ranks:
        for count in range(chosen, 0, -1):
            by_count[count] += by_count[count - 1] << (rank * width)
    size = width // 8
    packed = by_count[chosen].to_bytes(size * (sum(ranks) + 1), "little")
    places = range(0, len(packed), size)
    return tuple(int.from_bytes(packed[place : place + size], "little") for place in places)


def _weights(good: int, bad: int, drawn: int, k: int) -> Iterator[int]:
    """Yields the number of draws that have exactly `k` bad answers, then `k + 1` bad answers, and
    so on.

    Each number is computed from the number before, because this is quicker than to begin anew.
    """
    ways = comb(bad, k) * comb(good, drawn - k)
    while True:
        yield ways
        ways = ways * (bad - k) * (drawn - k) // ((k + 1) * (good - drawn + k + 1))
        k += 1


def _terms(n: int, yes: int, no: int) -> Iterator[int]:
    """Yields the terms of the binomial `(no + yes) ** n`. Each term is computed from the term
    before.
    """
    term = no**n
    for k in range(n + 1):
        yield term
        term = term * (n - k) * yes // ((k + 1) * no)


def _tails(below: int, exactly: int, whole: int) -> tuple[Fraction, Fraction]:
    return Fraction(below + exactly, whole), Fraction(whole - below, whole)
