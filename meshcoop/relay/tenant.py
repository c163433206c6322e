"""A tenant is a neighbourhood that a relay serves. A tenant has its own store, its own mesh and its
own limits.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import trio

from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.home.relay_limits import RelayLimits
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, Stream, TaskStatus
from meshcoop.relay.retention import Storage
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.held_keys import GossipKeys
from meshcoop.store.store import Store
from meshcoop.sync.credentials import Credentials, keep_arrival, read_arrival
from meshcoop.sync.mesh import Mesh
from protocol.errors import Refused
from protocol.record.envelope import device_key
from protocol.wire.frames import batch_records

_TIDY_SECONDS = 600
_MAX_KEYS_OF_ONE = 64


class HandedKeys(KeyRing):
    """R-08.4: the gossip keys that members' homes have sent to this relay.

    The keys show whether gossip comes from a member. They open no content.
    """

    def __init__(self, store: Store) -> None:
        super().__init__([])
        self._handed = GossipKeys(store)
        super().accept_gossip(self._handed.all())

    def take(self, person: bytes, keys: list[bytes]) -> None:
        """Stores the keys that a member's home has sent, in place of the earlier keys of this
        member.
        """
        self._handed.replace(person, keys[:_MAX_KEYS_OF_ONE])
        super().accept_gossip(self._handed.all())

    def accept_gossip(self, keys: Iterable[bytes]) -> None:
        """Does nothing. A home derives its gossip keys, but a relay gets its gossip keys from
        homes.
        """


class RelayMesh(Mesh):
    """The mesh of a neighbourhood at a relay: connects the relay with the nodes of that
    neighbourhood.
    """

    def __init__(
        self,
        network: Network,
        inbox: Inbox,
        credentials: Credentials,
        keys: HandedKeys,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
    ) -> None:
        super().__init__(network, inbox, credentials, now, random, verifier)
        self._keys = keys

    async def _answer(self, stream: Stream) -> None:
        """Answers a stream whose door the shared network of the relay has already opened."""
        await self._converse(stream, stream.peer)

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """Stores the gossip keys that a member's home sends. Ignores keys from another relay
        (`person` is None).
        """
        if person is not None:
            self._keys.take(person, keys)


class Tenant:
    """A neighbourhood that this relay serves."""

    def __init__(
        self,
        neighbourhood: bytes,
        path: Path,
        store: Store,
        storage: Storage,
        mesh: RelayMesh,
        now: Callable[[], int],
    ) -> None:
        self.neighbourhood = neighbourhood
        self.store = store
        self.storage = storage
        self.mesh = mesh
        self._path = path
        self._now = now
        self._scope = trio.CancelScope()
        self.has_begun = False
        self.is_over = trio.Event()  # set by who runs the tenant, when the store is closed too
        self._farewell: Refused | None = None  # what connected peers are told at the end

    @property
    def inbox(self) -> Inbox:
        """The inbox. All records of the neighbourhood come in through it."""
        return self.mesh.inbox

    @property
    def name(self) -> str | None:
        """The name of the neighbourhood, from its charter. None if the charter has not
        arrived yet.
        """
        authority = self.inbox.state.authority
        return authority.charter["name"] if authority else None

    async def take_arrival(self, wires: list[bytes]) -> None:
        """Takes the records with which a member's home has enrolled this relay. From these records,
        the relay knows the members until sync has brought all records.
        """
        keep_arrival(self.store, wires)
        self.mesh.credentials.take_arrival(wires)
        for batch in batch_records(wires):
            self.inbox.ingest_wires(batch)
            await trio.lowlevel.checkpoint()

    async def run(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Serves the neighbourhood until cancelled, or until `end` is called.

        When the tenant answers peers, reports through `task_status` that it has started.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self.mesh.run)
                    nursery.start_soon(self._tidy)
                    self.has_begun = True
                    task_status.started()
        finally:
            # No new conversation can begin any more.
            with trio.CancelScope(shield=True):
                await self.mesh.close_all(self._farewell)

    async def end(self, why: Refused) -> None:
        """Stops serving, and tells the connected peers why. Returns when the store is closed."""
        self._farewell = why
        self._scope.cancel()
        await self.is_over.wait()

    @property
    def bytes_on_disk(self) -> int:
        """The size of the neighbourhood's files in bytes."""
        files = [Path(f"{self._path}{ending}") for ending in ("", "-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    async def _tidy(self) -> None:
        while True:
            with log_disk_errors("what is over its days stays for now"):
                self.storage.tidy(self._now())
            await trio.sleep(_TIDY_SECONDS)


def open_tenant(
    path: Path,
    store: Store,
    neighbourhood: bytes,
    network: Network,
    seed: bytes,
    limits: RelayLimits,
    now: Callable[[], int],
    random: Callable[[int], bytes],
    verifier: Verifier | None,
) -> Tenant:
    """Builds everything that serves one neighbourhood. These objects have no access to other
    neighbourhoods.

    `path` is the file of `store`. `network` is the relay's network as this neighbourhood sees it.
    `seed` is the seed of the relay's network key.
    """
    keys = HandedKeys(store)
    state = State(store, neighbourhood, keys, now)
    storage = Storage(store, limits)
    inbox = Inbox(state, storage)
    inbox.listeners.append(storage.on_stored)
    arrival = read_arrival(store)
    credentials = Credentials(inbox, network.peer_id, device_key(seed), seed, arrival)
    mesh = RelayMesh(network, inbox, credentials, keys, now, random, verifier)
    return Tenant(neighbourhood, path, store, storage, mesh, now)
