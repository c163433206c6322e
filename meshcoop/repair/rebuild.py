"""Rebuilds a damaged store: makes a new store from the records that can still be read (R-01.27).

Each of these records is checked like a record from a peer. So the new store holds only records that
pass this check. The other records come back by sync. The damaged files are kept.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from meshcoop.errors import Remark
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import integrity
from meshcoop.repair.integrity import Report
from meshcoop.store.read_only import DAMAGED, ReadOnlyStore, raise_obstacle, skip_damage
from meshcoop.store.store import Store
from protocol.record.envelope import assemble

_LOG = logging.getLogger(__name__)

_ENDINGS = ("", "-wal", "-shm")  # the endings of the names of a store's files
_BATCH = 200  # records that go through the inbox at once


class Mended(NamedTuple):
    """The result of a rebuild.

    `saved` is the number of records in the new store. `lost` is the number of rows that could not
    be read or did not match their signed record. `kept` is the folder with the damaged files.
    """

    saved: int
    lost: int
    kept: Path


class Repair(StrEnum):
    """The codes of what was done about a damaged store."""

    REBUILT = "store_was_rebuilt"
    LOG_WAS_CUT = "log_was_cut"
    LOST = "store_was_lost"


def mend_store(
    path: Path,
    key: bytes,
    inbox_of: Callable[[Store], Inbox | None],
    on_check: Report | None = None,
    on_mend: Report | None = None,
) -> Remark | None:
    """Mends the store at `path` if it is damaged. `key` opens the store. Returns what was damaged
    and what was done, or None if there is no damage.

    `inbox_of` makes the inbox through which the new store takes in records. `inbox_of` returns None
    if the store is not meant to hold records. `on_check` is called while records are checked, and
    `on_mend` while they are saved. Both get two numbers: how many records are done, and how many
    there are. The caller must hold the home's lock.

    If the process is killed meanwhile, the next call goes on with what was saved. Raises Obstacle
    if the store cannot be read or written now (R-01.27d).
    """
    growing = path.with_name(f"{path.stem}.mending.db")
    if growing.exists() and not path.exists():  # killed while the files changed places
        _change_places(path, growing)
    wal_fault = integrity.find_wal_fault(path)
    faults = integrity.find_faults(path, key, on_check)
    if faults:
        mended = _rebuild(path, growing, key, inbox_of, on_mend)
        repair = Remark(
            Repair.REBUILT,
            {
                "faults": [fault.as_dict() for fault in faults],
                "saved": mended.saved,
                "lost": mended.lost,
                "folder": str(mended.kept),
            },
        )
    elif wal_fault is not None:
        repair = Remark(Repair.LOG_WAS_CUT, {"faults": [wal_fault.as_dict()]})
    else:
        return None
    _LOG.warning("the store was mended: %s", repair.as_dict())
    return repair


def _rebuild(
    path: Path,
    growing: Path,
    key: bytes,
    inbox_of: Callable[[Store], Inbox | None],
    report: Report | None,
) -> Mended:
    if integrity.find_wal_fault(growing) or integrity.find_faults(growing, key):
        for ending in _ENDINGS:
            Path(f"{growing}{ending}").unlink(missing_ok=True)
    lost: list[int] = []
    with skip_damage(), closing(ReadOnlyStore(path, key)) as old:
        old.copy_to(growing, key)
    with closing(Store(growing, key)) as store:
        inbox = inbox_of(store)
        if inbox is not None:
            with skip_damage(), closing(ReadOnlyStore(path, key)) as old:
                for wires in _batches(_readable(old, lost, report)):
                    inbox.ingest_wires(wires)
        saved = store.records.count()
    return Mended(saved, len(lost), _change_places(path, growing))


def _change_places(path: Path, growing: Path) -> Path:
    """Moves the files of the damaged store into a folder beside it. Then puts the new store where
    the damaged store was. Returns the folder.
    """
    folder = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    folder.mkdir(mode=0o700, exist_ok=True)
    # If the process is killed in between, the next start finds no store, and comes here again. The
    # old write-ahead log must not stay: SQLite would write it into the new store.
    for ending in _ENDINGS:
        file = Path(f"{path}{ending}")
        if file.exists():
            file.rename(folder / file.name)
    growing.rename(path)
    return folder


def _readable(old: ReadOnlyStore, lost: list[int], report: Report | None) -> Iterator[bytes]:
    """Yields the records that can be read and match their hashes. Adds the row numbers of all other
    records to `lost`.

    If only the content of a record is damaged, yields the record without content, and also adds its
    row number to `lost`. The rows are read singly, so that a bad page does not hide the other
    records.
    """
    last_row = old.last_row()
    for n in range(1, last_row + 1):
        if report is not None and n % _BATCH == 0:
            report(n, last_row)
        try:
            parts = old.record(n)
        except DAMAGED as error:
            raise_obstacle(error)
            lost.append(n)
            continue
        if parts is None:
            continue
        if integrity.verifies(parts):
            yield assemble(parts.header, parts.signature, parts.content)
            continue
        lost.append(n)
        if integrity.verifies(parts._replace(content=None)):
            yield assemble(parts.header, parts.signature, None)  # sync asks peers for its content


def _batches(wires: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for wire in wires:
        batch.append(wire)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch
