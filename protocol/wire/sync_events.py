"""The events of a sync session. The session's driver acts on them (specs/05-sync.md)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HelloReceived:
    """The peer says who it is. The driver checks `chain` and `signature`, then calls `admit`."""

    neighbourhood: bytes
    device: bytes
    signature: bytes
    chain: list[bytes]


@dataclass(frozen=True)
class DigestReceived:
    """The peer has sent its digest. The driver calls `answer_digest` with its own heads."""


@dataclass(frozen=True)
class PeerLacks:
    """The peer has sent its have-map.

    `logs` are the logs of which the peer lacks records, as (device, the number of the peer's head,
    the first bytes of that head's id). `forks` are the devices whose forks the peer knows
    differently.

    The driver sends the records after the peer's head with `send_records`. If our log has another
    record at that number, the driver sends the whole log. Then it calls `send_end`.
    """

    logs: list[tuple[bytes, int, bytes]]
    forks: list[bytes]


@dataclass(frozen=True)
class RecordsReceived:
    """Records have come.

    Once the driver has taken them, it calls `credit_taken` with `size` (bytes).
    """

    wires: list[bytes]
    size: int


@dataclass(frozen=True)
class RoundSettled:
    """The round is over on both sides.

    `were_equal`: True if the digests were equal, so that nothing was sent.
    """

    were_equal: bool


@dataclass(frozen=True)
class HeadAnnounced:
    """The peer holds this log up to this number. If a gap stays, the driver begins a round."""

    device: bytes
    seq: int


@dataclass(frozen=True)
class ContentWanted:
    """The peer holds these records without their content, and asks for it."""

    ids: list[bytes]


@dataclass(frozen=True)
class ContentReceived:
    """The peer sends the content of records, as pairs of a record's id and its content."""

    items: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class AddressesReceived:
    """The peer says at which addresses other members' homes can be dialled, as multiaddrs."""

    addresses: list[str]


@dataclass(frozen=True)
class GossipKeysReceived:
    """The peer hands over gossip keys.

    Relays need them, because they have none of their own (R-08.4).
    """

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
