"""The branches of a thread. A home can fold a branch without most other branches (R-03.40a).

A branch is a record with all records that answer it, directly or through other answers. All records
that are in no branch are the trunk of the thread. The trunk never depends on a branch. A branch
depends on the trunk. It also depends on a few other branches, if its records name theirs or share a
tie with them (`Ties`).
"""

from typing import NamedTuple

from protocol.authority.kind_names import RETRACT
from protocol.fold.registry import KINDS, is_core_name
from protocol.fold.thread import Entry, ids_in

_ID = 32  # bytes of a record's id


class Ties(NamedTuple):
    """What ties a record to records in other branches.

    `named` are the ids of records and people that the record names. Two records with the same tie
    in `shared` fold together.
    """

    named: frozenset[bytes] = frozenset()
    shared: frozenset[bytes] = frozenset()


def begins_branch(entry: Entry | None, *, is_target_lasting: bool) -> bool:
    """Returns True if an answer to a record of the trunk begins a branch, which a home can fold by
    itself.

    `entry` is the answer, or None if the answer is ahead of this home's clock. If this home cannot
    read an answer, or does not know its kind, the answer begins a branch too. Such an answer
    changes nothing about other records.
    """
    if entry is None or entry.kind not in KINDS:
        return True
    if entry.kind == RETRACT:
        return is_target_lasting  # then it retracts nothing
    return KINDS[entry.kind].view_type.begins_branch


def is_of_package(entry: Entry | None) -> bool:
    """Returns True if the code of a package reads the record. This code may read other branches."""
    return entry is not None and entry.kind in KINDS and not is_core_name(entry.kind)


def sways_others(entry: Entry | None) -> bool:
    """Returns True if the record may change whether other records count."""
    return entry is not None and entry.kind in KINDS and KINDS[entry.kind].view_type.sways_others


def ties_of(entry: Entry | None) -> Ties:
    """Returns the ties of a record. If the record has no effect on views, it has no ties."""
    if entry is None or entry.kind not in KINDS or entry.fault is not None:
        return Ties()
    shared = KINDS[entry.kind].draft(entry).ties()
    named = (value for value in ids_in(entry.fields) if len(value) == _ID)
    return Ties(frozenset(named), frozenset(shared))
