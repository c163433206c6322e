"""Compares this home's clock with the clocks of its peers (specs/03, from R-03.18f on)."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.fold.clock_limit import DRIFT_MS
from meshcoop.sync.conversation import Conversation

_FEWEST_CLOCKS = 2  # so many others have to differ before this home's own clock is called wrong
_MINUTE_MS = 60_000


class PeerClock(NamedTuple):
    """By how many milliseconds this home's clock is ahead of another clock: the clock of a person
    or a relay.

    `person` is None for a relay.
    """

    person: bytes | None
    ahead: int

    @property
    def differs(self) -> bool:
        """Whether the two clocks differ by more than 10 minutes."""
        return abs(self.ahead) > DRIFT_MS


def compare_clocks(conversations: Iterable[Conversation]) -> list[PeerClock]:
    """Compares this home's clock with the clocks of the connected people and relays (R-03.18h).

    If several nodes of one person are connected, they count as one clock. So nobody outvotes the
    others with many devices.
    """
    peers: dict[bytes, tuple[bytes | None, list[int]]] = {}
    for conversation in conversations:
        if conversation.clock_ahead is not None:
            key = conversation.person or conversation.device
            _, every_ahead = peers.setdefault(key, (conversation.person, []))
            every_ahead.append(conversation.clock_ahead)
    return [PeerClock(person, _middle(every_ahead)) for person, every_ahead in peers.values()]


def show_own_clock(clocks: Collection[PeerClock]) -> Params | None:
    """Shows by how much this home's clock is wrong, according to the clocks of others (R-03.18f).

    At least two of the other clocks, and more than half of them, must differ from this clock in the
    same direction. If not, returns None.
    """
    for side in (1, -1):
        differing = [clock.ahead for clock in clocks if clock.differs and clock.ahead * side > 0]
        if len(differing) >= _FEWEST_CLOCKS and 2 * len(differing) > len(clocks):
            minutes = round(_middle(differing) / _MINUTE_MS)
            return {"minutes": minutes, "differing": len(differing), "compared": len(clocks)}
    return None


def show_other_clocks(clocks: Iterable[PeerClock], presenter: Presenter) -> list[Params]:
    """Shows whose clocks differ from this home's clock. Either of the two clocks may be wrong
    (R-03.18g).
    """
    return [
        {
            "person": presenter.show_person(clock.person) if clock.person else None,
            "minutes": round(clock.ahead / _MINUTE_MS),
        }
        for clock in clocks
        if clock.differs
    ]


def _middle(every_ahead: Iterable[int]) -> int:
    """Returns the median. If two values are in the middle, returns the value nearer to 0, because
    one of the two values may be a lie.
    """
    by_size = sorted(every_ahead)
    middle = len(by_size) // 2
    return min(by_size[(len(by_size) - 1) // 2], by_size[middle], key=abs)
