"""The relay: the part of a node that serves neighbourhoods. Such a node has no devices, so it signs
no records.
"""

import logging
from collections.abc import Callable
from typing import Any

import trio

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.relay_limits import RelayLimits
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, Stream
from meshcoop.relay.shared_network import NOT_SERVED, SharedNetwork
from meshcoop.relay.tenant import Tenant, open_tenant
from meshcoop.relay.tickets import Tickets
from meshcoop.store.relayed_neighbourhoods import RelayedNeighbourhoods
from meshcoop.store.store import Store
from meshcoop.sync.mesh import Mesh
from protocol.errors import Refused
from protocol.record.envelope import device_key
from protocol.wire import frames, relay_ticket
from protocol.wire.relay_ticket import EnrolRequest

_LOG = logging.getLogger(__name__)

_ANSWER_SECONDS = 10


class Relay:
    """Serves neighbourhoods. Each one has a store of its own, beside the relay's store.

    The relay's tasks run in `nursery`. `seed` is the seed of the node's network key. `now` returns
    milliseconds, and `random(n)` returns n random bytes.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        network: Network,
        nursery: trio.Nursery,
        seed: bytes,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
    ) -> None:
        self.key = device_key(seed)
        self.tenants: dict[bytes, Tenant] = {}
        self.tickets = Tickets(store, now, random)
        self.shared_network = SharedNetwork(network, self.talking)
        self.carrying = network.serve_relay(self._is_reachable)
        self._neighbourhoods = RelayedNeighbourhoods(store)
        self._home = home
        self._network = network
        self._nursery = nursery
        self._seed = seed
        self._now = now
        self._random = random
        self._verifier = verifier
        self._enrolling = trio.Lock()

    @property
    def meshes(self) -> list[Mesh]:
        """The meshes, one for each neighbourhood that is served."""
        return [tenant.mesh for tenant in self.tenants.values()]

    def talking(self) -> set[str]:
        """Returns the peers that have proved, in any neighbourhood, that they are a member's home
        or a relay.
        """
        return {peer for mesh in self.meshes for peer in mesh.conversations}

    async def start(self) -> None:
        """Serves the neighbourhoods that have enrolled the relay. Then answers requests of further
        neighbourhoods.
        """
        for neighbourhood in self._neighbourhoods.all():
            await self._serve(neighbourhood)
        self._network.serve(relay_ticket.PROTOCOL, self._answer)
        self._nursery.start_soon(self.shared_network.run)

    def issue_ticket(self, addresses: list[str]) -> tuple[str, int]:
        """Makes a ticket, with which a neighbourhood enrols this relay. Returns the ticket's text,
        and the time when the ticket expires (milliseconds).

        `addresses` says where others dial the relay. If it is empty, they dial the addresses at
        which the relay listens. The two differ, for example, behind a router that forwards a port.
        """
        own = sorted(self._network.addresses, key=lambda address: address.startswith("/ip4/127."))
        return self.tickets.issue(self.key, addresses or own)

    def enrolled_at(self, neighbourhood: bytes) -> int:
        """Returns the time (milliseconds) at which a neighbourhood enrolled this relay."""
        return self._neighbourhoods.since(neighbourhood)

    async def enrol(self, request: EnrolRequest) -> None:
        """Begins to serve the neighbourhood of a request that has been checked.

        Stores the request's records, which show that the person who asks is a member.
        """
        async with self._enrolling:  # two requests with the same ticket may come at once
            tenant = self.tenants.get(request.neighbourhood)
            if tenant is None:
                tenant = await self._serve(request.neighbourhood)
                self._neighbourhoods.add(request.neighbourhood, self._now())
                self.tickets.note_use(request)
                _LOG.info("serving the neighbourhood %s", request.neighbourhood.hex())
        tenant.inbox.ingest_wires(request.chain)

    async def leave(self, neighbourhood: bytes) -> None:
        """Stops serving a neighbourhood, and erases its records here.

        The neighbourhood's homes hear of this when they next connect (R-08.7). Raises Mistake if
        the relay does not serve this neighbourhood.
        """
        tenant = self.tenants.pop(neighbourhood, None)
        if tenant is None:
            raise Mistake("This relay serves no such neighbourhood; `meshcoop relay list` tells.")
        self._neighbourhoods.remove(neighbourhood)
        self.shared_network.close(neighbourhood)
        await tenant.end(NOT_SERVED)

    def change_limits(self, limits: RelayLimits) -> None:
        """Sets how much each neighbourhood may store from now on, and for how long."""
        for tenant in self.tenants.values():
            tenant.storage.change_limits(limits, self._now())

    def _is_reachable(self, peer: str) -> bool:
        """R-08.11: returns whether others may reach a peer through this relay. The peer must be a
        member's home.
        """
        conversations = [mesh.conversations.get(peer) for mesh in self.meshes]
        return any(talk is not None and talk.person is not None for talk in conversations)

    async def _serve(self, neighbourhood: bytes) -> Tenant:
        """Builds the tenant, which holds everything that serves one neighbourhood, and starts the
        tenant. From then on, the neighbourhood counts as served.
        """
        path = self._home.path / "served" / f"{neighbourhood.hex()}.db"
        path.parent.mkdir(mode=0o700, exist_ok=True)
        tenant = open_tenant(
            path,
            Store(path),
            neighbourhood,
            self.shared_network.open(neighbourhood),
            self._seed,
            self._home.read_settings().limits,
            self._now,
            self._random,
            self._verifier,
        )
        await self._nursery.start(tenant.run)
        self.tenants[neighbourhood] = tenant
        return tenant

    async def _answer(self, stream: Stream) -> None:
        """Answers the enrolment requests that come on one stream."""
        decoder = frames.Decoder()
        with trio.move_on_after(_ANSWER_SECONDS):
            while data := await stream.read():
                for frame in decoder.feed(data):
                    await stream.write(frames.encode(await self._reply(stream.peer, frame)))

    async def _reply(self, peer: str, frame: list[Any]) -> list[Any]:
        try:
            request = EnrolRequest.read(frame)
            self.tickets.check(request, peer, self._network.peer_id)
        except Refused as refusal:
            _LOG.info("a request to be served from %s: %s", peer, refusal)
            return [relay_ticket.REFUSAL, refusal.rule, refusal.reason]
        self.shared_network.welcome(peer)
        await self.enrol(request)
        return [relay_ticket.ENROLLED]
