"""Stratum 4: minutes given and received (specs/13-exchange.md, R-13.14)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.thread import View


class Credit(NamedTuple):
    """Minutes that moved from a receiver's balance to a giver's."""

    receipt: bytes
    giver: bytes
    receiver: bytes
    minutes: int


class Balance(NamedTuple):
    """Minutes of one person; `given - received` is the balance, and all balances sum to zero."""

    given: int = 0
    received: int = 0

    @property
    def balance(self) -> int:
        return self.given - self.received


def credit(view: View) -> Credit | None:
    """The credit of one view: of a confirmed receipt that is no duplicate."""
    if view["kind"] != "receipt" or view["state"] != "confirmed" or view["duplicate"]:
        return None
    return Credit(view["id"], view["giver"], view["receiver"], view["minutes"])


def balances(counted: Iterable[Credit]) -> dict[bytes, Balance]:
    """The balance of everybody who gave or received."""
    given: dict[bytes, int] = defaultdict(int)
    received: dict[bytes, int] = defaultdict(int)
    for one in counted:
        given[one.giver] += one.minutes
        received[one.receiver] += one.minutes
    return {person: Balance(given[person], received[person]) for person in {*given, *received}}
