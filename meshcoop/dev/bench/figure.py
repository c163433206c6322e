"""The form of a bench's results."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

SyncCount = Literal["wire_bytes", "record_bytes", "equal_bytes", "round_trips"]


class Figure(TypedDict):
    """A result of a bench, and the limit to which the result is compared.

    `runs` has the result of each run. `figure` is the median of these results; in the bench
    `loops`, it is the mean. `unit` is the unit of these numbers.
    """

    name: str
    records: int
    figure: float
    unit: str
    limit: float
    ratio: float
    runs: Sequence[float]
    ratios: NotRequired[Sequence[float]]
    of_plain: NotRequired[float]  # the figure, as a part of the figure without encryption
    profile: NotRequired[Sequence[str]]  # where the time of one more run went, a line each
    slowest: NotRequired[float]  # the greatest delay of all runs
    tolerance: NotRequired[float]  # two standard errors of the figure
    # What a sync sends.
    wire_bytes: NotRequired[int]
    record_bytes: NotRequired[int]
    equal_bytes: NotRequired[int]
    round_trips: NotRequired[int]
