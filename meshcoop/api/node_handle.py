"""The interface of a node for the methods of the local API."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from meshcoop.author.author import Author
from meshcoop.author.guests import Guests
from meshcoop.errors import Remark
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
    """All objects that a home needs for one neighbourhood. The people of the home belong to this
    neighbourhood.
    """

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
        """The state that this home folds from its records."""
        return self.author.state


class NodeHandle(Protocol):
    """A running node, as the methods of the local API use it. The class `meshcoop.node.node.Node`
    implements this interface.
    """

    home: Home
    network: Network
    now: Callable[[], int]  # milliseconds
    damage: list[Remark]  # what the node repaired at its start
    is_ready: bool  # True once the node answers peers and programs
    changed: trio.Event  # set and replaced by a new event whenever something has changed
    membership: Membership | None  # None at a relay, and before this home has joined
    relay: Relay | None  # None at a home

    @property
    def has_asked(self) -> bool:
        """Whether this home waits to be admitted to a neighbourhood."""

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase locks the keys of this home."""

    @property
    def keeps_recovery_words(self) -> bool:
        """Whether this home still keeps the recovery words of its person, which belong on paper."""

    async def examine(self) -> dict[str, object]:
        """Looks into the stores of this home for the doctor. Works in a thread beside the event
        loop.
        """

    def stop(self) -> None:
        """Stops the node."""

    def announce_change(self) -> None:
        """Wakes all tasks that wait for the event `changed`. Then makes a new event `changed`."""

    def require_membership(self) -> Membership:
        """Returns the membership. Raises Mistake if this home belongs to no neighbourhood."""

    async def wait_to_sign(self) -> Membership:
        """Waits until this home has found out which record it signed last. Then returns the
        membership.

        Raises Mistake if this home belongs to no neighbourhood. Raises Refused if no device of this
        home may sign.
        """

    def require_relay(self) -> Relay:
        """Returns the relay that this node runs. Raises Mistake if this home is no relay."""

    async def ask_place(self, text: str, seconds: float) -> bytes:
        """Asks the home that made the invitation `text` for the place: the beginning of the
        neighbourhood's id. A newcomer's certificate must name this place.

        Gives up if no home answers within `seconds`. Raises Refused or Mistake if no home tells the
        place.
        """

    async def join(self, text: str, name: str | None, seconds: float) -> bool:
        """Shows the invitation `text` to the inviter's home. Asks that home to admit this home's
        person under the name `name`. Returns True if this home now belongs to the neighbourhood.

        Gives up if no home answers within `seconds`. Raises Refused or Mistake if this home cannot
        join.
        """
