"""Changes the tables of an older store into the tables of this program (R-01.32).

A store carries the number of the version that last changed it. Each step leads from one version to
the next. One transaction makes the step and changes the number. If the process is killed, the store
still has one of the two versions. The next start goes on from there.

A new table needs no step: the code that uses the table creates it. Tables of views need no step
either: they are made again from records.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from meshcoop.errors import Mistake
from meshcoop.store.sqlite_connection import Connection

FIRST = 2  # stores of version 1 were not encrypted, and their records count no more


class Step(NamedTuple):
    """The statements that change one table. If a store lacks the table, the step changes
    nothing.
    """

    table: str
    statements: tuple[str, ...]


# By the version that a store has after the step. Steps are added, and never changed.
STEPS: Mapping[int, Step] = MappingProxyType(
    {
        # The stores of a relay's neighbourhoods have other file names (meshcoop.home.served_names).
        # A program of version 2 would not find them. So it must not open the relay's own store.
        3: Step("served", ()),
        4: Step("records", ("DROP INDEX IF EXISTS by_about",)),
    }
)


def migrate(db: Connection) -> None:
    """Brings an open store to the newest version. A new store gets this version at once. Raises
    Mistake if a newer version of the program has changed the store.
    """
    newest = max(STEPS, default=FIRST)
    version = read_version(db)
    if version > newest:
        raise Mistake("This store was changed by a newer meshcoop; install that version.")
    if version == 0:  # nothing is in it yet
        db.execute(f"PRAGMA user_version = {newest}")
        return
    for number in range(version + 1, newest + 1):
        _take_step(db, number, STEPS[number])


def read_version(db: Connection) -> int:
    """Returns the version of a store, or 0 if it is new."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _take_step(db: Connection, number: int, step: Step) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (step.table,)).fetchone():
            for statement in step.statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
