"""Looks into the stores of a home for the doctor. Changes nothing."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from meshcoop.home.folder import Home
from meshcoop.home.served_names import ServedNames
from meshcoop.repair import integrity
from meshcoop.store.read_only import DAMAGED, ReadOnlyStore, raise_obstacle

T = TypeVar("T")

_SHOWN_ID = 8  # hexadecimal digits


class Examined(TypedDict):
    """What the stores of a home show. A field is None if damage hides its value.

    `faults` has the faults of each damaged store, by the name of the store's file. At a relay, the
    start of a neighbourhood's id is used instead of the name. `failed` are the errors of the
    threads that the program failed to fold. `newer` counts the records of kinds that the program
    does not know. `head_times` are the times (ms) of each device's latest record. `last_meeting` is
    the time (ms) when this home last met another home, or 0 if it never met one.
    """

    is_lost: bool
    faults: dict[str, list[dict[str, Any]]]
    records: int | None
    failed: list[str] | None
    newer: dict[str, int] | None
    head_times: list[int] | None
    last_meeting: int | None


def examine_stores(home: Home, key: bytes) -> Examined:
    """Looks into all stores of a home. `key` opens the stores. SQLite checks each file, and each
    record is hashed again. Raises Obstacle if a store cannot be read now.
    """
    names = _name_stores(home, key)
    faults = {name: integrity.find_faults(path, key) for name, path in names.items()}
    # A running node may be writing to its write-ahead log: half a frame would look like damage.
    if not home.is_running():
        for name, path in names.items():
            wal_fault = integrity.find_wal_fault(path)
            if wal_fault is not None:
                faults[name].append(wal_fault)
    is_lost = integrity.is_lost(home.store_file, key)

    def read_home(read: Callable[[ReadOnlyStore], T]) -> T | None:
        if is_lost:
            return None
        try:
            with closing(ReadOnlyStore(home.store_file, key)) as store:
                return read(store)
        except DAMAGED as error:
            raise_obstacle(error)
            return None

    return {
        "is_lost": is_lost,
        "faults": {
            name: [fault.as_dict() for fault in of_store]
            for name, of_store in faults.items()
            if of_store
        },
        "records": read_home(lambda store: store.count()),
        "failed": _failed_threads(home, key),
        "newer": read_home(lambda store: store.newer_counts()),
        "head_times": read_home(lambda store: store.head_times()),
        "last_meeting": read_home(lambda store: store.last_meeting() or 0),
    }


def _name_stores(home: Home, key: bytes) -> dict[str, Path]:
    """Returns a name and the path of each store of a home. The name tells people which store is
    meant.
    """
    names = ServedNames(home.served_folder, key)
    stores = {home.store_file.name: home.store_file}
    for path in home.served_stores():
        neighbourhood = names.neighbourhood_of(path)
        stores[path.name if neighbourhood is None else neighbourhood.hex()[:_SHOWN_ID]] = path
    return stores


def _failed_threads(home: Home, key: bytes) -> list[str] | None:
    errors: list[str] = []
    try:
        for path in home.stores():
            if path.exists():
                with closing(ReadOnlyStore(path, key)) as store:
                    errors += store.failed_threads()
    except DAMAGED as error:
        raise_obstacle(error)
        return None
    return errors
