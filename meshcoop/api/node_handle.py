"""What the methods of the local API ask of the node that runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from meshcoop.author.author import Author
from meshcoop.author.guests import Guests
from meshcoop.fold.loop_cache import Following
from meshcoop.fold.muted_people import Muted
from meshcoop.fold.state import State
from meshcoop.home.folder import Home
from meshcoop.matching.index import Index
from meshcoop.network.interface import Network
from meshcoop.relay.relay import Relay
from meshcoop.sync.address_delivery import Giving
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk


@dataclass(frozen=True)
class Membership:
    """Everything that a home keeps and runs for the neighbourhood it belongs to."""

    author: Author
    mesh: HomeMesh
    door: InvitationDesk
    guests: Guests
    muted: Muted
    giving: Giving
    index: Index
    following: Following

    @property
    def state(self) -> State:
        """What this home makes of its records."""
        return self.author.state


class NodeHandle(Protocol):
    """A running node as the methods see it; `meshcoop.node.node.Node` implements it."""

    home: Home
    network: Network
    now: Callable[[], int]
    damage: list[str]
    ready: bool
    changed: trio.Event
    member: Membership | None
    relay: Relay | None

    def stop(self) -> None:
        """Ends the node."""

    def change(self) -> None:
        """Wakes everybody who waits on `changed`, and replaces the event."""

    def belonging(self) -> Membership:
        """The membership. Raises Mistake while there is none."""

    async def may_sign(self) -> Membership:
        """The membership, once this home may sign. Raises Mistake where it may not."""

    def relaying(self) -> Relay:
        """The relay that this node runs. Raises Mistake where it runs none."""

    async def join(self, text: str, name: str, seconds: float) -> bool:
        """Knocks with an invitation; True once this home belongs. Raises Refused, Mistake."""
