"""The relay: what a node does in a home without devices."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.relay_limits import Limits
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, Starting, Stream
from meshcoop.relay.shared_network import NOT_SERVED, Reception
from meshcoop.relay.tenant import Served
from meshcoop.relay.tickets import Tickets
from meshcoop.store.relayed_neighbourhoods import RelayedNeighbourhoods
from meshcoop.store.store import Store
from meshcoop.sync.mesh import Mesh
from protocol.errors import Refused
from protocol.record.envelope import device_key
from protocol.wire import frames
from protocol.wire import relay_ticket as ticket
from protocol.wire.relay_ticket import Request

_LOG = logging.getLogger(__name__)

_ANSWER_SECONDS = 10


class Relay:
    """Serves neighbourhoods, each with a store of its own beside the relay's. `seed` is that of the
    network key; `now` gives milliseconds, `random(n)` n random bytes.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        network: Network,
        seed: bytes,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
    ) -> None:
        self.key = device_key(seed)
        self.served: dict[bytes, Served] = {}
        self.tickets = Tickets(store, now, random)
        self.reception = Reception(network, self.talking)
        self._neighbourhoods = RelayedNeighbourhoods(store)
        self._home, self._network, self._seed = home, network, seed
        self._now, self._random, self._verifier = now, random, verifier
        self._enrolling = trio.Lock()

    @property
    def meshes(self) -> list[Mesh]:
        """Those of all neighbourhoods."""
        return [one.mesh for one in self.served.values()]

    def talking(self) -> set[str]:
        """The peers that have proved to be a member's home, or a relay, somewhere."""
        return {peer for one in self.served.values() for peer in one.mesh.conversations}

    async def run(self, *, task_status: Starting = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once all neighbourhoods are served."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for neighbourhood in self._neighbourhoods.all():
                await self._serve(neighbourhood)
            self._network.serve(ticket.PROTOCOL, self._answer)
            self.carrying = self._network.carry(self._allowed)
            nursery.start_soon(self.reception.run)
            task_status.started()

    def _allowed(self, peer: str) -> bool:
        """R-08.11: whether a peer may be reached through this relay: the home of a member."""
        return any(
            (known := one.mesh.conversations.get(peer)) is not None and known.person is not None
            for one in self.served.values()
        )

    def ticket(self, addresses: list[str]) -> tuple[str, int]:
        """A new ticket, and when it ends (milliseconds). `addresses`: where the relay is dialled, if
        not where it listens, as behind a router that forwards a port.
        """
        own = sorted(self._network.addresses, key=lambda one: one.startswith("/ip4/127."))
        return self.tickets.issue(self.key, addresses or own)

    def since(self, neighbourhood: bytes) -> int:
        """When this relay was enrolled (milliseconds)."""
        return self._neighbourhoods.since(neighbourhood)

    async def leave(self, neighbourhood: bytes) -> None:
        """Serves a neighbourhood no more: its records are erased here, and its homes are told the
        next time they ask (R-08.7).
        """
        one = self.served.pop(neighbourhood, None)
        if one is None:
            raise Mistake("This relay serves no such neighbourhood; `meshcoop relay list` tells.")
        self._neighbourhoods.remove(neighbourhood)
        self.reception.close(neighbourhood)
        await one.end(NOT_SERVED)

    def limit(self, limits: Limits) -> None:
        """What each neighbourhood may use from now on."""
        for one in self.served.values():
            one.storage.limits = limits
            one.storage.tidy(self._now())

    async def _serve(self, neighbourhood: bytes) -> Served:
        one = Served(
            self.reception.room(neighbourhood),
            self._file(neighbourhood),
            neighbourhood,
            self._seed,
            self._home.read_settings().limits,
            self._now,
            self._random,
            self._verifier,
        )
        self.served[neighbourhood] = one
        await self._nursery.start(one.run)
        return one

    def _file(self, neighbourhood: bytes) -> Path:
        return self._home.path / "served" / f"{neighbourhood.hex()}.db"

    # -- enrolment --------------------------------------------------------------------------------

    async def _answer(self, stream: Stream) -> None:
        decoder = frames.Decoder()
        with trio.move_on_after(_ANSWER_SECONDS):
            while data := await stream.read():
                for frame in decoder.feed(data):
                    await stream.write(frames.encode(await self._reply(stream.peer, frame)))

    async def _reply(self, peer: str, frame: list[Any]) -> list[Any]:
        try:
            request = Request.read(frame)
            self.tickets.check(request, peer, self._network.peer_id)
        except Refused as refusal:
            _LOG.info("a request to be served from %s: %s", peer, refusal)
            return [ticket.REFUSAL, refusal.rule, refusal.reason]
        self.reception.welcome(peer)
        async with self._enrolling:  # the same ticket may be shown twice at once
            one = self.served.get(request.neighbourhood) or await self._begin(request)
        one.inbox.take_wires(request.chain)
        return [ticket.TAKEN]

    async def _begin(self, request: Request) -> Served:
        self._neighbourhoods.add(request.neighbourhood, self._now())
        self.tickets.used(request)
        _LOG.info("serving the neighbourhood %s", request.neighbourhood.hex())
        return await self._serve(request.neighbourhood)
