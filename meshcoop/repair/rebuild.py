"""Mending: a new store from what is left of a damaged one (specs/01, R-01.27).

Every record that can still be read goes through the inbox, like a peer's, so that nothing comes
into the new store that does not verify. The rest comes back by sync. The damaged files are kept.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import integrity
from meshcoop.store.records import Store
from protocol.record.envelope import assemble

_LOG = logging.getLogger(__name__)

REPORT = "mended"  # in the store: what was done, in a sentence

_ENDINGS = ("", "-wal", "-shm")
_NOTES = ("name", "arrival", "muted")  # of the store's own, that no record tells
# What is made of records, and what SQLite keeps for itself; all other tables are copied.
_DERIVED = frozenset({"records", "logs", "parents", "held", "views", "credits", "meta", "arrived"})
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # a text that is none any more, too
_BATCH = 200
_MOST_ROWS = 50_000_000


class Mended(NamedTuple):
    """`saved`: how many records came into the new store; `lost`: how many rows could not be read or
    were not what was signed; `kept`: the folder in which the damaged files lie.
    """

    saved: int
    lost: int
    kept: Path

    def told(self, why: str) -> str:
        """What happened, in a sentence for people."""
        return (
            f"the store was damaged ({why}): {self.saved} records were saved, {self.lost} could not"
            f" be read and come back from the neighbours' nodes; the old files are in {self.kept}"
        )


def mend(path: Path, inbox_of: Callable[[Store], Inbox | None]) -> str | None:
    """Makes the store at `path` whole where it is not; what was wrong and done, in a sentence, or
    None. `inbox_of`: the inbox of a new store, None where it holds no records. The home's lock is held.
    """
    dropped = integrity.wal_problem(path)
    found = integrity.problems(path)
    if not found:
        if dropped is None:
            return None
        said = f"{dropped}: what was stored last comes back from the neighbours' nodes"
        _LOG.warning("%s", said)
        return said
    done = _rebuild(path, inbox_of)
    said = done.told("; ".join(found))
    _LOG.warning("%s", said)
    return said


def _rebuild(path: Path, inbox_of: Callable[[Store], Inbox | None]) -> Mended:
    growing = path.with_name(f"{path.stem}.mending.db")
    for ending in _ENDINGS:
        Path(f"{growing}{ending}").unlink(missing_ok=True)
    lost: list[int] = []
    with closing(Store(growing)) as store:
        with suppress(*_UNREADABLE), closing(integrity.reading(path)) as old:
            _copy_tables(old, store)
        inbox = inbox_of(store)
        if inbox is not None:
            with suppress(*_UNREADABLE), closing(integrity.reading(path)) as old:
                for wires in _batches(_readable(old, lost)):
                    inbox.take_wires(wires)
        saved = store.count()
    kept = path.with_name(f"{path.stem}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    kept.mkdir(mode=0o700, exist_ok=True)
    for ending in _ENDINGS:
        old_file = Path(f"{path}{ending}")
        if old_file.exists():
            old_file.rename(kept / old_file.name)
    growing.rename(path)
    return Mended(saved, len(lost), kept)


def _readable(old: sqlite3.Connection, lost: list[int]) -> Iterator[bytes]:
    """The records that verify, row by row: one bad page does not hide the others."""
    for n in range(1, _last_row(old) + 1):
        try:
            row = old.execute(
                "SELECT id, header, signature, content FROM records WHERE n = ?", (n,)
            ).fetchone()
        except _UNREADABLE:
            lost.append(n)
            continue
        if row is None:
            continue
        record_id, header, signature, content = row
        if integrity.verifies(record_id, header, signature, content):
            yield assemble(header, signature, content)
        elif integrity.verifies(record_id, header, signature, None):
            lost.append(n)
            yield assemble(header, signature, None)  # its content is asked for again
        else:
            lost.append(n)


def _last_row(old: sqlite3.Connection) -> int:
    """The highest row, or what it can be at most where the table does not say."""
    with suppress(*_UNREADABLE):
        return int(old.execute("SELECT coalesce(max(n), 0) FROM records").fetchone()[0])
    with suppress(*_UNREADABLE):
        pages, size = (
            old.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "page_size")
        )
        return min(int(pages) * int(size) // 200, _MOST_ROWS)  # no record is shorter
    return 0


def _batches(wires: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for wire in wires:
        batch.append(wire)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    yield batch


def _copy_tables(old: sqlite3.Connection, store: Store) -> None:
    """What no record tells: addresses, invitations, what was given person to person, and notes."""
    for name in _NOTES:
        with suppress(*_UNREADABLE):
            row = old.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            if row is not None:
                store.set_meta(name, row[0])
    tables = old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    for name, sql in tables:
        if name in _DERIVED or name.startswith(("sqlite_", "search")) or not sql:
            continue
        with suppress(*_UNREADABLE):
            store.db.execute(sql)
            for row in old.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 -- its own name
                marks = ",".join("?" * len(row))
                store.db.execute(f'INSERT OR IGNORE INTO "{name}" VALUES ({marks})', row)  # noqa: S608
