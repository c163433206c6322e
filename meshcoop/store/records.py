"""The table of records. Each row has the signed bytes of a record, and columns taken from its
header.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from meshcoop.store.database import Database
from meshcoop.store.disk_errors import Damaged
from meshcoop.store.postponed_threads import LogPlace
from protocol.errors import Refused
from protocol.record import envelope
from protocol.record.envelope import Record
from protocol.record.log import ForkedRecord

_LOG = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, log INTEGER NOT NULL, seq INTEGER NOT NULL,
    about BLOB, root INTEGER, over INTEGER NOT NULL, open INTEGER NOT NULL,
    private INTEGER NOT NULL, lasting INTEGER NOT NULL,
    header BLOB NOT NULL, signature BLOB NOT NULL, content BLOB
);
CREATE INDEX IF NOT EXISTS by_log ON records (log, seq);
CREATE INDEX IF NOT EXISTS by_root ON records (root);
CREATE INDEX IF NOT EXISTS by_open ON records (n) WHERE open;
CREATE INDEX IF NOT EXISTS by_private ON records (n) WHERE private;
CREATE INDEX IF NOT EXISTS by_key ON records (substr(content, 1, 32), root)
    WHERE NOT open AND NOT private AND content NOT NULL;
CREATE INDEX IF NOT EXISTS by_absent ON records (n) WHERE content IS NULL;
"""

