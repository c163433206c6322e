"""Mends damaged stores before a node starts."""

from collections.abc import Callable
from pathlib import Path

from meshcoop.author import founding
from meshcoop.fold.state import State
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import rebuild
from meshcoop.store.store import Store
from protocol.record.envelope import device_key


def mend_stores(home: Home, keys: Keys, now: Callable[[], int]) -> list[str]:
    """Mends the damaged stores of a home. Returns one sentence for each damaged store. The caller
    must hold the home's lock.
    """
    neighbourhood = bytes.fromhex(home.read_settings().neighbourhood or "")

    def inbox_of(store: Store) -> Inbox | None:
        if not neighbourhood:
            return None
        devices = {device_key(device.seed): device.seed for device in keys.devices}
        return Inbox(founding.open_state(store, neighbourhood, devices, now, keys.boxes))

    served = sorted((home.path / "served").glob("*[0-9a-f].db"))
    sentences = [
        rebuild.mend_store(home.store_file, inbox_of),
        *(_mend_at_relay(path, now) for path in served),
    ]
    return [sentence for sentence in sentences if sentence is not None]


def _mend_at_relay(path: Path, now: Callable[[], int]) -> str | None:
    from meshcoop.relay.tenant import HandedKeys  # imported late: only relays need it

    neighbourhood = bytes.fromhex(path.stem)

    def inbox_of(store: Store) -> Inbox:
        return Inbox(State(store, neighbourhood, HandedKeys(store), now))

    return rebuild.mend_store(path, inbox_of)
