"""The figures that a bench answers."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

SyncCount = Literal["wire_bytes", "record_bytes", "equal_bytes", "round_trips"]


class Figure(TypedDict):
    """What was measured, how often, and how it compares with a limit.

    `figure` is the median of `runs`, in `unit`.
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
