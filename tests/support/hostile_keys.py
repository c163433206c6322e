"""Group keys that honest software would not make, and the key that seals a record."""

from collections.abc import Iterable

from meshcoop.author.author import Author
from protocol.authority.epochs import digest_lists, name_gone
from protocol.fold.registry import KINDS
from protocol.record import sealing as seal
from protocol.record.envelope import Record
from protocol.record.sealing import EpochKey


def key_by(author: Author, secret: bytes, lists: bytes = b"") -> EpochKey:
    """Makes a group key of a home, without a record."""
    return seal.EpochKey.from_key(seal.key_origin(author.signer_of().device, lists), secret)


def post_epoch(
    author: Author,
    right: Iterable[bytes],
    *,
    wrong: Iterable[bytes] = (),
    names: Iterable[bytes] = (),
    key: EpochKey | None = None,
) -> EpochKey:
    """Lets a home post an epoch that its software would not make. The epoch has right slots and
    wrong slots for these box keys, and names these people and devices as gone.
    """
    gone = b"".join(sorted(map(name_gone, names)))
    lists = digest_lists([gone])
    if key is None:
        key = key_by(author, author.random(32), lists)
    slots = [box + seal.seal_key(key.key, box) for box in right]
    garbage = [box + bytes(seal.SLOT_SIZE) for box in wrong]
    fields = {"key_id": key.id, "seals": slots + garbage, "gone": gone, "lists": lists}
    author.write(KINDS["epoch"], fields)
    return key


def key_of(record: Record) -> bytes:
    """Returns the id of the key that seals a record."""
    assert record.content is not None
    return seal.read_epoch_key_id(record.content)
