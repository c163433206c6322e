"""The change test: whether something is other than usual here (R-20.3 to R-20.6)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

from protocol.loops.exact_tails import binomial_tails, hypergeometric_tails
from protocol.loops.points import COUNT, Point, Totals, median_rates, totals

Change = Literal["worse", "better"]

BASELINE = range(8, 25)  # how many points say what is usual
LATEST = (1, 4)  # how many of the latest points are held against them
RARE = Fraction(1, 400)
RUN = 8
EVEN = 1000  # a dispersion of one, in thousandths


class Held(NamedTuple):
    """The latest points held against a baseline."""

    better: Fraction  # how likely so few bad ones are, where nothing has changed
    worse: Fraction  # how likely so many are
    dispersion: int  # of the baseline, in thousandths; 1000 at least
    screened: int | None  # the place of the baseline's point that was left out


class ChangeTest(NamedTuple):
    """What the change test says at a point; `w1` and `w4` are None before there is a baseline."""

    w1: Held | None
    w4: Held | None
    r8: int  # 1: eight points in a row are worse than usual, −1: better

    @property
    def change(self) -> Change | None:
        """The signal, if there is one; where both are, the alarming one."""
        held = [one for one in (self.w1, self.w4) if one]
        if self.r8 > 0 or any(one.worse <= RARE for one in held):
            return "worse"
        if self.r8 < 0 or any(one.better <= RARE for one in held):
            return "better"
        return None

    @property
    def by(self) -> str | None:
        """Which part of the test says so, the quickest first."""
        run = {"worse": self.r8 > 0, "better": self.r8 < 0}
        for name, held in (("w1", self.w1), ("w4", self.w4)):
            if held and self.change and getattr(held, self.change) <= RARE:
                return name
        return "r8" if self.change and run[self.change] else None


def held_against(scale: str, points: Sequence[Point]) -> ChangeTest:
    """What the points of a phase, up to and with the last, say of that last one."""
    one, four = (_held(scale, points, s) for s in LATEST)
    return ChangeTest(one, four, _run(points))


def alarm_limit(scale: str, points: Sequence[Point]) -> int | None:
    """The fewest bad ones with which the last point alone would say that something is worse; None
    where there is no baseline, or where not even all of them would.
    """
    *before, last = points
    usual = _usual(scale, before[: BASELINE[-1]])
    if usual is None:
        return None
    baseline, d, _ = usual

    def is_rare(bad: int) -> bool:
        now = _thinned(scale, Totals(last.n, bad), d)
        return tail_probabilities(scale, baseline, now)[1] <= RARE

    least, most = 0, 1
    if scale == COUNT:
        while not is_rare(most):
            least, most = most, 2 * most
    elif is_rare(last.n):
        most = last.n
    else:
        return None
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if is_rare(middle) else (middle + 1, most)
    return most


def _held(scale: str, points: Sequence[Point], s: int) -> Held | None:
    found = _usual(scale, points[: len(points) - s][: BASELINE[-1]])
    if found is None:
        return None
    usual, d, screened = found
    now = _thinned(scale, totals(points[-s:]), d)
    return Held(*tail_probabilities(scale, usual, now), d, screened)


def _usual(scale: str, points: Sequence[Point]) -> tuple[Totals, int, int | None] | None:
    """What is usual, thinned; how much it scatters; which point was left out."""
    baseline = list(points)
    if len(baseline) < BASELINE[0]:
        return None
    screened = _outlier(scale, baseline)
    if screened is not None:
        del baseline[screened]
    d = estimate_dispersion(scale, baseline)
    return _thinned(scale, totals(baseline), d), d, screened


def _outlier(scale: str, baseline: list[Point]) -> int | None:
    """R-20.4: the place of the one point that is too unlike the rest to say what is usual."""
    whole = totals(baseline)
    least, found = RARE, None
    for place, one in enumerate(baseline):
        tail = min(
            tail_probabilities(scale, Totals(whole.n - one.n, whole.bad - one.bad), Totals(*one))
        )
        if tail < least or (tail == least and found is None):
            least, found = tail, place
    return found


def estimate_dispersion(scale: str, baseline: Sequence[Point]) -> int:
    """R-20.5: how much more points scatter than chance alone would have it, in thousandths."""
    n, bad = totals(baseline)
    if scale == COUNT:
        squares = sum((one.bad * n - bad) ** 2 for one in baseline)
        below = n * bad
    else:
        return _share_dispersion(baseline, n, bad)
    if not below or len(baseline) < 2:  # noqa: PLR2004
        return EVEN
    return max(EVEN, EVEN * squares // (below * (len(baseline) - 1)))


def _share_dispersion(baseline: Sequence[Point], n: int, bad: int) -> int:
    if bad in {0, n} or len(baseline) < 2:  # noqa: PLR2004
        return EVEN
    chi = sum(Fraction((one.bad * n - one.n * bad) ** 2, one.n) for one in baseline)
    return max(EVEN, EVEN * chi // (bad * (n - bad) * (len(baseline) - 1)))


def _thinned(scale: str, many: Totals, d: int) -> Totals:
    """Totals as if they were so many fewer as they scatter more."""
    if scale == COUNT:
        return Totals(many.n, many.bad * EVEN // d)
    bad = many.bad * EVEN // d
    return Totals((many.n - many.bad) * EVEN // d + bad, bad)


def tail_probabilities(scale: str, usual: Totals, now: Totals) -> tuple[Fraction, Fraction]:
    """How likely so few and so many bad ones are among the latest, if all is as usual."""
    if scale == COUNT:
        return binomial_tails(usual.bad + now.bad, Fraction(now.n, usual.n + now.n), now.bad)
    bad = usual.bad + now.bad
    return hypergeometric_tails(usual.n + now.n - bad, bad, now.n, now.bad)


def _run(points: Sequence[Point]) -> int:
    """R-20.6: whether the eight latest are all on one side of what was usual before them."""
    baseline = points[: len(points) - RUN][: BASELINE[-1]] if len(points) > RUN else ()
    if len(baseline) < BASELINE[0]:
        return 0
    lower, upper = median_rates(baseline)
    latest = [one.rate for one in points[-RUN:]]
    if all(rate > upper for rate in latest):
        return 1
    return -1 if all(rate < lower for rate in latest) else 0
