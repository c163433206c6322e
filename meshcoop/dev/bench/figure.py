"""The form of the figures that a bench returns."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

SyncCount = Literal["wire_bytes", "record_bytes", "equal_bytes", "round_trips"]


class Figure(TypedDict):
    """What a bench measured, and how the result compares with a limit.

    The field `runs` has the result of each run. The field `figure` is the median of these results;
    in the bench `loops`, it is the mean. The field `unit` names the unit of both.
    """

    name: str
    records: int
    figure: float
    unit: str
    limit: float
    ratio: float
    runs: Sequence[float]
    ratios: NotRequired[Sequence[float]]
    slowest: NotRequired[float]  # the greatest delay of all runs
    tolerance: NotRequired[float]  # two standard errors of the figure
    # What a sync sends.
    wire_bytes: NotRequired[int]
    record_bytes: NotRequired[int]
    equal_bytes: NotRequired[int]
    round_trips: NotRequired[int]
