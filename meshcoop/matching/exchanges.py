"""What people have promised each other and given: from agreements and confirmed receipts."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from meshcoop.clock import iso
from meshcoop.matching.times import span
from protocol.fold import balance
from protocol.fold.thread import View


class Deal(NamedTuple):
    """Time between two people, given (a receipt or correction that counts, a gift) or promised (an agreement)."""

    id: bytes
    giver: bytes
    receiver: bytes
    minutes: int
    on: str  # when it was or is to be, else when it was agreed
    given: bool


class Deals:
    """Deals by person, put in and taken out by the row of their view."""

    def __init__(self) -> None:
        self._rows: dict[int, Deal] = {}
        self._of: dict[bytes, set[int]] = defaultdict(set)

    def put(self, n: int, view: View) -> None:
        """Takes in an agreement, or what moves minutes."""
        deal = _deal(view)
        if deal is not None:
            self._rows[n] = deal
            self._of[deal.giver].add(n)
            self._of[deal.receiver].add(n)

    def drop(self, n: int) -> None:
        """Forgets one."""
        deal = self._rows.pop(n, None)
        if deal is not None:
            self._of[deal.giver].discard(n)
            self._of[deal.receiver].discard(n)

    def of(self, person: bytes) -> Iterator[Deal]:
        """The deals of a person."""
        return (self._rows[n] for n in self._of.get(person, ()))

    def given(self) -> Iterator[Deal]:
        """All time that was given."""
        return (one for one in self._rows.values() if one.given)

    def spent(self, person: bytes, month: str) -> int:
        """Minutes that a person has promised to give or given in a month, such as 2026-11."""
        return sum(
            one.minutes for one in self.of(person) if one.giver == person and one.on[:7] == month
        )

    def busy(self, person: bytes, moment: str | None, minutes: int | None) -> bool:
        """Whether a person has promised that hour already."""
        wanted = span(moment, minutes)
        if wanted is None:
            return False
        taken = (span(one.on, one.minutes) for one in self.of(person) if not one.given)
        return any(one and one[0] < wanted[1] and wanted[0] < one[1] for one in taken)

    def last_gift(self, giver: bytes, receiver: bytes) -> Deal | None:
        """The latest time that one gave the other."""
        given = [one for one in self.of(receiver) if one.given and one.giver == giver]
        return max(given, key=lambda one: (one.on, one.id), default=None)

    def owes(self, person: bytes) -> bool:
        """Whether a person has received more than they gave."""
        moved = (
            one.minutes if one.giver == person else -one.minutes
            for one in self.of(person)
            if one.given
        )
        return sum(moved) < 0


def _deal(view: View) -> Deal | None:
    credit = balance.credit(view)
    if credit is not None:
        on = credit.on or iso(credit.created)[:10]
        return Deal(credit.id, credit.giver, credit.receiver, credit.minutes, on, given=True)
    if view["kind"] != "agreement" or view["state"] != "agreed":
        return None
    when = view["when"] or iso(view["created"])[:10]
    return Deal(
        view["id"], view["giver"], view["receiver"], view["minutes"] or 0, when, given=False
    )
