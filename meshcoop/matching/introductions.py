"""Who can introduce one person to another: the shortest ways through people who know each other."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from meshcoop.matching.exchanges import Deal
from protocol.authority.authority import Authority
from protocol.fold.thread import View

_MOST = 3  # different people to ask first


class Tie(NamedTuple):
    """Why two people know each other; `one` did it, to or for `other`. The lowest rank is told."""

    rank: int
    reason: str  # exchanged, vouched, admitted
    one: bytes
    other: bytes
    on: str | None  # the day of the exchange


class Ties:
    """Who knows whom among some people."""

    def __init__(self, people: Collection[bytes]) -> None:
        self._people = people
        self._ties: dict[bytes, dict[bytes, Tie]] = defaultdict(dict)

    def exchanged(self, given: Iterable[Deal]) -> None:
        """Those between whom time was given; the latest is told."""
        for deal in sorted(given, key=lambda one: (one.on, one.id)):
            self._add(Tie(0, "exchanged", deal.giver, deal.receiver, deal.on))

    def vouched(self, vouches: Iterable[View]) -> None:
        """Those of whom one has vouched for the other."""
        for view in sorted(vouches, key=lambda one: (one["created"], one["id"])):
            self._add(Tie(1, "vouched", view["author"], view["person"], None))

    def admitted(self, authority: Authority) -> None:
        """Those of whom one has let the other in."""
        for person in sorted(authority.members):
            for voucher in sorted(authority.vouchers_of(person)):
                self._add(Tie(2, "admitted", voucher, person, None))

    def ways(self, start: bytes, end: bytes) -> list[list[Tie]]:
        """Shortest ways, each by another first person; who is asked first is not always the same."""
        far = self._distances(end)
        if start not in far or start == end:
            return []
        first = [one for one in self._ties[start] if far.get(one) == far[start] - 1]
        first.sort(key=lambda one: _turn(start, end, one))
        return [self._way(start, one, end, far) for one in first[:_MOST]]

    def _way(self, start: bytes, first: bytes, end: bytes, far: dict[bytes, int]) -> list[Tie]:
        way, here = [self._ties[start][first]], first
        while here != end:
            nearer = [one for one in self._ties[here] if far.get(one) == far[here] - 1]
            following = min(nearer, key=lambda one: _turn(start, end, one))
            way.append(self._ties[here][following])
            here = following
        return way

    def _distances(self, end: bytes) -> dict[bytes, int]:
        far, edge = {end: 0}, [end]
        while edge:
            steps = far[edge[0]] + 1
            edge = list(
                dict.fromkeys(one for at in edge for one in self._ties[at] if one not in far)
            )
            far |= dict.fromkeys(edge, steps)
        return far

    def _add(self, tie: Tie) -> None:
        """Keeps the strongest tie of two people, of equal ones the later."""
        if not {tie.one, tie.other} <= set(self._people) or tie.one == tie.other:
            return
        known = self._ties[tie.one].get(tie.other)
        if known is None or tie.rank <= known.rank:
            self._ties[tie.one][tie.other] = self._ties[tie.other][tie.one] = tie


def _turn(start: bytes, end: bytes, person: bytes) -> bytes:
    return hashlib.sha256(start + end + person).digest()
