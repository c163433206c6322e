"""Reach: how a home is found behind relays, and finds others there (specs/08-relays.md)."""

import logging
from contextlib import suppress

import trio

from meshcoop.author.author import Author
from meshcoop.network.interface import NetworkError
from meshcoop.sync.conversation import Conversation
from meshcoop.sync.mesh import RELAYS, Mesh
from protocol.fold.kind import KINDS
from protocol.record.peer_id import key_of, peer_id

_LOG = logging.getLogger(__name__)

CIRCUIT = "/p2p-circuit/p2p/"

_LOOK_SECONDS = 1
_MOMENT = 5
_TRIES, _TRY_SECONDS = 12, 5  # until it is known where both are seen
_AGAIN = 0.5  # of a reservation's time, after which it is made anew
_REFUSED_SECONDS = 30  # until a relay that refused is asked again


class Reach:
    """Keeps reservations at relays, and learns where neighbours' homes are behind them."""

    def __init__(self, mesh: Mesh, author: Author) -> None:
        self._mesh, self._author = mesh, author
        self._own = mesh.network.peer_id
        self._again: dict[str, float] = {}  # relay → when to reserve there anew
        self._wishes: dict[str, int] = {}  # peer → how often a direct way may still be tried
        self._learnt: object = None
        self._reserved = trio.Event()  # some relay passes others on to this home

    @property
    def relays(self) -> list[str]:
        """Addresses, without /p2p/…, of the relays that pass others on to this home."""
        known = self._author.state.authority
        relays = known.relays.values() if known else ()
        return [
            address
            for one in relays
            if peer_id(one.key) in self._again
            for address in one.addresses[:1]
        ]

    async def reachable(self) -> None:
        """Waits a moment for the first reservation, where the neighbourhood has relays: an
        invitation that is written before would not name them.
        """
        known = self._author.state.authority
        if known is not None and known.relays:
            with trio.move_on_after(_MOMENT):
                await self._reserved.wait()

    async def run(self) -> None:
        """Runs until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._straighten)
            while True:
                await self._reserve()
                self._learn()
                await trio.sleep(_LOOK_SECONDS)

    def say(self) -> None:
        """R-08.9: tells the neighbourhood once which node this home is, if there are relays."""
        known = self._author.state.authority
        if known is None or not known.relays or self._author.state.ring.current() is None:
            return
        key, person = key_of(self._own), known.author(self._mesh.credentials.device)
        if person is not None and not any(
            one["key"] == key and one["author"] == person
            for one in self._author.state.views.of_kind("home")
        ):
            self._author.write(KINDS["home"], {"key": key})

    def on_met(self, one: Conversation) -> None:
        """R-08.12: of two homes that met through a relay, the one that was dialled tries once for a
        direct way.
        """
        if self._circuit(one.peer) and one.opener != self._own:
            self._wishes.setdefault(one.peer, _TRIES)

    def _circuit(self, peer: str) -> bool:
        return CIRCUIT in self._mesh.network.peers().get(peer, "")

    async def _straighten(self) -> None:
        """Tries where a circuit is, unless that was done; a peer that has just joined does not know
        yet from where relays see it, and is asked again.
        """
        while True:
            for peer, tries in list(self._wishes.items()):
                if tries and self._circuit(peer):
                    self._wishes[peer] = tries - 1
                    with suppress(NetworkError):
                        await self._mesh.network.straighten(peer)
                        self._wishes[peer] = 0
            await trio.sleep(_TRY_SECONDS)

    async def _reserve(self) -> None:
        now = trio.current_time()
        there = {peer for peer, one in self._mesh.conversations.items() if one.person is None}
        self._again = {relay: at for relay, at in self._again.items() if relay in there}
        for relay in sorted(there, key=lambda peer: (peer not in self._again, peer))[:RELAYS]:
            if self._again.get(relay, 0.0) > now:
                continue
            try:
                seconds = await self._mesh.network.reserve(relay)
                self._reserved.set()
            except NetworkError as error:
                _LOG.info("no reservation at the relay %s: %s", relay, error)
                seconds = _REFUSED_SECONDS / _AGAIN
            self._again[relay] = trio.current_time() + seconds * _AGAIN

    def _learn(self) -> None:
        """R-08.10: every home may be behind every relay; a relay says at once where it is not."""
        state = self._author.state
        known = state.authority
        facts = state.store.change_count
        if known is None or not known.relays or facts == self._learnt:
            return
        self._learnt = facts
        homes = {peer_id(one["key"]) for one in state.views.of_kind("home")} - {self._own}
        for relay in known.relays.values():
            for address in relay.addresses:
                through = f"{address}/p2p/{peer_id(relay.key)}{CIRCUIT}"
                self._mesh.peers.learn(through + peer for peer in sorted(homes))
