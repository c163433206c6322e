"""The node as the methods of the local API see it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from meshcoop.author.author import Author
from meshcoop.author.guests import Guests
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from meshcoop.fold.state import State
from meshcoop.home.folder import Home
from meshcoop.matching.index import MatchingIndex
from meshcoop.network.interface import Network
from meshcoop.relay.relay import Relay
from meshcoop.sync.address_delivery import AddressDelivery
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk


@dataclass(frozen=True)
class Membership:
    """All that a home keeps and runs for the neighbourhood that its people belong to."""

    author: Author
    mesh: HomeMesh
    invitation_desk: InvitationDesk
    guests: Guests
    muted: MutedPeople
    address_delivery: AddressDelivery
    matching_index: MatchingIndex
    loop_cache: LoopCache

    @property
    def state(self) -> State:
        """The state that the records of this home fold to."""
        return self.author.state


class NodeHandle(Protocol):
    """A running node; `meshcoop.node.node.Node` implements it."""

    home: Home
    network: Network
    now: Callable[[], int]  # milliseconds
    damage: list[str]  # sentences about what was repaired at the start
    is_ready: bool  # peers and programs are answered
    changed: trio.Event  # replaced whenever something has changed
    membership: Membership | None  # None at a relay, and before this home has joined
    relay: Relay | None  # None at a home

    def stop(self) -> None:
        """Stops the node."""

    def announce_change(self) -> None:
        """Wakes all tasks that wait on `changed`, and replaces the event."""

    def require_membership(self) -> Membership:
        """The membership. Raises Mistake while there is none."""

    async def wait_to_sign(self) -> Membership:
        """Waits until this home may sign, and returns the membership. Raises Mistake if it may not."""

    def require_relay(self) -> Relay:
        """The relay that this node runs. Raises Mistake if it runs none."""

    async def join(self, text: str, name: str, seconds: float) -> bool:
        """Knocks with an invitation for some seconds; returns True if this home belongs now.

        Raises Refused, Mistake.
        """
