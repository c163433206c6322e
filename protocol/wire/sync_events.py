"""The events of a sync session, which its driver acts on (specs/05-sync.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HelloReceived:
    """The peer says who it is; the driver checks `chain` and the signature, then calls `admit`."""

    neighbourhood: bytes
    device: bytes
    signature: bytes
    chain: list[bytes]


@dataclass(frozen=True)
class DigestReceived:
    """The peer has sent its digest; the driver calls `answer_digest` with its heads."""


@dataclass(frozen=True)
class PeerLacks:
    """The peer has sent its have-map.

    `logs`: those of which it lacks something, as (device, the number of the peer's head, the first
    bytes of that head's id); `forks`: the devices whose forks it does not know as we do.

    The driver sends what follows the peer's head, or the whole log if ours has another record there,
    with `send_records`, then calls `send_end`.
    """

    logs: list[tuple[bytes, int, bytes]]
    forks: list[bytes]


@dataclass(frozen=True)
class RecordsReceived:
    """Records have come; once the driver has taken them, it calls `credit_taken` with their size in
    bytes.
    """

    wires: list[bytes]
    size: int


@dataclass(frozen=True)
class RoundSettled:
    """The round is over on both sides. `were_equal`: the digests already were, so nothing was sent."""

    were_equal: bool


@dataclass(frozen=True)
class HeadAnnounced:
    """The peer holds this log up to this number; a gap that stays is a reason for a round."""

    device: bytes
    seq: int


@dataclass(frozen=True)
class ContentWanted:
    """The peer asks for the content of these records, which it holds without."""

    ids: list[bytes]


@dataclass(frozen=True)
class ContentReceived:
    """The peer sends the content of records, as pairs of a record's id and its content."""

    items: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class AddressesReceived:
    """The peer tells where other members' homes can be dialled, as multiaddrs."""

    addresses: list[str]


@dataclass(frozen=True)
class GossipKeysReceived:
    """The peer hands over gossip keys: for a relay, which has none of its own (R-08.4)."""

    keys: list[bytes]


@dataclass(frozen=True)
class GoodbyeReceived:
    """The peer ends the session and says why: the number of a rule, and a sentence."""

    rule: str
    reason: str


SyncEvent = (
    HelloReceived | DigestReceived | PeerLacks | RecordsReceived | RoundSettled | HeadAnnounced | ContentWanted | ContentReceived | AddressesReceived | GossipKeysReceived
    | GoodbyeReceived
)  # fmt: skip
