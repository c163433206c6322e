"""Relays of a simulated neighbourhood: real relays over the network in memory."""

from pathlib import Path
from random import Random
from types import SimpleNamespace

import trio

from meshcoop.home.folder import Home as Folder
from meshcoop.home.key_file import Keys
from meshcoop.home.relay_limits import RelayLimits
from meshcoop.network.interface import TaskStatus
from meshcoop.relay.relay import Relay, open_relay
from meshcoop.relay.tenant import Tenant
from meshcoop.store.store import Store
from meshcoop.sync import relay_enrolment as enrolling
from protocol.record.envelope import Record
from tests.support.simulated_street import EPOCH_MS, Home, Street, chance
from tests.support.stores import STORE_KEY, files_and_rows


class RelayHome:
    """A relay. Its folder stays when its node stops. The relay knows no addresses; homes find the
    relay.
    """

    def __init__(self, street: Street, name: str, limits: RelayLimits | None = None) -> None:
        self.street, self.name = street, name
        self.path = street.folder / name
        self.path.mkdir(mode=0o700)
        self.seed = Random(f"{street.seed} {name}").randbytes(32)
        self.random = Random(f"{street.seed} {name} dice")
        self.limits = limits or RelayLimits()
        self.address = street.network.address(name, self.seed)
        street.relays.append(self.address)
        self.relay: Relay | None = None
        self._scope = trio.CancelScope()
        self._gone = trio.Event()

    def now(self) -> int:
        return EPOCH_MS + int(trio.current_time() * 1000)

    async def live(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Runs the relay's node once, until it is stopped."""
        self._scope, self._gone = trio.CancelScope(), trio.Event()
        store = Store(self.path / "store.db", STORE_KEY)
        try:
            with self._scope:
                async with (
                    self.street.network.host(self.name, self.seed) as network,
                    open_relay(
                        _Folder(self.path, self.limits), store, Keys(self.seed, STORE_KEY), network, self.now, chance(self.random), None,
                    ) as relay,
                ):  # fmt: skip
                    self.relay = relay
                    task_status.started()
                    await trio.sleep_forever()
        finally:
            self.relay = None
            store.close()
            self._gone.set()

    async def stop(self) -> None:
        self._scope.cancel()
        await self._gone.wait()

    async def enrolled_by(self, home: Home) -> Record:
        """Lets a member's home enrol this relay with a ticket."""
        assert self.relay is not None
        assert home.mesh is not None
        text, _ = self.relay.issue_ticket([])
        return await enrolling.enrol(home.mesh, text)

    @property
    def served(self) -> Tenant:
        """The only neighbourhood that this relay serves."""
        assert self.relay is not None
        (one,) = self.relay.tenants.values()
        return one

    def holds(self, words: bytes) -> bool:
        """Returns whether a file of this relay holds the words."""
        return any(words in data for data in files_and_rows(self.path, STORE_KEY).values())


class _Folder(Folder):
    """A relay's folder. The test chooses its settings."""

    def __init__(self, path: Path, limits: RelayLimits) -> None:
        super().__init__(path)
        object.__setattr__(self, "limits", limits)

    def read_settings(self):
        return SimpleNamespace(limits=self.limits)
