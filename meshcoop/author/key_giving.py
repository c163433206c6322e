"""Gives group keys to devices that ask for keys. The keys go directly to a peer, or into a record
(R-03.39).
"""

import hashlib
import logging
from collections.abc import Iterable

from meshcoop.author.author import Author
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import GivenKeys, WantKeys
from protocol.record.envelope import DAY_MS
from protocol.record.key_bundle import MAX_KEYS_GIVEN, SHORT_ID_SIZE, open_bundle, seal_bundle
from protocol.record.sealing import EpochKey

_FIRST = 3  # homes that answer a record at once
_OTHERS_AFTER_MS = 6 * 3_600_000  # the others answer after this time, if nobody has
_PAST_MS = 2 * DAY_MS  # a request is answered for this long; the device asks again every day

_LOG = logging.getLogger(__name__)


def seal_wanted(author: Author, device: bytes, ids: Iterable[bytes]) -> bytes | None:
    """Makes a bundle of the group keys that a device asks for, and seals the bundle to this device.
    The bundle has only keys that this home may give to the device. If there are none, returns None.
    """
    keys = list(author.state.epochs.givable(ids, device))
    return _seal(author, device, keys[:MAX_KEYS_GIVEN])


def take_bundle(author: Author, device: bytes, sealed: bytes) -> None:
    """Opens a bundle of group keys that was sealed to a device of this home. Keeps each key that
    opens a content in the store.

    Raises Refused (R-03.39d) if the bundle cannot be read.
    """
    state = author.state
    given = open_bundle(sealed, state.ring.boxes[device], state.neighbourhood)
    author.inbox.hold_keys(key for key in given if state.store.records.is_sealing(key.id))


def ask_by_record(author: Author) -> None:
    """R-03.39c: posts a record that asks for missing group keys, at most once a day. Callers use
    this if they have met no home lately.
    """
    lacks = author.state.epochs.missing(MAX_KEYS_GIVEN)
    if not lacks:
        return
    signer = author.signer_of()
    day = author.now() // DAY_MS
    asked = author.state.authority_fold.records_of(WantKeys)
    if any(act.device == signer.device and act.time // DAY_MS >= day for act in asked):
        return
    joined = b"".join(key_id[:SHORT_ID_SIZE] for key_id in lacks)
    author.write(declared_of(WantKeys), {"lacks": joined}, signer=signer, is_automatic=True)


def answer_requests(author: Author) -> None:
    """R-03.39c, R-03.39e: answers records in which devices ask for group keys. Answers a record
    only if it is this home's turn. Gives each key to a device only once.
    """
    authority = author.state.authority
    if authority is None:
        return
    latest: dict[bytes, AuthorityRecord] = {}
    for act in author.state.authority_fold.records_of(WantKeys):  # in order of time
        if act.time > author.now() - _PAST_MS and act.device not in author.devices:
            latest[act.device] = act
    for want in latest.values():
        if authority.is_live(want.device) and _has_turn(author, authority, want):
            _answer(author, want)


def give_by_record(
    author: Author, device: bytes, keys: list[EpochKey], *, is_automatic: bool = False
) -> None:
    """Posts a record that gives group keys to a member's device: as many keys as the record can
    hold. Notes that the device has these keys.
    """
    sealed = _seal(author, device, keys)
    if sealed is None:
        return
    with author.state.store.transaction():
        author.write(
            declared_of(GivenKeys),
            {"receiver": device, "sealed": sealed},
            is_automatic=is_automatic,
        )
        author.state.epochs.table.note_given(device, [key.id for key in keys])


def first_to_answer(authority: Authority, want: AuthorityRecord) -> list[bytes]:
    """R-03.39c: returns the people whose homes answer a request for keys at once. Other homes wait
    first.
    """
    day = (want.time // DAY_MS).to_bytes(8, "big")
    others = authority.members.keys() - {authority.owners[want.device]}

    def draw(person: bytes) -> bytes:
        return hashlib.sha256(b"meshcoop want keys 2\0" + want.device + day + person).digest()

    return sorted(others, key=draw)[:_FIRST]


def _has_turn(author: Author, authority: Authority, want: AuthorityRecord) -> bool:
    answers = [
        act
        for act in author.state.authority_fold.records_of(GivenKeys)
        if act.fields["receiver"] == want.device and act.time >= want.time
    ]
    if any(answer.device in author.devices for answer in answers):
        return False
    if author.people.intersection(first_to_answer(authority, want)):
        return True
    return not answers and author.now() >= want.time + _OTHERS_AFTER_MS


def _answer(author: Author, want: AuthorityRecord) -> None:
    state = author.state
    joined = want.fields["lacks"]
    starts = {joined[at : at + SHORT_ID_SIZE] for at in range(0, len(joined), SHORT_ID_SIZE)}
    given = state.epochs.table.given_to(want.device)
    ids = [key.id for key in state.ring.all() if key.id[:SHORT_ID_SIZE] in starts]
    keys = list(
        state.epochs.givable((key_id for key_id in ids if key_id not in given), want.device)
    )
    keys = keys[:MAX_KEYS_GIVEN]
    if keys:
        give_by_record(author, want.device, keys, is_automatic=True)
        _LOG.info("gave %d group keys to a device that asked", len(keys))


def _seal(author: Author, device: bytes, keys: list[EpochKey]) -> bytes | None:
    authority = author.state.authority
    assert authority is not None, "the device is a member's by it"
    box = authority.devices[device].box if device in authority.devices else None
    return seal_bundle(keys, box, author.state.neighbourhood, author.random(32)) if box else None
