"""Keeps reservations at relays, so that others can reach this home through these relays. Also
learns how to reach other homes through relays (specs/08-relays.md).
"""

import logging
from contextlib import suppress

import trio

from meshcoop.author.author import Author
from meshcoop.network.interface import NetworkError
from meshcoop.sync.conversation import Conversation
from meshcoop.sync.mesh import RELAYS, Mesh
from protocol.fold.registry import declared_of
from protocol.kinds.people import Home
from protocol.record.peer_id import key_of_peer, peer_id

_LOG = logging.getLogger(__name__)

CIRCUIT = "/p2p-circuit/p2p/"

_LOOK_SECONDS = 1
_MOMENT = 5  # the longest time in seconds that an invitation waits for a reservation
# The most tries for a direct connection. At first a home may not know how relays see it.
_TRIES = 12
_TRY_SECONDS = 5
_AGAIN = 0.5  # a reservation is renewed after this part of its time
_REFUSED_SECONDS = 30  # the pause before a relay that refused is asked again


class Reach:
    """Keeps this home's reservations at relays. Learns the addresses of other homes behind relays.

    If this home has a reservation at a relay, the relay passes connections on to this home.
    """

    def __init__(self, mesh: Mesh, author: Author) -> None:
        self._mesh = mesh
        self._author = author
        self._own_peer = mesh.network.peer_id
        self._renew_at: dict[str, float] = {}  # relay → when to reserve there again
        self._tries_left: dict[str, int] = {}  # peer → tries left for a direct connection
        self._learnt_at: object = None  # the store's change count when homes were last learned
        self._reserved = trio.Event()  # set when this home has a reservation

    @property
    def relays(self) -> list[str]:
        """The addresses, without /p2p/…, of the relays at which this home has a reservation."""
        authority = self._author.state.authority
        enrolled = authority.relays.values() if authority else ()
        reserved = [relay for relay in enrolled if peer_id(relay.key) in self._renew_at]
        return [address for relay in reserved for address in relay.addresses[:1]]

    async def wait_until_reachable(self) -> None:
        """Waits a few seconds for the first reservation, if the neighbourhood has relays.

        Callers use this before they write an invitation, because an invitation names the relays at
        which this home has a reservation.
        """
        authority = self._author.state.authority
        if authority is not None and authority.relays:
            with trio.move_on_after(_MOMENT):
                await self._reserved.wait()

    async def run(self) -> None:
        """Runs until cancelled: keeps reservations, and learns addresses of homes."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._upgrade_loop)
            while True:
                await self._reserve()
                self._learn_homes()
                await trio.sleep(_LOOK_SECONDS)

    def post_home_record(self) -> None:
        """R-08.9: posts a `home` record with the public key of this home's node, if there is no
        such record yet.

        Does nothing as long as nobody can reach this home, because there is no other member and no
        relay.
        """
        state = self._author.state
        authority = state.authority
        if authority is None or not state.ring:
            return
        if len(authority.members) == 1 and not authority.relays:
            return
        person = authority.member_of_device(self._mesh.credentials.device)
        if person is None:
            return
        key = key_of_peer(self._own_peer)
        homes = {(view.author, view.key) for view in state.views.of_kind(Home)}
        if (person, key) not in homes:
            self._author.write(declared_of(Home), {"key": key}, is_automatic=True)

    def on_admitted(self, conversation: Conversation) -> None:
        """R-08.12: if the peer is connected through a relay, notes that this home has to try a
        direct connection.

        Only the home that was dialled tries this.
        """
        if self._is_circuit(conversation.peer) and conversation.opener != self._own_peer:
            self._tries_left.setdefault(conversation.peer, _TRIES)

    def _is_circuit(self, peer: str) -> bool:
        return CIRCUIT in self._mesh.network.peers().get(peer, "")

    async def _upgrade_loop(self) -> None:
        """Tries to replace connections through relays by direct connections, once for each peer.

        For a direct connection, both homes must know the address at which relays see them. A home
        that has just joined does not know this address. So an attempt that came too early is
        repeated.
        """
        while True:
            for peer, tries in list(self._tries_left.items()):
                if tries and self._is_circuit(peer):
                    self._tries_left[peer] = tries - 1
                    with suppress(NetworkError):
                        await self._mesh.network.upgrade_to_direct(peer)
                        self._tries_left[peer] = 0
            await trio.sleep(_TRY_SECONDS)

    async def _reserve(self) -> None:
        """Reserves a place at a few connected relays, and renews reservations. Prefers relays at
        which this home has a reservation already.
        """
        now = trio.current_time()
        conversations = self._mesh.conversations.items()
        there = {peer for peer, conversation in conversations if conversation.person is None}
        self._renew_at = {relay: at for relay, at in self._renew_at.items() if relay in there}
        for relay in sorted(there, key=lambda peer: (peer not in self._renew_at, peer))[:RELAYS]:
            if self._renew_at.get(relay, 0.0) > now:
                continue
            try:
                seconds = await self._mesh.network.reserve(relay)
                self._reserved.set()
            except NetworkError as error:
                _LOG.info("no reservation at the relay %s: %s", relay, error)
                seconds = _REFUSED_SECONDS / _AGAIN
            self._renew_at[relay] = trio.current_time() + seconds * _AGAIN

    def _learn_homes(self) -> None:
        """R-08.10: for every other home and every relay, learns the address at which the relay
        passes connections on to the home.

        Not every home has a reservation at every relay. Without a reservation, the relay refuses a
        dial at once.
        """
        state = self._author.state
        authority = state.authority
        changes = state.store.change_count
        if authority is None or not authority.relays or changes == self._learnt_at:
            return
        self._learnt_at = changes
        homes = sorted(self._mesh.home_peers())
        for relay in authority.relays.values():
            for address in relay.addresses:
                circuit = f"{address}/p2p/{peer_id(relay.key)}{CIRCUIT}"
                self._mesh.peers.learn(circuit + peer for peer in homes)
