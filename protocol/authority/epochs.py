"""Epochs: which group key seals new records (specs/03, section Epoch keys).

An epoch's records hand one group key to devices, and name everybody who is gone. The key's id
commits to these names, so nobody changes the names later. Writers use only an epoch that names
exactly the people and devices that are gone. So after every departure, a remaining member has to
make a new key, no matter who made the old key.

These functions only choose an epoch. Before that, the caller checks two things: the home must hold
the key, and each sealed copy of the key in the epoch's records must be right (R-03.8d).
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.record.sealing import KEY_SIZE, key_origin

NAME_SIZE = 16  # bytes of the name of somebody who is gone
MAX_SEALS = 64  # devices to which one record seals a key
MAX_NAMED = 400  # names of the gone in one record
MAX_LISTS = 32  # lists of names; with a list and the seals, the record has under 15 kB
DIGEST_SIZE = 32  # bytes of the SHA-256 digest of a list


class Departed(NamedTuple):
    """The names of people and devices that are gone. A device can be gone although its person still
    belongs (R-03.8b).
    """

    people: frozenset[bytes]
    devices: frozenset[bytes]

    @property
    def all(self) -> frozenset[bytes]:
        """The names of all people and devices that are gone."""
        return self.people | self.devices


class Epoch(NamedTuple):
    """All records that hand out one group key, if they have the same origin (R-01.21a).

    The origin says who made the key, and which people and devices the maker named as gone. `names`
    are the names of everybody who is gone, according to the lists in the records. `boxes` are the
    box keys to which the records seal the group key.
    """

    key_id: bytes
    names: frozenset[bytes]
    boxes: frozenset[bytes]

    @classmethod
    def gather(cls, records: Iterable[AuthorityRecord]) -> "Epoch | None":
        """Makes an epoch from its records. There must be at least one record. Returns None if one
        of the lists of names is missing from the records.
        """
        records = list(records)
        names = gather_names(records)
        if names is None:
            return None
        return cls(
            records[0].fields["key_id"],
            frozenset(split_names(names)),
            frozenset(seal[:KEY_SIZE] for record in records for seal in record.fields["seals"]),
        )


def origin_of(record: AuthorityRecord) -> bytes:
    """Returns the origin of the group key in an epoch record (R-01.21a). The origin is a hash of
    two things: the key's maker, and the lists of who is gone.
    """
    return key_origin(record.device, record.fields["lists"])


def gather_names(records: Iterable[AuthorityRecord]) -> bytes | None:
    """Joins the lists of names to which the origin of these records commits. The origin is a hash.

    Returns None if the records lack one of these lists (R-03.8h). Leaves out any other list in the
    records.
    """
    records = list(records)
    lists = {sha256(record.fields["gone"]).digest(): record.fields["gone"] for record in records}
    digests = split_digests(records[0].fields["lists"])
    if not lists.keys() >= set(digests):
        return None
    return b"".join(lists[digest] for digest in digests)


def digest_lists(lists: Iterable[bytes]) -> bytes:
    """Hashes each list of names. Returns the hashes, joined into one value, as they stand in an
    epoch record.
    """
    return b"".join(sha256(names).digest() for names in lists)


def standing_records(
    records: Iterable[AuthorityRecord], authority: Authority
) -> list[AuthorityRecord]:
    """Returns those records of one epoch whose devices are live, and which come before a fork or a
    cut of their log (R-03.8a).

    If the epoch's maker is no live device, the result is empty.
    """
    return [
        record
        for record in records
        if authority.is_live(record.device) and authority.stands(record.device, record.seq)
    ]


def name_gone(key: bytes) -> bytes:
    """Returns the name that an epoch's records use for a person or a device that is gone."""
    return sha256(b"meshcoop gone 2\0" + key).digest()[:NAME_SIZE]


def split_names(joined: bytes) -> list[bytes]:
    """Splits a field of joined names into the single names."""
    return [joined[at : at + NAME_SIZE] for at in range(0, len(joined), NAME_SIZE)]


def split_digests(joined: bytes) -> list[bytes]:
    """Splits a field of joined hashes into the single hashes."""
    return [joined[at : at + DIGEST_SIZE] for at in range(0, len(joined), DIGEST_SIZE)]


def is_named(name: bytes, joined: bytes) -> bool:
    """Returns True if `name` is one of the names in `joined`, a field that has names joined
    together.
    """
    at = joined.find(name)
    while at >= 0 and at % NAME_SIZE:
        at = joined.find(name, at + 1)
    return at >= 0


def find_departed(authority: Authority, writers: Iterable[bytes]) -> Departed:
    """Returns who is gone (R-03.8b). `writers` are the devices with a record in the store.

    A person may have been vouched for, but never belonged and never wrote. Such a person is not
    gone, because nobody has given them a key (R-03.33).
    """
    owners = authority.owners
    wrote = {owners[device] for device in writers if device in owners}
    people = (wrote | authority.people.keys()) - authority.members.keys()
    devices = [
        device
        for device, person in owners.items()
        if person in authority.members and not authority.is_live(device)
    ]
    return Departed(
        frozenset(map(name_gone, people)),
        frozenset(map(name_gone, devices)),
    )


def find_readers(authority: Authority, writers: Iterable[bytes]) -> dict[bytes, bytes]:
    """Returns the devices that may get group keys, with their box keys (R-03.33).

    They are the live devices that have a record in the store.
    """
    return {
        device: authority.devices[device].box
        for device in sorted(writers)
        if authority.is_live(device)
    }


def choose_epoch(
    epochs: Iterable[Epoch], departed: Departed, boxes: frozenset[bytes]
) -> Epoch | None:
    """Returns the epoch whose key seals new records, or None if there is none (R-03.8c).

    Each of the `epochs` was made by a live device. This home holds the key of each epoch, and every
    sealed copy of this key is right. `boxes` are the box keys of live devices. The chosen epoch
    names all people who are gone, and only people and devices that are gone. If several epochs do
    so, returns one that names the most devices.
    """
    candidates = [epoch for epoch in epochs if departed.people <= epoch.names <= departed.all]
    return min(candidates, key=lambda epoch: _rank(epoch, boxes), default=None)


def fits(epoch: Epoch, departed: Departed) -> bool:
    """Returns True if the epoch names exactly the people and devices that are gone (R-03.8c)."""
    return epoch.names == departed.all


def _rank(epoch: Epoch, boxes: frozenset[bytes]) -> tuple[int, int, bytes]:
    return -len(epoch.names), -len(epoch.boxes & boxes), epoch.key_id
