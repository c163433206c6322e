"""Relays that members enrolled (specs/08-relays.md): nodes that carry what they cannot read."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocol.authority.records import Act, Acts
from protocol.record.packed_addresses import unpack_addresses
from protocol.schema.fields import Bytes

SERVING, ENDED = "serving", "ended"
MAX_OF_A_PERSON = 4
MAX_PACKED = 152  # bytes: eight addresses of the longer sort


@dataclass(frozen=True, kw_only=True)
class Addresses(Bytes):
    """R-08.1: where a node is dialled, 7 or 19 bytes each, as in an invitation; and no words."""

    max: int = MAX_PACKED
    type_name = "addresses"

    def check(self, name: str, value: Any) -> None:
        super().check(name, value)
        unpack_addresses(value, "R-08.1")


class Relay(NamedTuple):
    """A relay that serves the neighbourhood. `addresses`: multiaddrs without /p2p/…, as the latest
    enrolment has them; `people`: who answers for it; `carrier`: the record that enrols it.
    """

    key: bytes
    addresses: tuple[str, ...]
    people: tuple[bytes, ...]
    since: int
    carrier: Act


def enrolled(acts: Acts, counts: Callable[[Act], bytes | None]) -> dict[bytes, Relay]:
    """R-08.2: the relays by their key. `counts`: whose act it is, None where it does not count."""
    latest: dict[tuple[bytes, bytes], Act] = {}  # (person, key) → what they said last
    for act in acts.of("relay"):
        person = counts(act)
        if person is not None:
            latest[person, act.fields["key"]] = act
    serving: dict[bytes, dict[bytes, Act]] = defaultdict(dict)
    of_one: dict[bytes, int] = defaultdict(int)
    for (person, key), act in sorted(latest.items(), key=lambda one: (one[1].time, one[1].id)):
        if act.fields["state"] == SERVING:
            of_one[person] += 1
            if of_one[person] <= MAX_OF_A_PERSON:
                serving[key][person] = act
    return {key: _relay(key, said) for key, said in serving.items()}


def _relay(key: bytes, said: Mapping[bytes, Act]) -> Relay:
    """`said`: who enrols it and how, oldest first."""
    first, last = next(iter(said.values())), list(said.values())[-1]
    addresses = unpack_addresses(last.fields.get("addresses") or b"", "R-08.1")
    return Relay(key, addresses, tuple(sorted(said)), first.time, last)
