"""The relay: the part of a node that serves neighbourhoods. Such a node has no devices, so it signs
no records.
"""

import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import trio

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.home.relay_limits import RelayLimits
from meshcoop.home.served_names import ServedNames
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.doorway import answer_door
from meshcoop.network.interface import (
    Network,
    NetworkError,
    RelayService,
    Stream,
    TaskStatus,
)
from meshcoop.relay.shared_network import NOT_SERVED, SharedNetwork
from meshcoop.relay.tenant import Tenant, open_tenant
from meshcoop.relay.tickets import Tickets
from meshcoop.store.disk_errors import Damaged, Obstacle
from meshcoop.store.relayed_neighbourhoods import RelayedNeighbourhoods
from meshcoop.store.store import Store
from meshcoop.sync.judged_chains import read_chain_in_steps
from meshcoop.sync.mesh import Mesh
from protocol.errors import Refused
from protocol.record.envelope import device_key
from protocol.wire import frames, relay_ticket
from protocol.wire.door import Ends
from protocol.wire.paged_chain import PageReader
from protocol.wire.relay_ticket import EnrolRequest

_LOG = logging.getLogger(__name__)

_ANSWER_SECONDS = 10
_AGAIN_SECONDS = 60  # until a neighbourhood that cannot be served is tried again


@asynccontextmanager
async def open_relay(
    home: Home,
    store: Store,
    keys: Keys,
    network: Network,
    now: Callable[[], int],
    random: Callable[[int], bytes],
    verifier: Verifier | None,
) -> AsyncIterator["Relay"]:
    """Runs a relay within the block of an `async with` statement. The block begins when the relay
    serves every neighbourhood that it can serve.

    `store` is the relay's own store. `keys` are the secrets of the node. `now` returns
    milliseconds, and `random(n)` returns n random bytes.
    """
    tenants: dict[bytes, Tenant] = {}

    def is_reachable(peer: str) -> bool:
        """R-08.11: returns whether others may reach a peer through this relay. Only a member's home
        may be reached.
        """
        talks = [tenant.mesh.conversations.get(peer) for tenant in tenants.values()]
        return any(talk is not None and talk.person is not None for talk in talks)

    with network.serve_relay(is_reachable) as carrying:
        async with trio.open_nursery() as nursery:
            relay = Relay(
                home, store, keys, network, nursery, tenants, carrying, now, random, verifier
            )
            with network.serve(relay_ticket.PROTOCOL, relay.answer_requests):
                nursery.start_soon(relay.shared_network.run)
                await nursery.start(relay.keep_serving)
                yield relay
                nursery.cancel_scope.cancel()


