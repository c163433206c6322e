"""Finds people who can introduce one member to another. Searches for the shortest paths through
people who know each other.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from meshcoop.matching.exchanges import Exchange
from protocol.authority.authority import Authority
from protocol.fold.view import Order

_MAX_PATHS = 3


class Tie(NamedTuple):
    """A reason why two people know each other: they exchanged time, or one of them vouched for the
    other or admitted the other.

    If two people have several such reasons, the one with the lowest rank is kept.
    """

    rank: int
    reason: str  # exchanged, vouched, admitted
    actor: bytes
    recipient: bytes
    when: str | None  # when they exchanged


class GoodWord(NamedTuple):
    """A good word: `author` speaks well of `person`. Good words are sorted by `order`."""

    order: Order
    author: bytes
    person: bytes


class Ties:
    """The ties between people. Finds the shortest paths along these ties (R-19.9)."""

    def __init__(self, people: Collection[bytes]) -> None:
        self._people = frozenset(people)
        self._ties: dict[bytes, dict[bytes, Tie]] = defaultdict(dict)

    def add_exchanges(self, given: Iterable[Exchange]) -> None:
        """Adds a tie between any two people who exchanged time. The tie has the date of their
        latest exchange.
        """
        for exchange in sorted(given, key=lambda exchange: (exchange.when, exchange.id)):
            self._add(Tie(0, "exchanged", exchange.giver, exchange.receiver, exchange.when))

    def add_good_words(self, good_words: Iterable[GoodWord]) -> None:
        """Adds a tie between any two people if one of them has vouched for the other."""
        for good_word in sorted(good_words):
            self._add(Tie(1, "vouched", good_word.author, good_word.person, None))

    def add_admissions(self, authority: Authority) -> None:
        """Adds a tie between any two members if one of them helped to admit the other."""
        for person in sorted(authority.members):
            for voucher in sorted(authority.vouchers_of(person)):
                self._add(Tie(2, "admitted", voucher, person, None))

    def shortest_paths(self, start: bytes, end: bytes) -> list[list[Tie]]:
        """Finds at most three of the shortest paths. Each path begins with a different person
        (R-19.9a).

        Returns an empty list if `start` and `end` are the same person, or if no path leads to
        `end`.
        """
        distances = self._distances_to(end)
        if start not in distances or start == end:
            return []
        first_people = self._next_people(start, end, start, distances)
        return [self._path(start, first, end, distances) for first in first_people[:_MAX_PATHS]]

    def _path(
        self, start: bytes, first: bytes, end: bytes, distances: dict[bytes, int]
    ) -> list[Tie]:
        path = [self._ties[start][first]]
        here = first
        while here != end:
            following = self._next_people(start, end, here, distances)[0]
            path.append(self._ties[here][following])
            here = following
        return path

    def _next_people(
        self, start: bytes, end: bytes, here: bytes, distances: dict[bytes, int]
    ) -> list[bytes]:
        """Returns the people whom `here` knows and who are one step closer to `end`.

        Sorts them by a hash of the start, the end and the person. So it is not always the same
        people who are asked first.
        """
        nearer = [
            person for person in self._ties[here] if distances.get(person) == distances[here] - 1
        ]
        return sorted(nearer, key=lambda person: hashlib.sha256(start + end + person).digest())

    def _distances_to(self, end: bytes) -> dict[bytes, int]:
        """Counts the steps from each person to `end` (a breadth-first search). Leaves out people
        from whom no path leads to `end`.
        """
        distances = {end: 0}
        edge = {end}
        steps = 0
        while edge:
            steps += 1
            neighbours = {neighbour for person in edge for neighbour in self._ties[person]}
            edge = neighbours - distances.keys()
            distances |= dict.fromkeys(edge, steps)
        return distances

    def _add(self, tie: Tie) -> None:
        """Adds a tie. If two people have several ties, keeps the tie with the lowest rank. If the
        ranks are equal, keeps the tie that was added later.
        """
        if tie.actor == tie.recipient or not self._people.issuperset((tie.actor, tie.recipient)):
            return
        present = self._ties[tie.actor].get(tie.recipient)
        if present is None or tie.rank <= present.rank:
            self._ties[tie.actor][tie.recipient] = tie
            self._ties[tie.recipient][tie.actor] = tie
