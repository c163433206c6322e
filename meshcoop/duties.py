"""What a home's software posts by itself, without asking a person."""

import logging

from meshcoop.author import Author
from protocol import seal
from protocol.errors import Refused
from protocol.schema import KINDS
from protocol.seal import EpochKey

_LOG = logging.getLogger(__name__)


def offer_epochs(author: Author, keys: list[EpochKey], device: bytes) -> None:
    """R-03.8: seals these epoch keys to one device, a record a key."""
    authority = author.state.authority
    assert authority is not None
    box = authority.devices[device].box
    for one in keys:
        sealed = seal.seal_key(one.key, box, author.random(32))
        fields = {"number": one.number, "key_id": one.id, "seals": [device + sealed]}
        author.write(KINDS["epoch"], fields)


def seal_epochs(author: Author, met: set[bytes]) -> None:
    """Gives the epoch keys held here to members' devices that lack them: to those for whom a
    person of this home vouched, and to those met just now, whose voucher's home may be away.
    """
    state = author.state
    authority, keys = state.authority, state.ring.all()
    if authority is None or not keys:
        return
    mine = {authority.author(one) for one in author.devices}
    if mine == {None}:
        return
    sent = state.seals()
    for device in sorted(authority.devices):
        person = authority.author(device)
        if person is None or authority.devices[device].revoked is not None:
            continue
        if not (person in met or authority.vouchers_of(person) & mine):
            continue
        missing = [one for one in keys if (device, one.id) not in sent]
        if missing and device not in author.devices:
            try:
                offer_epochs(author, missing, device)
            except Refused as refusal:
                _LOG.warning("cannot hand on the neighbourhood's key yet: %s", refusal)
                return
