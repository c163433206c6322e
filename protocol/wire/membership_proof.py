"""The proof that a connection comes from a member's device (specs/05-sync.md, R-05.2, R-05.3).

A device signs the two ends of the connection. It also sends a chain: open records, from the charter
on, which show that the device belongs to a member.
"""

from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.fold.content import read_content
from protocol.fold.registry import KINDS
from protocol.record import envelope
from protocol.record.envelope import OPEN
from protocol.record.signature import is_signed, sign_message

SYNC_DOMAIN = b"meshcoop sync 2 hello\0"


def prove_membership(
    device_seed: bytes,
    neighbourhood: bytes,
    sender: str,
    receiver: str,
    domain: bytes = SYNC_DOMAIN,
) -> bytes:
    """With the device's key, signs the neighbourhood and the peer ids of both ends (R-05.2).

    The signature is valid only on this connection, from `sender` to `receiver`, and only in the
    protocol that has this `domain`.
    """
    return sign_message(domain + _connection(neighbourhood, sender, receiver), device_seed)


def check_proof(
    device: bytes,
    signature: bytes,
    neighbourhood: bytes,
    *,
    sender: str,
    receiver: str,
    domain: bytes = SYNC_DOMAIN,
) -> None:
    """Raises Refused (R-05.2) if `device` did not sign for this connection."""
    message = domain + _connection(neighbourhood, sender, receiver)
    if not is_signed(message, signature, device):
        raise Refused("R-05.2", "the hello's signature is not for this connection")


def read_chain(chain: list[bytes], neighbourhood: bytes) -> list[AuthorityRecord]:
    """Reads the open records that a hello carries as proof, and checks each of them (R-05.3).

    `chain` has the records as bytes. Raises Refused.
    """
    return [_read_open_record(wire, neighbourhood) for wire in chain]


def member_in_chain(chain: list[bytes], neighbourhood: bytes, device: bytes) -> bytes:
    """Returns the member who owns `device`. Judges by the records in `chain` only.

    Raises Refused if these records do not show that the device belongs to a member.
    """
    return member_in_records(read_chain(chain, neighbourhood), neighbourhood, device)


def member_in_records(records: list[AuthorityRecord], neighbourhood: bytes, device: bytes) -> bytes:
    """Returns the member who owns `device`. Judges by these records only.

    Raises Refused if these records do not show that the device belongs to a member.
    """
    person = fold_records(records, neighbourhood).member_of_device(device)
    if person is None:
        raise Refused("R-05.3", "the records shown make nobody a member")
    return person


def fold_records(records: list[AuthorityRecord], neighbourhood: bytes) -> Authority:
    """Computes the authority (who belongs, who decides) from these records only.

    The caller has the records from `read_chain`, which has checked them. Raises Refused if the
    charter is not among them.
    """
    charter = next((record for record in records if record.id == neighbourhood), None)
    if charter is None:
        raise Refused("R-05.3", "the records shown hold no charter")
    return authority.fold_authority(charter, records, {})


def _read_open_record(wire: bytes, neighbourhood: bytes) -> AuthorityRecord:
    record = envelope.parse(wire)
    envelope.verify(record, envelope.signed_for(record, neighbourhood))
    header = record.header
    if header.base_audience != OPEN or record.content is None:
        raise Refused("R-05.3", "a hello carries open records with their content")
    kind, fields = read_content(record.content)
    if kind not in KINDS or not KINDS[kind].fits_audience(header.audience):
        raise Refused("R-10.9", "a hello carries what authority is made of")
    parents = tuple(header.parents)
    return AuthorityRecord(record.id, header.device, header.seq, header.time, kind, fields, parents)


def _connection(neighbourhood: bytes, sender: str, receiver: str) -> bytes:
    return neighbourhood + b"\0".join((sender.encode(), receiver.encode()))
