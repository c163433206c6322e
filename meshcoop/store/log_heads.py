"""What is known of each log: a table, and while a transaction runs, a cache in front of it.

A batch of records is mostly a run of one log, whose row would be read and written for each.
"""

from meshcoop.store.connection import Connection
from meshcoop.store.tables import Log, read_log
from protocol.record import envelope as record
from protocol.record import log
from protocol.record.envelope import Record
from protocol.record.log import Head


class Logs:
    """The logs of a store. The store says when a transaction begins and ends."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._caching = False
        self._known: dict[bytes, Log] = {}
        self._grown: set[bytes] = set()

    def begin(self) -> None:
        """A transaction has begun: nobody else writes until it ends."""
        self._caching, self._known = True, {}

    def end(self) -> None:
        """It has ended; what was not flushed is forgotten."""
        self._caching = False
        self._known, self._grown = {}, set()

    def get(self, device: bytes) -> Log | None:
        """What is known of the log of `device`."""
        known = self._known.get(device)
        if known is None:
            row = self._db.execute("SELECT * FROM logs WHERE device = ?", (device,)).fetchone()
            known = read_log(row) if row else None
            if known is not None and self._caching:
                self._known[device] = known
        return known

    def all(self) -> list[Log]:
        """All logs."""
        self.flush()
        return [read_log(row) for row in self._db.execute("SELECT * FROM logs")]

    def forks(self) -> dict[bytes, int]:
        """The forked logs, each with its lowest forked number."""
        self.flush()
        return dict(self._db.execute("SELECT device, fork FROM logs WHERE fork IS NOT NULL"))

    def open(self, device: bytes) -> Log:
        """The log of `device`, empty if it is new."""
        known = self.get(device)
        if known is None:
            self._db.execute(
                "INSERT INTO logs (device, seq, id, time, day, records, bytes)"
                " VALUES (?, 0, NULL, 0, 0, 0, 0)",
                (device,),
            )
            known = self.get(device)
            assert known is not None
        return known

    def grow(self, known: Log, one: Record, *, ended: bool) -> None:
        """`one` is the log's new head; counts it."""
        fields = one.fields
        day = fields.time // record.DAY_MS
        records, size = (known.records, known.bytes) if day == known.day else (0, 0)
        self._known[known.device] = Log(
            known.n,
            known.device,
            Head(fields.seq, one.id, fields.time),
            day,
            records + 1,
            size + fields.size,
            known.fork,
            fields.seq if ended else known.ended,
        )
        self._grown.add(known.device)
        if not self._caching:
            self.flush()
            self.end()

    def fork(self, known: Log, at: int, head: Head | None) -> None:
        """The log was continued twice at number `at`; `head` is the record before."""
        self.flush()
        seq, record_id, time = head or log.START
        self._db.execute(
            "UPDATE logs SET fork = ?, seq = ?, id = ?, time = ?, ended = NULL WHERE n = ?",
            (at, seq, record_id, time, known.n),
        )
        self._known.pop(known.device, None)

    def drop(self, device: bytes) -> None:
        """Forgets a log."""
        self._db.execute("DELETE FROM logs WHERE device = ?", (device,))
        self._known.pop(device, None)
        self._grown.discard(device)

    def flush(self) -> None:
        """Writes what has grown into the table."""
        grown, self._grown = self._grown, set()
        self._db.executemany(
            "UPDATE logs SET seq = ?, id = ?, time = ?, day = ?, records = ?, bytes = ?, ended = ?"
            " WHERE n = ?",
            [
                (*one.head, one.day, one.records, one.bytes, one.ended, one.n)
                for one in (self._known[device] for device in grown)
            ],
        )
