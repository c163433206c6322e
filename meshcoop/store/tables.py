"""Rows of the store: its tables, and how a stored record is read back."""

import logging
from typing import NamedTuple

from meshcoop.store.disk_errors import Damaged
from protocol.errors import Refused
from protocol.record import envelope as record
from protocol.record.envelope import Record
from protocol.record.log import Head

_LOG = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (
    n INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE,
    seq INTEGER NOT NULL, id BLOB, time INTEGER NOT NULL,
    day INTEGER NOT NULL, records INTEGER NOT NULL, bytes INTEGER NOT NULL,
    fork INTEGER, ended INTEGER
);
CREATE TABLE IF NOT EXISTS records (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, log INTEGER NOT NULL, seq INTEGER NOT NULL,
    about BLOB, root INTEGER, over INTEGER NOT NULL, open INTEGER NOT NULL,
    private INTEGER NOT NULL, lasting INTEGER NOT NULL,
    header BLOB NOT NULL, signature BLOB NOT NULL, content BLOB
);
CREATE INDEX IF NOT EXISTS by_log ON records (log, seq);
CREATE INDEX IF NOT EXISTS by_root ON records (root);
CREATE INDEX IF NOT EXISTS by_about ON records (about) WHERE root IS NULL;
CREATE INDEX IF NOT EXISTS by_open ON records (n) WHERE open;
CREATE INDEX IF NOT EXISTS by_private ON records (n) WHERE private;
CREATE INDEX IF NOT EXISTS by_absent ON records (n) WHERE content IS NULL;
CREATE TABLE IF NOT EXISTS parents (
    parent BLOB NOT NULL, child INTEGER NOT NULL, PRIMARY KEY (parent, child)
) WITHOUT ROWID;
"""


# What hangs from a record, at any depth, waits again as if the record had never come.
UNROOT = """
WITH RECURSIVE below (n, id) AS (
    SELECT r.n, r.id FROM parents p JOIN records r ON r.n = p.child AND r.about = p.parent
    WHERE p.parent = ?
    UNION
    SELECT r.n, r.id FROM below b JOIN parents p ON p.parent = b.id
    JOIN records r ON r.n = p.child AND r.about = p.parent
)
UPDATE records SET root = NULL WHERE n IN (SELECT n FROM below)
"""

INSERT = """
INSERT INTO records
    (n, id, log, seq, about, root, over, open, private, lasting, header, signature, content)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

COLUMNS = "n, id, root, over, header, signature, content"


class Log(NamedTuple):
    """What is known of one device's log. `day` counts days since 1970; `records` and `bytes` are
    what its head's day has used of the quota; `ended`: the number past twice the quota.
    """

    n: int
    device: bytes
    head: Head
    day: int
    records: int
    bytes: int
    fork: int | None
    ended: int | None


class Row(NamedTuple):
    """A stored record. `root` is the row number of its thread's root, None while that is not here;
    `over`: it lies above its device's quota.
    """

    n: int
    root: int | None
    over: bool
    record: Record


def read_row(
    n: int,
    record_id: bytes,
    root: int | None,
    over: int,
    header: bytes,
    signature: bytes,
    content: bytes | None,
) -> Row:
    """Reads a stored record back, hashing it again: a disk can forget a bit without an error."""
    try:
        fields = record.read_header(header)
        if record.record_id(header, signature) != record_id:
            raise Refused("R-01.11", "the id is not that of the bytes")
    except Refused as refusal:
        raise Damaged(str(refusal)) from None
    if content is not None:
        try:
            record.check_content(fields, content)
        except Refused:
            _LOG.error("the content of %s is damaged; asking peers for it", record_id.hex())
            content = None
    return Row(n, root, bool(over), Record(record_id, fields, header, signature, content))


def read_log(
    row: tuple[int, bytes, int, bytes | None, int, int, int, int, int | None, int | None],
) -> Log:
    """What the logs table says of one log."""
    n, device, seq, head, time, day, records, size, fork, ended = row
    return Log(n, device, Head(seq, head, time), day, records, size, fork, ended)
