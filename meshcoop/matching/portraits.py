"""Finds out which portrait of a person is the latest. Earlier portraits do not count (R-12.1).

A portrait is a view in which a person says what they can give and what they would like.
"""

from collections import defaultdict

from protocol.fold.view import Order, View


class PortraitRows:
    """The rows of portraits. A portrait is a view in which a person says what they can give and
    would like.
    """

    def __init__(self) -> None:
        self._orders: dict[bytes, dict[int, Order]] = defaultdict(dict)  # person → row → order
        self._people: dict[int, bytes] = {}  # row → person
        self._latest: dict[bytes, int] = {}  # person → row

    def latest_row(self, person: bytes) -> int | None:
        """Returns the row of a person's latest portrait. Returns None if the person has no
        portrait.
        """
        return self._latest.get(person)

    def add(self, row: int, view: View) -> set[int]:
        """Adds the portrait in this row.

        Returns this row. If the new portrait replaces an earlier one, also returns the row of the
        earlier one.
        """
        person = view.author
        before = self._latest.get(person, row)
        self._orders[person][row] = view.order
        self._people[row] = person
        # Only a portrait that was removed makes it necessary to look at all others.
        if view.order >= self._orders[person][before]:
            self._latest[person] = row
        return {row, before} if self._latest[person] == row else {row}

    def remove(self, row: int) -> set[int]:
        """Removes the portrait in this row. Does nothing if there is no portrait in this row.

        Returns the row of an earlier portrait that now counts again, if there is one.
        """
        person = self._people.pop(row, None)
        if person is None:
            return set()
        del self._orders[person][row]
        if self._latest[person] != row:
            return set()
        self._find_latest(person)
        return {self._latest[person]} if person in self._latest else set()

    def _find_latest(self, person: bytes) -> None:
        orders = self._orders[person]
        if orders:
            self._latest[person] = max(orders, key=lambda row: orders[row])
        else:
            del self._orders[person]
            del self._latest[person]
