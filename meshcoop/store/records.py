"""The store: exact signed bytes in SQLite, and what is known of each log.

The store knows headers, not meanings: a relay keeps the same one. It never decides what may come
in; `meshcoop.inbox` does. Everything here is synchronous and short.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from meshcoop.store.connection import open_to_write
from meshcoop.store.disk_errors import trouble
from meshcoop.store.log_heads import Logs
from meshcoop.store.quota_counts import QuotaCounts
from meshcoop.store.tables import COLUMNS, INSERT, SCHEMA, UNROOT, Log, Row, read_row
from protocol.record import envelope as record
from protocol.record import log
from protocol.record.envelope import Record
from protocol.record.log import Head, Kept
from protocol.wire.have_map import Held

_MOST_VALUES = 500  # in one query
_DROPPED = "dropped"  # the highest row number that was dropped


class Store:
    """Records by id, by log and by thread."""

    def __init__(self, path: Path | str) -> None:
        self.db = open_to_write(path)
        self.db.executescript(SCHEMA)
        self._logs = Logs(self.db)
        self._last: int | None = None  # the highest row number, while a transaction runs
        self._depth = 0
        self.erasing = False  # content was erased in the transaction under way

    def close(self) -> None:
        """Ends the use of the file."""
        self.db.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing. `durable`: on the disk before it returns, power loss included; without
        it, what was taken from a peer survives a killed process and can be fetched again.
        """
        if self._depth:
            yield
            return
        self.db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.db.execute("BEGIN IMMEDIATE")
        self._depth = 1
        self._logs.begin()
        try:
            yield
            self._logs.flush()
            self.db.execute("COMMIT")
        except BaseException as error:
            if self.db.in_transaction:  # a full disk may have ended it already
                self.db.execute("ROLLBACK")
            known = trouble(error)
            if known is not None:
                raise known from error
            raise
        finally:
            self._depth = 0
            self._last = None
            self._logs.end()
            erased, self.erasing = self.erasing, False
        if erased:
            self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nor does the write-ahead log

    @property
    def change_count(self) -> int:
        """The number of rows written so far: while it is the same, nothing has changed."""
        return self.db.total_changes

    @property
    def busy(self) -> bool:
        """Whether a transaction is under way."""
        return self._depth > 0

    def meta(self, name: str) -> object:
        """A value that this home remembers about its store."""
        row = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set_meta(self, name: str, value: object) -> None:
        """Remembers a value."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    # -- reading ----------------------------------------------------------------------------------

    def has(self, record_id: bytes) -> bool:
        """Whether the record, with or without its content, is held."""
        found = self.db.execute("SELECT 1 FROM records WHERE id = ?", (record_id,)).fetchone()
        return found is not None

    def held(self, ids: Sequence[bytes]) -> set[bytes]:
        """Which of these records are held."""
        found: set[bytes] = set()
        for at in range(0, len(ids), _MOST_VALUES):
            some = ids[at : at + _MOST_VALUES]
            marks = ",".join("?" * len(some))
            rows = self.db.execute(f"SELECT id FROM records WHERE id IN ({marks})", some)  # noqa: S608
            found.update(row[0] for row in rows)
        return found

    def named(self, record_id: bytes) -> bool:
        """Whether a record here names this one, held or not, as a parent."""
        found = self.db.execute("SELECT 1 FROM parents WHERE parent = ? LIMIT 1", (record_id,))
        return found.fetchone() is not None

    def get(self, record_id: bytes) -> Row | None:
        """The record of this id."""
        return self._one("id = ?", record_id)

    def row(self, n: int) -> Row | None:
        """The record in row `n`, if it is still kept."""
        return self._one("n = ?", n)

    def thread(self, root: int) -> list[Row]:
        """The records of the thread whose root is in row `root`."""
        return self._many("root = ? ORDER BY n", root)

    def open_records(self) -> list[Row]:
        """All records with an open audience, of which authority is made."""
        return self._many("open ORDER BY n")

    def private(self) -> dict[bytes, bool]:
        """The ids of private records whose content is here, and whether each is over its quota."""
        rows = self.db.execute(
            "SELECT id, over FROM records WHERE private AND content NOT NULL ORDER BY n"
        )
        return {record_id: bool(over) for record_id, over in rows}

    def matching(self, prefix: str) -> list[bytes]:
        """Ids that begin with these hexadecimal digits; at most two, enough to see a doubt."""
        low = bytes.fromhex(prefix + "0" * (64 - len(prefix)))
        high = bytes.fromhex(prefix + "f" * (64 - len(prefix)))
        rows = self.db.execute(
            "SELECT id FROM records WHERE id BETWEEN ? AND ? LIMIT 2", (low, high)
        )
        return [row[0] for row in rows]

    def count(self) -> int:
        """How many records are held."""
        count: int = self.db.execute("SELECT count(*) FROM records").fetchone()[0]
        return count

    def ids(self) -> Iterator[bytes]:
        """All ids, sorted."""
        return (row[0] for row in self.db.execute("SELECT id FROM records ORDER BY id"))

    def roots(self) -> set[int]:
        """The rows of the roots of all threads."""
        return self._roots("")

    def roots_of_log(self, log_n: int) -> set[int]:
        """The rows of the roots of the threads in which a log has records."""
        return self._roots("AND log = ?", log_n)

    def log(self, device: bytes) -> Log | None:
        """What is known of the log of `device`."""
        return self._logs.get(device)

    def logs(self) -> list[Log]:
        """All logs."""
        return self._logs.all()

    def forks(self) -> dict[bytes, int]:
        """The forked logs: each one's device and its lowest forked number."""
        return self._logs.forks()

    def heads(self) -> dict[bytes, Held]:
        """What sync compares: the head of every log, and what is kept of forks."""
        return {
            one.device: Held(
                one.head.seq,
                one.head.id or b"",
                tuple(row.id for row in self._kept(one, one.fork)) if one.fork else (),
            )
            for one in self.logs()
            if one.head.seq or one.fork  # a log of which only later records came is none yet
        }

    def id_at(self, device: bytes, seq: int) -> bytes | None:
        """The id of the record with this number, before any fork."""
        row = self.db.execute(
            "SELECT r.id FROM records r JOIN logs l ON r.log = l.n WHERE l.device = ? AND r.seq = ?"
            " AND (l.fork IS NULL OR r.seq < l.fork)",
            (device, seq),
        ).fetchone()
        return row[0] if row else None

    def log_from(self, device: bytes, seq: int, limit: int, after: bytes = b"") -> list[Record]:
        """At most `limit` records of a log, forks included: number `seq` with ids above `after`,
        then what follows, in order of number and id.
        """
        rows = self._many(
            "log = (SELECT n FROM logs WHERE device = ?) AND (seq, id) > (?, ?)"
            " ORDER BY seq, id LIMIT ?",
            device,
            seq,
            after,
            limit,
        )
        return [row.record for row in rows]

    def absent(self, after: int, limit: int) -> list[Row]:
        """Records held without their content, in rows above `after`."""
        return self._many("content IS NULL AND n > ? ORDER BY n LIMIT ?", after, limit)

    def answering(self, after: int, limit: int) -> list[Row]:
        """Lasting records that answer others, in rows above `after`."""
        return self._many("n > ? AND about NOT NULL AND lasting ORDER BY n LIMIT ?", after, limit)

    def page(self, after: int, limit: int) -> list[Row]:
        """Records in rows above `after`, in the order in which they came."""
        return self._many("n > ? ORDER BY n LIMIT ?", after, limit)

    def answers(self, about: bytes) -> list[Row]:
        """Records that name `about` as a parent."""
        return self._many("n IN (SELECT child FROM parents WHERE parent = ?) ORDER BY n", about)

    def orphans(self, about: bytes) -> list[Row]:
        """Records whose thread was not known because `about` was missing."""
        return self._many("about = ? AND root IS NULL", about)

    # -- writing ----------------------------------------------------------------------------------

    def append(self, one: Record, known: Log, *, over: bool, ended: bool) -> Row:
        """Adds the next record of its log and counts it."""
        row = self.insert(one, known.n, over=over)
        self._logs.grow(known, one, ended=ended)
        return row

    def begin_log(self, device: bytes) -> Log:
        """The log of `device`, empty if it is new."""
        return self._logs.open(device)

    def insert(self, one: Record, log_n: int, *, over: bool) -> Row:
        """Adds a record to the tables that know records, in its thread if that is known."""
        n = self._next()
        fields, about = one.fields, one.about
        root = n if about is None else self._root_of(about)
        reach = (fields.reach == record.OPEN, fields.reach == record.PRIVATE)
        place = (n, one.id, log_n, fields.seq, about, root, over, *reach, fields.lasting)
        self.db.execute(INSERT, (*place, one.header, one.signature, one.content))
        for parent in fields.parents:
            self.db.execute("INSERT INTO parents VALUES (?, ?)", (parent, n))
        return Row(n, root, over, one)

    def _next(self) -> int:
        """The next row number: known beforehand, so that a root can name itself."""
        if self._last is None or not self._depth:
            highest = self.db.execute("SELECT max(n) FROM records").fetchone()[0] or 0
            self._last = max(highest, int(str(self.meta(_DROPPED) or 0)))
        self._last += 1
        return self._last

    def _root_of(self, record_id: bytes) -> int | None:
        row = self.db.execute("SELECT root FROM records WHERE id = ?", (record_id,)).fetchone()
        return row[0] if row else None

    def set_root(self, n: int, root: int | None) -> None:
        """Puts a record into a thread."""
        self.db.execute("UPDATE records SET root = ? WHERE n = ?", (root, n))

    def set_content(self, record_id: bytes, content: bytes | None) -> None:
        """Erases content, or brings back what was missing."""
        self.erasing = self.erasing or content is None
        self.db.execute("UPDATE records SET content = ? WHERE id = ?", (content, record_id))

    @contextmanager
    def quota_counts(self) -> Iterator[QuotaCounts]:
        """What quotas are counted from, for all logs: nothing of them is cached meanwhile."""
        self._logs.flush()
        yield QuotaCounts(self.db)
        self._logs.begin()

    def fork(self, device: bytes, seq: int) -> None:
        """The log of `device` was continued twice from before `seq`: its head falls back there."""
        known = self.begin_log(device)
        at = min(seq, known.fork or seq)
        before = self.db.execute(
            "SELECT id, header FROM records WHERE log = ? AND seq = ?", (known.n, at - 1)
        ).fetchone()
        head = before and Head(at - 1, before[0], record.read_header(before[1]).time)
        self._logs.fork(known, at, head)
        # Who heard of the fork first has counted nothing beyond it: all forget what they counted.
        self.db.execute("UPDATE records SET over = 0 WHERE log = ? AND seq >= ?", (known.n, at))

    def prune(self, named: set[bytes]) -> list[Row]:
        """Drops what R-01.14 does not keep of forked logs; returns what was dropped. What is
        `named` by records that wait outside the store is kept for them.
        """
        dropped: list[Row] = []
        while found := self._unkept(named):
            for row in found:
                self._delete(row)
            dropped += found
        return dropped

    def drop_log(self, device: bytes) -> list[Row]:
        """Takes a whole log out of the store; returns what was in it."""
        rows = self._many("log = (SELECT n FROM logs WHERE device = ?) ORDER BY seq, id", device)
        for row in rows:
            self._delete(row)
        self._logs.drop(device)
        return rows

    def _delete(self, row: Row) -> None:
        # A number is never given twice: whoever remembers how far they read would miss the second.
        self.set_meta(_DROPPED, max(row.n, int(str(self.meta(_DROPPED) or 0))))
        self.db.execute("DELETE FROM records WHERE n = ?", (row.n,))
        self.db.execute("DELETE FROM parents WHERE child = ?", (row.n,))
        self.db.execute(UNROOT, (row.record.id,))

    def _unkept(self, named: set[bytes]) -> list[Row]:
        found: list[Row] = []
        for one in self.logs():
            if one.fork is not None:
                rows = self._kept(one, one.fork)
                waited = [row._replace(named=row.named or row.id in named) for row in rows]
                keep = log.kept(one.fork, waited)
                found += [row for k in rows if k.id not in keep and (row := self.get(k.id))]
        return found

    def _kept(self, known: Log, fork: int) -> list[Kept]:
        rows = self.db.execute(
            "SELECT seq, id, about, EXISTS (SELECT 1 FROM parents p JOIN records c ON p.child = c.n"
            " JOIN logs l ON c.log = l.n"
            " WHERE p.parent = r.id AND c.log <> r.log AND (l.fork IS NULL OR c.seq < l.fork))"
            " FROM records r WHERE log = ? AND seq >= ?",
            (known.n, fork),
        )
        return [Kept(seq, one, bool(named), about) for seq, one, about, named in rows]

    def _roots(self, where: str, *values: object) -> set[int]:
        rows = self.db.execute(
            f"SELECT DISTINCT root FROM records WHERE root NOT NULL {where}",  # noqa: S608
            values,
        )
        return {row[0] for row in rows.fetchall()}

    def _one(self, where: str, *values: object) -> Row | None:
        found = self._many(where, *values)
        return found[0] if found else None

    def _many(self, where: str, *values: object) -> list[Row]:
        rows = self.db.execute(f"SELECT {COLUMNS} FROM records WHERE {where}", values)  # noqa: S608
        stored = rows.fetchall()
        found = [read_row(*row) for row in stored]
        for raw, row in zip(stored, found, strict=True):
            if raw[-1] is not None and row.record.content is None:
                self.set_content(row.record.id, None)  # so that it counts as absent
        return found
