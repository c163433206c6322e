"""Shows how the members of a neighbourhood give and receive in each quarter of a year (R-19.8). It
gives numbers and names, but no ranking.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from meshcoop.matching.exchanges import Exchange

_MONTHS = 3


class Quarter(NamedTuple):
    """The members in one quarter of a year, such as 2026-Q4. There are four groups: those who only
    gave, those who only received, those who did both, and those who did neither.
    """

    name: str
    both: frozenset[bytes]
    gave: frozenset[bytes]  # gave and received nothing
    received: frozenset[bytes]  # received and gave nothing
    neither: frozenset[bytes]


def quarter_of(day: str) -> str:
    """Returns the quarter of a day, such as 2026-Q4. The day is written YYYY-MM-DD."""
    return f"{day[:4]}-Q{(int(day[5:7]) - 1) // _MONTHS + 1}"


def list_quarters(given: Iterable[Exchange], since: dict[bytes, str], today: str) -> list[Quarter]:
    """Returns the current quarter, and every earlier quarter in which somebody gave time. The
    newest quarter comes first.

    `given` are the exchanges in which time was given. `since` maps each member to the day on which
    the member joined.
    """
    givers: dict[str, set[bytes]] = defaultdict(set)
    receivers: dict[str, set[bytes]] = defaultdict(set)
    for exchange in given:
        quarter = quarter_of(exchange.when)
        givers[quarter].add(exchange.giver)
        receivers[quarter].add(exchange.receiver)
    current = quarter_of(today)
    # A receipt may have a day in the future, in a quarter that has not begun.
    begun = {quarter for quarter in givers if quarter <= current}
    names = sorted(begun | {current}, reverse=True)
    return [_quarter(name, givers[name], receivers[name], since) for name in names]


def _quarter(
    name: str, givers: set[bytes], receivers: set[bytes], since: dict[bytes, str]
) -> Quarter:
    belonged = {person for person, day in since.items() if quarter_of(day) <= name}
    # Only the members of today count: `since` leaves out people who have left.
    gave = givers & since.keys()
    received = receivers & since.keys()
    return Quarter(
        name=name,
        both=frozenset(gave & received),
        gave=frozenset(gave - received),
        received=frozenset(received - gave),
        neither=frozenset(belonged - gave - received),
    )
