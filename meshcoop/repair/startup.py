"""Mends damaged stores before a node starts."""

from collections.abc import Callable
from pathlib import Path

from meshcoop.author import founding
from meshcoop.errors import Remark
from meshcoop.fold.state import State
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.home.served_names import ServedNames
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import integrity, rebuild
from meshcoop.repair.integrity import Report
from meshcoop.repair.rebuild import Repair
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.store import Store
from protocol.record.envelope import device_key


def mend_stores(
    home: Home,
    keys: Keys,
    now: Callable[[], int],
    on_check: Report | None = None,
    on_mend: Report | None = None,
) -> list[Remark]:
    """Mends the damaged stores of a home. Returns one remark for each store that was damaged or
    lost. The caller must hold the home's lock.

    `on_check` and `on_mend` are called as for `rebuild.mend_store`. Raises Obstacle if the home's
    own store cannot be read or written now. If this happens to the store of one neighbourhood at a
    relay, the relay still serves the others.
    """
    neighbourhood = keys.neighbourhood
    names = ServedNames(home.served_folder, keys.store_key)
    names.rename_older()
    served = {path: names.neighbourhood_of(path) for path in home.served_stores()}

    def inbox_of(store: Store) -> Inbox | None:
        if neighbourhood is None:
            return None
        devices = {device_key(device.seed): device.seed for device in keys.devices}
        return Inbox(founding.open_state(store, neighbourhood, devices, now, keys.boxes))

    repairs = [rebuild.mend_store(home.store_file, keys.store_key, inbox_of, on_check, on_mend)]
    for path, served_id in served.items():
        if served_id is None:  # a file of another relay
            continue
        with log_disk_errors(f"the store of {served_id.hex()} is not looked at"):
            repairs.append(_mend_at_relay(path, keys.store_key, served_id, now, on_check, on_mend))
    if (neighbourhood or served) and integrity.is_lost(home.store_file, keys.store_key):
        repairs.append(Remark(Repair.LOST, {}))
    return [repair for repair in repairs if repair is not None]


def _mend_at_relay(
    path: Path,
    key: bytes,
    neighbourhood: bytes,
    now: Callable[[], int],
    on_check: Report | None,
    on_mend: Report | None,
) -> Remark | None:
    from meshcoop.relay.tenant import HandedKeys  # imported late: only relays need it

    def inbox_of(store: Store) -> Inbox:
        return Inbox(State(store, neighbourhood, HandedKeys(store), now))

    return rebuild.mend_store(path, key, inbox_of, on_check, on_mend)
