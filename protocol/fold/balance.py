"""Stratum 4: minutes given and received (specs/13-exchange.md, R-13.14)."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from protocol.fold.thread import View

POT = bytes(32)  # stands for the common pot where a person gives or receives: nobody's root key


class Credit(NamedTuple):
    """Minutes that one gave and another received, by which record. Of a gift no balance moves."""

    id: bytes
    kind: str
    created: int
    on: str | None
    giver: bytes
    receiver: bytes
    minutes: int

    @property
    def gift(self) -> bool:
        """Whether it was one."""
        return self.kind == "thanks"


class Balance(NamedTuple):
    """Minutes of one person; `given - received` is the balance, and all balances sum to zero."""

    given: int = 0
    received: int = 0
    gifts_given: int = 0
    gifts_received: int = 0

    @property
    def balance(self) -> int:
        return self.given - self.received


def credit(view: View) -> Credit | None:
    """What one view moves: a receipt that counts its minutes, a correction that counts the
    difference to what counted before it, thanks a gift.
    """
    kind, on, two, minutes = view["kind"], None, (b"", b""), None
    if kind == "receipt" and view["state"] == "confirmed" and not view["duplicate"]:
        on, two, minutes = view["on"], (view["giver"], view["receiver"]), view["minutes"]
    elif kind == "correction":
        two, minutes = (view["giver"], view["receiver"]), view["moved"]
    elif kind == "thanks":
        two, minutes = (view["person"], view["author"]), view["minutes"]
    if minutes is None:
        return None
    return Credit(view["id"], kind, view["created"], on, *two, minutes)


def balances(counted: Iterable[Credit]) -> dict[bytes, Balance]:
    """The balance of everybody who gave or received."""
    found: dict[bytes, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for one in counted:
        gift = 2 if one.gift else 0
        found[one.giver][gift] += one.minutes
        found[one.receiver][gift + 1] += one.minutes
    return {person: Balance(*sums) for person, sums in found.items()}


def moved(one: Credit, person: bytes) -> int:
    """The minutes of a credit as one of the two sees them: given, or with a minus received."""
    return one.minutes if one.giver == person else -one.minutes
