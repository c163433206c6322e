"""What a sync session tells its driver (specs/05-sync.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hello:
    """The peer says who it is; the driver checks `chain` and the signature, then calls admit."""

    neighbourhood: bytes
    device: bytes
    signature: bytes
    chain: list[bytes]


@dataclass(frozen=True)
class Compare:
    """The peer has sent its digest; the driver calls `compare` with its heads."""


@dataclass(frozen=True)
class Lacks:
    """What the peer lacks: of each log (device, number of its head, first bytes of its head's id),
    and the devices whose forks it does not know as we do. The driver sends what follows that head,
    or the whole log if ours has another record there, with `records`, then calls `end`.
    """

    logs: list[tuple[bytes, int, bytes]]
    forks: list[bytes]


@dataclass(frozen=True)
class Received:
    """Records to take; the driver calls `taken` with their size in bytes when it has."""

    wires: list[bytes]
    size: int


@dataclass(frozen=True)
class Settled:
    """The round is over on both sides. `equal`: the digests already were."""

    equal: bool


@dataclass(frozen=True)
class Announced:
    """The peer holds this log up to this number; a gap that stays is a reason for a round."""

    device: bytes
    seq: int


@dataclass(frozen=True)
class Wanted:
    """The peer holds these records without their content."""

    ids: list[bytes]


@dataclass(frozen=True)
class Contents:
    """Content for records held without it."""

    items: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Peers:
    """Where other members' homes can be dialled, as the peer knows them."""

    addresses: list[str]


@dataclass(frozen=True)
class Keys:
    """Gossip keys, for a relay, which has none of its own."""

    keys: list[bytes]


@dataclass(frozen=True)
class Goodbye:
    """The peer ends the session and says why."""

    rule: str
    reason: str


Event = (
    Hello | Compare | Lacks | Received | Settled | Announced | Wanted | Contents | Peers | Keys
    | Goodbye
)  # fmt: skip