class Relay:
    """Serves neighbourhoods. Each neighbourhood has a store of its own, beside the relay's store.

    `tenants` are the neighbourhoods that are served now. The relay's tasks run in `nursery`.
    `carrying` is the network's service that relays connections.
    """

    def __init__(
        self,
        home: Home,
        store: Store,
        keys: Keys,
        network: Network,
        nursery: trio.Nursery,
        tenants: dict[bytes, Tenant],
        carrying: RelayService,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
    ) -> None:
        self.key = device_key(keys.network_seed)
        self.tenants = tenants
        self.tickets = Tickets(store, now, random)
        self.carrying = carrying
        self._neighbourhoods = RelayedNeighbourhoods(store)
        self.shared_network = SharedNetwork(
            network, self.talking, self._neighbourhoods.all, self._neighbourhoods.left, random
        )
        self._home = home
        self._keys = keys
        self._names = ServedNames(home.served_folder, keys.store_key)
        self._network = network
        self._nursery = nursery
        self._now = now
        self._random = random
        self._verifier = verifier
        self._changing = trio.Lock()  # held while neighbourhoods come and go

    @property
    def meshes(self) -> list[Mesh]:
        """The meshes, one for each neighbourhood that is served."""
        return [tenant.mesh for tenant in self.tenants.values()]

    def talking(self) -> set[str]:
        """Returns the peers that have proved to some neighbourhood that they are a member's home or
        a relay.
        """
        return {peer for mesh in self.meshes for peer in mesh.conversations}

    @property
    def unserved(self) -> list[bytes]:
        """The neighbourhoods that have enrolled the relay, but that the relay cannot serve now."""
        enrolled = self._neighbourhoods.all()
        return [neighbourhood for neighbourhood in enrolled if neighbourhood not in self.tenants]

    async def keep_serving(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Serves every neighbourhood that has enrolled the relay, until cancelled. If one
        neighbourhood cannot be served, the relay still serves the others, and tries that one again
        later (R-08.7h).

        Reports through `task_status` when each neighbourhood has been tried once.
        """
        self._compare_files()
        while True:
            async with self._changing:
                for neighbourhood in self.unserved:
                    await self._try_to_serve(neighbourhood)
            task_status.started()
            task_status = trio.TASK_STATUS_IGNORED
            await trio.sleep(_AGAIN_SECONDS)

    def issue_ticket(self, addresses: list[str]) -> tuple[str, int]:
        """Makes a ticket, with which a neighbourhood enrols this relay. Returns the ticket's text,
        and the time when the ticket expires (milliseconds).

        `addresses` says where others dial the relay, for example at a router that forwards a port.
        If `addresses` is empty, others dial the addresses at which the relay listens.
        """
        own = sorted(self._network.addresses, key=lambda address: address.startswith("/ip4/127."))
        return self.tickets.issue(self.key, addresses or own)

    def enrolled_at(self, neighbourhood: bytes) -> int:
        """Returns the time (milliseconds) at which a neighbourhood enrolled this relay."""
        return self._neighbourhoods.since(neighbourhood)

    async def enrol(self, request: EnrolRequest, ticket: bytes) -> None:
        """Begins to serve a neighbourhood after the request was checked. `ticket` is the id of the
        ticket that was shown.

        Stores the request's records, which show that the person who asks is a member.
        """
        neighbourhood = request.neighbourhood
        async with self._changing:  # two requests with the same ticket may come at once
            tenant = self.tenants.get(neighbourhood) or await self._serve(neighbourhood)
            self._neighbourhoods.add(neighbourhood, self._now())
            self.tickets.note_use(ticket, neighbourhood)
            await tenant.take_arrival(request.chain)

    async def leave(self, neighbourhood: bytes) -> None:
        """Stops serving a neighbourhood, and erases its records here.

        The neighbourhood's homes hear of this when they next connect (R-08.7). Raises Mistake if
        the neighbourhood has not enrolled the relay.
        """
        async with self._changing:
            if neighbourhood not in self._neighbourhoods.all():
                raise Mistake(
                    "This relay serves no such neighbourhood; `meshcoop relay list` tells."
                )
            self._neighbourhoods.note_leaving(neighbourhood)
            tenant = self.tenants.get(neighbourhood)
            if tenant is not None:
                await tenant.end(NOT_SERVED)
            self._erase_files(neighbourhood)

    def change_limits(self, limits: RelayLimits) -> None:
        """Sets how much each neighbourhood may store from now on, and for how long."""
        for tenant in self.tenants.values():
            tenant.storage.change_limits(limits, self._now())

    async def answer_requests(self, stream: Stream) -> None:
        """Answers the enrolment requests that come on one stream. The peer must first prove that it
        knows the secret of a ticket of this relay.
        """
        guarded = self.tickets.door_keys()
        try:
            opened, ticket = await answer_door(stream, self._network.peer_id, guarded, self._random)
        except NetworkError as error:
            _LOG.info("a request to be served from %s: %s", stream.peer, error)
            return
        decoder = frames.Decoder()
        pages = PageReader()
        with trio.move_on_after(_ANSWER_SECONDS):
            while data := await opened.stream.read():
                for frame in decoder.feed(data):
                    reply = await self._reply(opened.ends, ticket, frame, pages)
                    if reply:
                        pages = PageReader()
                        await opened.stream.write(frames.encode(reply))

    def _compare_files(self) -> None:
        """Compares the table of neighbourhoods with the files of their stores, and makes the two
        agree.

        The table and the files differ in two cases. If a relay was killed while it left a
        neighbourhood, the files are still there, and this method deletes them. If a relay lost its
        own store, the table lacks neighbourhoods that have files. The relay must go on serving
        these.
        """
        for path in self._home.served_stores():
            neighbourhood = self._names.neighbourhood_of(path)
            if neighbourhood is None:
                continue
            if self._neighbourhoods.has_left(neighbourhood):
                self._erase_files(neighbourhood)
            else:
                self._neighbourhoods.add(neighbourhood, self._now())

    async def _try_to_serve(self, neighbourhood: bytes) -> None:
        name = _short(neighbourhood)
        try:
            await self._serve(neighbourhood)
        except (Obstacle, Damaged) as disk_error:
            _LOG.error("the neighbourhood %s cannot be served now: %s", name, disk_error.sentence)
        except Exception:  # noqa: BLE001  # logged loudly, but the others are served
            _LOG.exception("the neighbourhood %s cannot be served now", name)

    async def _serve(self, neighbourhood: bytes) -> Tenant:
        """Starts to serve a neighbourhood, and returns its tenant."""
        tenant: Tenant = await self._nursery.start(self._run_tenant, neighbourhood)
        _LOG.info("serving the neighbourhood %s", _short(neighbourhood))
        return tenant

    async def _run_tenant(self, neighbourhood: bytes, *, task_status: TaskStatus) -> None:
        """Builds a tenant for one neighbourhood, and runs it. Reports the tenant through
        `task_status` when the tenant answers peers.

        A fault of a tenant ends only that tenant. Its neighbourhood is served again later.
        """
        path = self._names.path_of(neighbourhood)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        tenant = None
        try:
            with closing(Store(path, self._keys.store_key)) as store:
                tenant = self._open_tenant(neighbourhood, path, store)
                try:
                    async with trio.open_nursery() as nursery:
                        await nursery.start(tenant.run)
                        self.tenants[neighbourhood] = tenant
                        task_status.started(tenant)
                finally:  # it is listed only while its store is open
                    self.tenants.pop(neighbourhood, None)
        except Exception:  # logged loudly, but the node goes on
            if tenant is None or not tenant.has_begun:
                raise
            _LOG.exception("the neighbourhood %s is lost to a fault of ours", _short(neighbourhood))
        finally:
            if tenant is not None:
                tenant.is_over.set()

    def _open_tenant(self, neighbourhood: bytes, path: Path, store: Store) -> Tenant:
        return open_tenant(
            path,
            store,
            neighbourhood,
            self.shared_network.network_of(neighbourhood),
            self._keys.network_seed,
            self._home.read_settings().limits,
            self._now,
            self._random,
            self._verifier,
        )

    def _erase_files(self, neighbourhood: bytes) -> None:
        # The store goes last: as long as it is there, the next start erases the rest (R-08.7b).
        for path in self._names.files_of(neighbourhood):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    async def _reply(
        self, ends: Ends, ticket: bytes, frame: list[Any], pages: PageReader
    ) -> list[Any]:
        """Returns the frame that answers a request. Pages of records may come before the request.
        If `frame` is such a page, returns an empty list.
        """
        peer = ends.opener
        try:
            if pages.take(frame):
                return []
            request = EnrolRequest.read(frame, pages.wires)
            records = await read_chain_in_steps(request.chain, request.neighbourhood)
            self.tickets.check(request, records, ticket, ends)
        except Refused as refusal:
            _LOG.info("a request to be served from %s: %s", peer, refusal)
            return [relay_ticket.REFUSAL, refusal.rule, refusal.reason]
        self.shared_network.welcome(peer)
        try:
            await self.enrol(request, ticket)
        except (Obstacle, Damaged) as disk_error:
            _LOG.error("a request to be served from %s fails: %s", peer, disk_error.sentence)
            return [relay_ticket.REFUSAL, "R-08.6d", "the relay's disk fails; ask its technician"]
        return [relay_ticket.ENROLLED]


def _short(neighbourhood: bytes) -> str:
    """Returns the name of a neighbourhood for the log: the beginning of its id. The whole id must
    not be in a log, because it opens the neighbourhood's door (R-05.12b).
    """
    return neighbourhood.hex()[:8]
