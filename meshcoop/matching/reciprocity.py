"""How a neighbourhood gives and receives, by quarter (R-19.8). Numbers and names, no ranking."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.matching.exchanges import Deal

_MONTHS = 3


class Quarter(NamedTuple):
    """The members who did each in a quarter, such as 2026-Q4."""

    name: str
    both: frozenset[bytes]
    gave: frozenset[bytes]  # and received nothing
    received: frozenset[bytes]  # and gave nothing
    neither: frozenset[bytes]


def quarter_of(day: str) -> str:
    """The quarter of a day, YYYY-MM-DD."""
    return f"{day[:4]}-Q{(int(day[5:7]) - 1) // _MONTHS + 1}"


def quarters(given: Iterable[Deal], since: dict[bytes, str], now: str) -> list[Quarter]:
    """The quarter that runs and those before it in which somebody gave, newest first. `since`: the
    members, each with the day from which they belong.
    """
    givers: dict[str, set[bytes]] = defaultdict(set)
    receivers: dict[str, set[bytes]] = defaultdict(set)
    for one in given:
        givers[quarter_of(one.on)].add(one.giver)
        receivers[quarter_of(one.on)].add(one.receiver)
    current = quarter_of(now)
    names = {one for one in givers if one <= current} | {current}
    return [
        _quarter(name, givers[name], receivers[name], since) for name in sorted(names, reverse=True)
    ]


def _quarter(
    name: str, givers: set[bytes], receivers: set[bytes], since: dict[bytes, str]
) -> Quarter:
    belonged = {who for who, day in since.items() if quarter_of(day) <= name}
    gave, received = givers & since.keys(), receivers & since.keys()
    return Quarter(
        name,
        frozenset(gave & received),
        frozenset(gave - received),
        frozenset(received - gave),
        frozenset(belonged - gave - received),
    )
