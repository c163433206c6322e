"""The events of a sync session between two homes (specs/05-sync.md).

The session reports events. The driver, the code that uses the session, acts on them.
"""

from dataclasses import dataclass

from protocol.wire.node_addresses import NodeAddresses


@dataclass(frozen=True)
class HelloReceived:
    """The peer names its device. The driver checks `chain` and `signature`, then calls `admit`.

    `chain` has first the records of the hello, then the records of the pages. The pages arrived
    before the hello.
    """

    device: bytes
    signature: bytes
    chain: list[bytes]


@dataclass(frozen=True)
class DigestReceived:
    """The peer has sent its digest, a hash of the heads of all its logs. The head of a log is its
    last record.

    The driver calls `answer_digest` with the heads of this home.
    """


@dataclass(frozen=True)
class PeerLacks:
    """The peer has sent its have-map, which shows the records that the peer lacks.

    `logs` are the logs in which the peer lacks records. Each log is a triple: the device, the
    number of the peer's head (its last record), and the first bytes of that head's id. `forks` are
    the devices whose forks differ between the peer and this home.

    The driver sends the records after the peer's head with `send_records`. If this home has another
    record with the number of the peer's head, the driver sends the whole log. Then the driver calls
    `send_end`.
    """

    logs: list[tuple[bytes, int, bytes]]
    forks: list[bytes]


@dataclass(frozen=True)
class RecordsReceived:
    """The peer has sent records.

    When the driver has handled them, it calls `credit_taken` with `size` (bytes). The peer may then
    send more.
    """

    wires: list[bytes]
    size: int


@dataclass(frozen=True)
class RoundSettled:
    """The round is over on both sides. In a round, both sides compare logs and send records.

    `were_equal` is True if the digests were equal, so that neither side sent records.
    """

    were_equal: bool


@dataclass(frozen=True)
class HeadAnnounced:
    """The peer says that it holds the log of `device` up to number `seq`.

    If this home still lacks records of that log, the driver begins a round.
    """

    device: bytes
    seq: int


@dataclass(frozen=True)
class ContentWanted:
    """The peer holds these records without content, and asks for the content."""

    ids: list[bytes]


@dataclass(frozen=True)
class ContentReceived:
    """The peer has sent the content of records: pairs of a record's id and its content."""

    items: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class AddressesReceived:
    """The peer has sent statements of nodes about their addresses. Nobody has checked their
    signatures yet.
    """

    statements: list[NodeAddresses]


@dataclass(frozen=True)
class GossipKeysReceived:
    """The peer has sent gossip keys.

    Homes send them to relays, because a relay cannot make gossip keys itself (R-08.4).
    """

    keys: list[bytes]


@dataclass(frozen=True)
class KeysWanted:
    """The peer asks for the group keys with these ids. The peer holds contents that are sealed with
    these keys.
    """

    ids: list[bytes]


@dataclass(frozen=True)
class KeysGiven:
    """The peer gives group keys that this home asked for. The keys are sealed to this home's
    device.
    """

    sealed: bytes


@dataclass(frozen=True)
class ClockReceived:
    """The peer says what time it is by its clock, in milliseconds."""

    time: int


@dataclass(frozen=True)
class GoodbyeReceived:
    """The peer ends the session. It gives a reason: the number of a rule, and a sentence."""

    rule: str
    reason: str


SyncEvent = (
    HelloReceived | DigestReceived | PeerLacks | RecordsReceived | RoundSettled | HeadAnnounced | ContentWanted | ContentReceived | AddressesReceived | GossipKeysReceived
    | KeysWanted | KeysGiven | ClockReceived | GoodbyeReceived
)  # fmt: skip