_INSERT = """
INSERT INTO records
    (n, id, log, seq, about, root, over, open, private, lasting, header, signature, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_COLUMNS = "n, id, root, over, header, signature, content"

# CROSS makes SQLite read the answers in the order of their rows.
_ANSWERS = """
SELECT r.n, r.id, r.root FROM parents p CROSS JOIN records r ON r.n = p.child
WHERE p.parent = ?1 AND p.child > ?2 AND r.about = ?1 ORDER BY p.child LIMIT ?3
"""

# Selects a part of a forked log. The last column says whether the record is kept because another
# record names it as a parent. The other record is in another log, before the fork of that
# log; or it is an answer in the same log, outside this part, so that it may be kept itself. The
# braces take marks for devices that are left out.
_FORKED = """
SELECT seq, id, about, EXISTS (
    SELECT 1 FROM parents p JOIN records c ON p.child = c.n JOIN logs l ON c.log = l.n
    WHERE p.parent = r.id AND c.log <> r.log AND (l.fork IS NULL OR c.seq < l.fork)
    AND l.device NOT IN ({0})
) OR EXISTS (
    SELECT 1 FROM parents p JOIN records c ON p.child = c.n
    WHERE p.parent = r.id AND c.log = r.log AND c.about = r.id
    AND c.seq >= ? AND c.seq NOT BETWEEN ? AND ?
)
FROM records r WHERE log = ? AND seq BETWEEN ? AND ?
"""

# Selects the records whose content is sealed with a group key. The content begins with its id.
_SEALED = "FROM records WHERE NOT open AND NOT private AND content NOT NULL"
_KEY_ID = "substr(content, 1, 32)"

_MOST_VALUES = 500  # in one query
_DROPPED = "dropped"  # the note of the highest row number that was deleted
_ID_DIGITS = 64  # hexadecimal


class StoredRecord(NamedTuple):
    """The record in row `n`.

    `root` is the row of its thread's root, or None if that root is not in the store. `over` says
    whether the record is above its device's quota.
    """

    n: int
    root: int | None
    over: bool
    record: Record


class Records:
    """The table of records. The row number of a record never changes. A record that comes later
    gets a higher row number.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.db
        self._db.executescript(_SCHEMA)
        self._last_n: int | None = None  # the highest row number, while a transaction runs
        database.add_cache(self)

    # -- reading ----------------------------------------------------------------------------------

    def has(self, record_id: bytes) -> bool:
        """Returns whether the store holds the record, with or without its content."""
        row = self._db.execute("SELECT 1 FROM records WHERE id = ?", (record_id,)).fetchone()
        return row is not None

    def find_held(self, ids: Sequence[bytes]) -> set[bytes]:
        """Returns those of the `ids` whose records are in the store."""
        held: set[bytes] = set()
        for start in range(0, len(ids), _MOST_VALUES):
            part = ids[start : start + _MOST_VALUES]
            marks = ",".join("?" * len(part))
            rows = self._db.execute(f"SELECT id FROM records WHERE id IN ({marks})", part)  # noqa: S608
            held.update(row[0] for row in rows)
        return held

    def find(self, record_id: bytes) -> StoredRecord | None:
        """Returns the record with this id, or None."""
        return self._select_first("id = ?", record_id)

    def find_in_row(self, n: int) -> StoredRecord | None:
        """Returns the record in row `n`, or None if it was deleted."""
        return self._select_first("n = ?", n)

    def in_thread(self, root: int) -> list[StoredRecord]:
        """Returns the records of the thread whose root is in row `root`."""
        return self._select("root = ? ORDER BY n", root)

    def next_in_thread(self, root: int, n: int, limit: int) -> list[StoredRecord]:
        """Returns the records of a thread in rows above `n`, at most `limit` of them."""
        return self._select("root = ? AND n > ? ORDER BY n LIMIT ?", root, n, limit)

    def in_rows(self, rows: Sequence[int]) -> list[StoredRecord]:
        """Returns the records in the given rows. Leaves out rows without a record."""
        records: list[StoredRecord] = []
        for start in range(0, len(rows), _MOST_VALUES):
            part = rows[start : start + _MOST_VALUES]
            records += self._select(f"n IN ({','.join('?' * len(part))}) ORDER BY n", *part)
        return records

    def roots_of(self, rows: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yields a pair for each record in `rows`: the row of the record, and the row of its
        thread's root. Leaves out records that are in no thread.
        """
        for start in range(0, len(rows), _MOST_VALUES):
            part = rows[start : start + _MOST_VALUES]
            marks = ",".join("?" * len(part))
            where = f"n IN ({marks}) AND root NOT NULL"
            yield from self._db.execute(f"SELECT n, root FROM records WHERE {where}", part)  # noqa: S608

    def root_of(self, record_id: bytes) -> int | None:
        """Returns the row of the root of a record's thread. Returns None if the record or its
        thread is not in the store.
        """
        row = self._db.execute("SELECT root FROM records WHERE id = ?", (record_id,)).fetchone()
        return row[0] if row else None

    def answers_after(
        self, record_id: bytes, n: int, limit: int
    ) -> list[tuple[int, bytes, int | None]]:
        """Returns the answers to a record, at most `limit` of them, from the rows above `n`. An
        answer comes as three values: its row, its id, and the row of its thread's root.
        """
        return self._db.execute(_ANSWERS, (record_id, n, limit)).fetchall()

    def count_in_thread(self, root: int) -> int:
        """Counts the records of the thread whose root is in row `root`."""
        row = self._db.execute("SELECT count(*) FROM records WHERE root = ?", (root,)).fetchone()
        count: int = row[0]
        return count

    def with_open_audience(self) -> list[StoredRecord]:
        """Returns the open records, which everybody may read. Authority is folded from these
        records.
        """
        return self._select("open ORDER BY n")

    def private_ids(self) -> dict[bytes, bool]:
        """Returns a map from the ids of private records whose content is here. A private record is
        sealed for named people.

        The value is True if the record is above its device's quota.
        """
        rows = self._db.execute(
            "SELECT id, over FROM records WHERE private AND content NOT NULL ORDER BY n"
        )
        return {record_id: bool(over) for record_id, over in rows}

    def ids_beginning(self, digits: str) -> list[bytes]:
        """Returns the ids that begin with the given hexadecimal digits, but at most two.

        If there are two, the caller sees that the digits do not name one record.
        """
        low = bytes.fromhex(digits.ljust(_ID_DIGITS, "0"))
        high = bytes.fromhex(digits.ljust(_ID_DIGITS, "f"))
        rows = self._db.execute(
            "SELECT id FROM records WHERE id BETWEEN ? AND ? LIMIT 2", (low, high)
        )
        return [row[0] for row in rows]

    def count(self) -> int:
        """Counts the records that the store holds."""
        count: int = self._db.execute("SELECT count(*) FROM records").fetchone()[0]
        return count

    def ids(self) -> Iterator[bytes]:
        """Yields the ids of all records, sorted. Reads some rows at a time."""
        query = "SELECT id FROM records WHERE id > ? ORDER BY id LIMIT 500"
        last = b""
        while rows := self._db.execute(query, (last,)).fetchall():
            yield from (row[0] for row in rows)
            last = rows[-1][0]

    def roots(self) -> set[int]:
        """Returns the rows of the roots of all threads."""
        rows = self._db.execute("SELECT DISTINCT root FROM records WHERE root NOT NULL")
        return {row[0] for row in rows}

    def roots_of_log(self, log_n: int) -> set[int]:
        """Returns the threads that contain records of this log. A thread is given by the row of its
        root.
        """
        rows = self._db.execute(
            "SELECT DISTINCT root FROM records WHERE root NOT NULL AND log = ?", (log_n,)
        )
        return {row[0] for row in rows}

    def next_of_log(
        self, log_n: int, after: LogPlace, limit: int
    ) -> tuple[set[int], LogPlace | None]:
        """Reads the next records of a log after a place, at most `limit` of them.

        Returns two things: the rows of those records that are in a thread, and the place of the
        last record read. If the log has no more records, this place is None.
        """
        rows = self._db.execute(
            "SELECT root, seq, n FROM records WHERE log = ? AND (seq, n) > (?, ?)"
            " ORDER BY seq, n LIMIT ?",
            (log_n, *after, limit),
        ).fetchall()
        in_threads = {n for root, _, n in rows if root is not None}
        return in_threads, LogPlace(*rows[-1][1:]) if len(rows) == limit else None

    def id_at(self, device: bytes, seq: int) -> bytes | None:
        """Returns the id of the record with the number `seq` in the log of `device`.

        Returns None if there is no such record. Also returns None if the log is forked at `seq` or
        before.
        """
        row = self._db.execute(
            "SELECT r.id FROM records r JOIN logs l ON r.log = l.n WHERE l.device = ? AND r.seq = ?"
            " AND (l.fork IS NULL OR r.seq < l.fork)",
            (device, seq),
        ).fetchone()
        return row[0] if row else None

    def of_log(self, device: bytes, seq: int, limit: int, after: bytes = b"") -> list[Record]:
        """Returns at most `limit` records of a log, sorted by number and id. Forked records are
        included.

        The first records have the number `seq`. If several records have this number, leaves out
        those whose ids are not above `after`.
        """
        rows = self._select(
            "log = (SELECT n FROM logs WHERE device = ?) AND (seq, id) > (?, ?)"
            " ORDER BY seq, id LIMIT ?",
            device,
            seq,
            after,
            limit,
        )
        return [row.record for row in rows]

    def count_of_log(self, device: bytes) -> int:
        """Returns the number of records of a log. Forked records are included."""
        row = self._db.execute(
            "SELECT COUNT(*) FROM records WHERE log = (SELECT n FROM logs WHERE device = ?)",
            (device,),
        ).fetchone()
        return int(row[0])

    def header_at(self, log_n: int, seq: int) -> tuple[bytes, bytes] | None:
        """Returns the id and the header of a record with the number `seq` in a log. Returns None if
        the log has no such record.
        """
        row: tuple[bytes, bytes] | None = self._db.execute(
            "SELECT id, header FROM records WHERE log = ? AND seq = ?", (log_n, seq)
        ).fetchone()
        return row

    def ids_from(self, log_n: int, seq: int) -> tuple[bytes, ...]:
        """Returns the ids of a log's records from the number `seq` on."""
        rows = self._db.execute("SELECT id FROM records WHERE log = ? AND seq >= ?", (log_n, seq))
        return tuple(row[0] for row in rows)

    def last_numbers(self, log_n: int, numbers: range, limit: int) -> range:
        """Returns the last part of a range of numbers, so that the log has about `limit` records in
        this part.
        """
        row = self._db.execute(
            "SELECT seq FROM records WHERE log = ? AND seq BETWEEN ? AND ?"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?",
            (log_n, *_bounds(numbers), limit - 1),
        ).fetchone()
        return range(row[0] if row else numbers.start, numbers.stop)

    def in_numbers(self, log_n: int, numbers: range) -> list[StoredRecord]:
        """Returns the records of a log that have one of these numbers."""
        return self._select("log = ? AND seq BETWEEN ? AND ?", log_n, *_bounds(numbers))

    def forked(
        self, log_n: int, fork: int, numbers: range, kin: Sequence[bytes] = ()
    ) -> list[ForkedRecord]:
        """Returns the records of a log whose numbers are in `numbers`. All these numbers are `fork`
        or higher.

        Also says for each returned record whether another record names it. There are two cases.
        Either a record of another log names it as a parent: that record comes before any fork of
        its own log, and its device is not in `kin`. Or a record of the same log answers it: that
        record is at or beyond the fork, and its number is not in `numbers`.
        """
        query = _FORKED.format(",".join("?" * len(kin)))
        bounds = _bounds(numbers)
        rows = self._db.execute(query, (*kin, fork, *bounds, log_n, *bounds))
        return [
            ForkedRecord(seq, record_id, bool(named), about)
            for seq, record_id, about, named in rows
        ]

    def without_content(self, after: int, limit: int) -> list[StoredRecord]:
        """Returns the records whose content the store does not hold, at most `limit` of them. Looks
        only at rows above `after`.
        """
        return self._select("content IS NULL AND n > ? ORDER BY n LIMIT ?", after, limit)

    def key_ids(self, after: bytes = b"") -> Iterator[bytes]:
        """Yields the ids of the group keys with which contents are sealed, sorted. Leaves out the
        ids up to `after`.
        """
        query = f"SELECT min({_KEY_ID}) {_SEALED} AND {_KEY_ID} > ?"
        key_id = self._db.execute(query, (after,)).fetchone()[0]
        while key_id is not None:
            yield key_id
            key_id = self._db.execute(query, (key_id,)).fetchone()[0]

    def is_sealing(self, key_id: bytes) -> bool:
        """Returns whether a content is sealed with the group key of this id."""
        query = f"SELECT 1 {_SEALED} AND {_KEY_ID} = ? LIMIT 1"
        return self._db.execute(query, (key_id,)).fetchone() is not None

    def roots_sealed_with(self, key_id: bytes) -> set[int]:
        """Returns the threads that have contents sealed with a group key. A thread is given by the
        row of its root.
        """
        query = f"SELECT DISTINCT root {_SEALED} AND {_KEY_ID} = ? AND root NOT NULL"
        return {row[0] for row in self._db.execute(query, (key_id,))}

    def lasting_answers(self, after: int, limit: int) -> list[StoredRecord]:
        """Returns lasting records that answer another record, at most `limit` of them. Looks only
        at rows above `after`.

        A lasting record does not expire, and nobody can retract it.
        """
        return self._select("n > ? AND about NOT NULL AND lasting ORDER BY n LIMIT ?", after, limit)

    def page(self, after: int, limit: int) -> list[StoredRecord]:
        """Returns at most `limit` records in rows above `after`. The record that arrived first
        comes first.
        """
        return self._select("n > ? ORDER BY n LIMIT ?", after, limit)

    def open_answers(self, about: bytes) -> list[StoredRecord]:
        """Returns the open records that answer the record with this id."""
        return self._select(
            "n IN (SELECT child FROM parents WHERE parent = ?1) AND open AND about = ?1 ORDER BY n",
            about,
        )

    def second_answers(self, root: bytes) -> Iterator[StoredRecord]:
        """Yields the answers to the answers of a record, the oldest first. Reads only as many as
        the caller takes, because a record may have very many answers.
        """
        numbers = self._db.execute(
            "SELECT seconds.child FROM parents AS firsts JOIN records AS r ON r.n = firsts.child"
            " JOIN parents AS seconds ON seconds.parent = r.id WHERE firsts.parent = ?"
            " ORDER BY firsts.child",
            (root,),
        )
        for (n,) in numbers:
            row = self.find_in_row(n)
            if row is not None:
                yield row

    # -- writing ----------------------------------------------------------------------------------

    def insert(self, record: Record, log_n: int, *, over: bool) -> StoredRecord:
        """Adds a record of the log in row `log_n`. If the thread of the record is already here,
        puts the record into this thread.

        `over` says whether the record is above its device's quota.
        """
        # The row number is chosen first, because the row of a root contains its own row number.
        n = self._next_n()
        fields = record.header
        about = record.about
        root = n if about is None else self.root_of(about)
        self._db.execute(
            _INSERT,
            (
                n,
                record.id,
                log_n,
                fields.seq,
                about,
                root,
                over,
                fields.base_audience == envelope.OPEN,
                fields.base_audience == envelope.PRIVATE,
                fields.is_lasting,
                record.header_bytes,
                record.signature,
                record.content,
            ),
        )
        return StoredRecord(n, root, over, record)

    def set_root(self, n: int, root: int | None) -> None:
        """Puts the record in row `n` into a thread, or takes it out of its thread."""
        self._db.execute("UPDATE records SET root = ? WHERE n = ?", (root, n))

    def set_content(self, record_id: bytes, content: bytes | None) -> None:
        """Stores the content of a record. If `content` is None, erases the stored content."""
        if content is None:
            self._database.has_erased = True
        self._db.execute("UPDATE records SET content = ? WHERE id = ?", (content, record_id))

    def clear_over(self, log_n: int, seq: int) -> None:
        """Marks the records of a log from the number `seq` on as within the quota."""
        self._db.execute(
            "UPDATE records SET over = 0 WHERE log = ? AND seq >= ? AND over", (log_n, seq)
        )

    def delete(self, row: StoredRecord) -> None:
        """Deletes a record. The records that answer this record stay in the thread for now."""
        # No row number is used twice. Otherwise a reader who remembers the last row would miss the
        # record that comes next.
        self._database.set_note(_DROPPED, max(row.n, self._last_deleted()))
        self._db.execute("DELETE FROM records WHERE n = ?", (row.n,))

    # -- row numbers, which are cached while a transaction runs -----------------------------------

    def begin(self) -> None:
        """Forgets the highest row number. The next insert reads this number again."""
        self._last_n = None

    def flush(self) -> None:
        """Does nothing, because the row numbers are in the rows themselves."""

    def end(self) -> None:
        """Forgets the highest row number, because another process may add rows from now on."""
        self._last_n = None

    def _next_n(self) -> int:
        if self._last_n is None or not self._database.is_writing:
            highest = self._db.execute("SELECT max(n) FROM records").fetchone()[0] or 0
            self._last_n = max(highest, self._last_deleted())
        self._last_n += 1
        return self._last_n

    def _last_deleted(self) -> int:
        return int(str(self._database.read_note(_DROPPED) or 0))

    def _select_first(self, where: str, *values: object) -> StoredRecord | None:
        rows = self._select(where, *values)
        return rows[0] if rows else None

    def _select(self, where: str, *values: object) -> list[StoredRecord]:
        # All rows are fetched first, because the loop below may write to the table.
        stored = self._db.execute(
            f"SELECT {_COLUMNS} FROM records WHERE {where}",  # noqa: S608
            values,
        ).fetchall()
        rows = [_read_row(*columns) for columns in stored]
        for columns, row in zip(stored, rows, strict=True):
            if columns[-1] is not None and row.record.content is None:
                self.set_content(row.record.id, None)  # from now on the content counts as missing
        return rows


def _bounds(numbers: range) -> tuple[int, int]:
    return numbers.start, numbers.stop - 1


def _read_row(
    n: int,
    record_id: bytes,
    root: int | None,
    over: int,
    header: bytes,
    signature: bytes,
    content: bytes | None,
) -> StoredRecord:
    """Reads a stored record and checks its hashes, because a disk can change a bit without
    reporting an error.

    If only the content is damaged, returns the record without content. Peers still have this
    content. Raises Damaged for any other damage.
    """
    try:
        fields = envelope.read_header(header)
        if envelope.record_id(header, signature) != record_id:
            raise Refused("R-01.11", "the id is not that of the bytes")
    except Refused as refusal:
        raise Damaged(str(refusal)) from None
    if content is not None:
        try:
            envelope.check_content(fields, content)
        except Refused:
            _LOG.error("the content of %s is damaged; asking peers for it", record_id.hex())
            content = None
    return StoredRecord(n, root, bool(over), Record(record_id, fields, header, signature, content))
