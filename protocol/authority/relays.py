"""Relays that members enrolled (specs/08-relays.md).

A relay is a node that passes on records, but cannot read sealed records.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocol.authority.kind_names import RELAY
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.record.packed_addresses import unpack_addresses
from protocol.schema.fields import Bytes

# The states of an enrolment, the record in which a member lets a relay serve.
SERVING = "serving"
ENDED = "ended"

MAX_PER_PERSON = 4  # the most relays that one member may enrol
MAX_PACKED_ADDRESSES = 152  # bytes; enough for eight IPv6 addresses


@dataclass(frozen=True, kw_only=True)
class PackedAddresses(Bytes):
    """A field with network addresses of a node, packed in 7 or 19 bytes each (R-08.1).

    Nobody can write words into such a field, because packed addresses have no room for them.
    """

    max: int = MAX_PACKED_ADDRESSES
    type_name = "addresses"

    def check(self, name: str, value: Any) -> None:
        super().check(name, value)
        unpack_addresses(value, "R-08.1")


class Relay(NamedTuple):
    """A relay that serves the neighbourhood.

    `key` is the public key of the relay's node. `people` are the members who enrolled the relay.
    `since` is the time of the first enrolment, in milliseconds. `carrier` is the record of the
    latest enrolment. `addresses` come from the latest enrolment; they are multiaddrs without
    /p2p/….
    """

    key: bytes
    addresses: tuple[str, ...]
    people: tuple[bytes, ...]
    since: int
    carrier: AuthorityRecord


def fold_relays(
    index: AuthorityIndex, counts: Callable[[AuthorityRecord], bytes | None]
) -> dict[bytes, Relay]:
    """Returns the relays that serve the neighbourhood now. Maps the key of each relay to the relay
    (R-08.2).

    `counts` returns the member who signed a record, or None if the record does not count.
    """
    latest: dict[tuple[bytes, bytes], AuthorityRecord] = {}  # (person, key) → the last record
    for record in index.of_kinds(RELAY):
        person = counts(record)
        if person is not None:
            latest[person, record.fields["key"]] = record
    enrolments: dict[bytes, dict[bytes, AuthorityRecord]] = defaultdict(
        dict
    )  # key → person → record
    relays_of: dict[bytes, int] = defaultdict(int)  # person → the number of relays so far
    for (person, key), record in sorted(latest.items(), key=_time_and_id):
        if record.fields["state"] == SERVING:
            relays_of[person] += 1
            if relays_of[person] <= MAX_PER_PERSON:
                enrolments[key][person] = record
    return {key: _relay(key, by_person) for key, by_person in enrolments.items()}


def _time_and_id(entry: tuple[tuple[bytes, bytes], AuthorityRecord]) -> tuple[int, bytes]:
    _, record = entry
    return record.time, record.id


def _relay(key: bytes, enrolments: Mapping[bytes, AuthorityRecord]) -> Relay:
    """Makes the relay with this key from its enrolments.

    `enrolments` maps each person who enrolled the relay to the record of this enrolment. The oldest
    record comes first.
    """
    records = list(enrolments.values())
    first = records[0]
    last = records[-1]
    addresses = unpack_addresses(last.fields.get("addresses") or b"", "R-08.1")
    return Relay(key, addresses, tuple(sorted(enrolments)), first.time, last)
