"""One neighbourhood at a relay: its store, its mesh, and what it may use."""

from collections.abc import Callable
from pathlib import Path

import trio

from meshcoop.fold.key_ring import KeyRing
from meshcoop.fold.state import State
from meshcoop.home.relay_limits import Limits
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, Starting
from meshcoop.relay.retention import Storage
from meshcoop.store.disk_errors import enduring
from meshcoop.store.gossip_keys import GossipKeys
from meshcoop.store.store import Store
from meshcoop.sync.credentials import Credentials
from meshcoop.sync.mesh import Mesh
from protocol.errors import Refused
from protocol.record.envelope import device_key

_TIDY_SECONDS = 600
_MAX_KEYS_OF_ONE = 64


class HandedKeys(KeyRing):
    """R-08.4: gossip keys as members' homes handed them over: they tell whose gossip is a member's,
    and open nothing.
    """

    def __init__(self, store: Store) -> None:
        super().__init__([])
        self._handed = GossipKeys(store)
        self._read()

    def take(self, person: bytes, keys: list[bytes]) -> None:
        """What this member's home holds; it takes the place of what the same one said before."""
        self._handed.replace(person, keys[:_MAX_KEYS_OF_ONE])
        self._read()

    def _read(self) -> None:
        self.gossip_keys = self._handed.all()


class RelayMesh(Mesh):
    """The mesh of a neighbourhood at a relay."""

    ring: HandedKeys

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """Only from a member's home; another relay has no keys of its own."""
        if person is not None:
            self.ring.take(person, keys)


class Served:
    """A neighbourhood that this relay serves. `seed` is that of the relay's network key."""

    def __init__(
        self,
        network: Network,
        path: Path,
        neighbourhood: bytes,
        seed: bytes,
        limits: Limits,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
    ) -> None:
        self.neighbourhood = neighbourhood
        self._path, self._now = path, now
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self.store = Store(path)
        ring = HandedKeys(self.store)
        self.state = State(self.store, neighbourhood, ring, now)
        self.inbox = Inbox(self.state)
        self.storage = Storage(self.inbox, limits)
        credentials = Credentials(self.inbox, network.peer_id, device_key(seed), seed)
        self.mesh = RelayMesh(network, self.inbox, credentials, now, random, verifier)
        self.mesh.ring = ring
        self._scope = trio.CancelScope()
        self._over = trio.Event()

    @property
    def name(self) -> str | None:
        """The neighbourhood's name, as its charter has it."""
        return self.state.authority.charter["name"] if self.state.authority else None

    async def run(self, *, task_status: Starting = trio.TASK_STATUS_IGNORED) -> None:
        """Serves until cancelled or ended; started once peers are answered."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(self.mesh.run)
                    nursery.start_soon(self._tidy)
                    task_status.started()
        finally:
            with trio.CancelScope(shield=True):
                await self.mesh.hang_up()
            self.store.close()
            self._over.set()

    async def end(self, why: Refused) -> None:
        """Stops serving, tells why, and leaves nothing of the neighbourhood on the disk."""
        await self.mesh.hang_up(why)
        self._scope.cancel()
        await self._over.wait()
        self._erase()

    def _erase(self) -> None:
        for ending in ("", "-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)

    @property
    def on_disk(self) -> int:
        """Bytes that its files take."""
        files = (Path(f"{self._path}{ending}") for ending in ("", "-wal"))
        return sum(one.stat().st_size for one in files if one.exists())

    async def _tidy(self) -> None:
        while True:
            with enduring("what is over its days stays for now"):
                self.storage.tidy(self._now())
            await trio.sleep(_TIDY_SECONDS)
