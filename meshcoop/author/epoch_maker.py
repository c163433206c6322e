"""Makes a new group key if this home holds no group key with which it may seal records
(R-03.33).
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from meshcoop.author.signer import Signer
from meshcoop.fold.epoch_fold import SLOTS_AT_ONCE, Choice
from meshcoop.fold.state import State
from protocol.authority.epochs import MAX_LISTS, MAX_NAMED, MAX_SEALS, digest_lists
from protocol.kinds.neighbourhood import Epoch as EpochRecord
from protocol.record.envelope import DAY_MS
from protocol.record.sealing import KEY_SIZE, EpochKey, key_origin, seal_key

MOST_A_DAY = 8  # group keys that a home makes in a day because devices are gone (R-03.33b)

_LOG = logging.getLogger(__name__)


class _Unfinished(NamedTuple):
    """A new group key that is not yet sealed to all devices. `boxes` are the box keys of the
    devices that still lack the group key. `lists` is the digest of the lists in which the epoch
    names those who are gone.
    """

    key: EpochKey
    lists: bytes
    signer: Signer
    boxes: list[bytes]


class EpochMaker:
    """Makes the group keys of one home.

    `devices` are the devices of this home. `write(fields, signer)` signs and stores an epoch
    record.
    """

    def __init__(
        self,
        state: State,
        devices: Mapping[bytes, bytes],
        write: Callable[[dict[str, Any], Signer], object],
    ) -> None:
        self._state = state
        self._devices = devices
        self._write = write
        self._left: _Unfinished | None = None
        # How many devices that are gone may hold the key with which this home wrote last
        # (R-03.33e).
        self.gone_with_key = 0

    def ensure(self, signer: Signer, now: int, random: Callable[[int], bytes]) -> None:
        """Makes a group key if this home holds no group key with which it may seal records
        (R-03.33). `now` is in milliseconds. `random(n)` returns n random bytes.

        Raises Refused if the quota of the signer's device is used up.
        """
        choice = self._state.epochs.choose()
        self.gone_with_key = 0
        if choice.fits:
            return
        if choice.epoch is not None and self._made_on(now // DAY_MS) >= MOST_A_DAY:
            self.gone_with_key = len(choice.departed.all - choice.epoch.names)
            _LOG.warning(
                "%d devices that are gone may still hold the group key", self.gone_with_key
            )
            return
        with self._state.store.transaction():
            self._make(signer, choice, random(KEY_SIZE))

    def complete(self) -> bool:
        """Seals the newest group key to devices that lack it. If there are many of these devices,
        one call seals the key only to some of them. Returns whether some devices still lack the
        key.
        """
        if self._left is None:
            return False
        key, lists, signer, boxes = self._left
        epoch = self._state.epochs.choose().epoch
        if epoch is None or epoch.key_id != key.id:
            self._left = None  # it is used no more
            return False
        with self._state.store.transaction():
            for part in _parts(boxes[:SLOTS_AT_ONCE], MAX_SEALS):
                self._write_part(key, lists, signer, part)
        left = boxes[SLOTS_AT_ONCE:]
        self._left = _Unfinished(key, lists, signer, left) if left else None
        return bool(left)

    def _make(self, signer: Signer, choice: Choice, secret: bytes) -> None:
        authority = self._state.authority
        assert authority is not None, "who signs is a member by it"
        # People first: a key may leave out devices that are gone, but no people (R-03.33d).
        names = [*sorted(choice.departed.people), *sorted(choice.departed.devices)]
        name_lists = [b"".join(part) for part in _parts(names, MAX_NAMED)][:MAX_LISTS]
        lists = digest_lists(name_lists)
        key = EpochKey.from_key(key_origin(signer.device, lists), secret)
        # Devices of this home may not have written yet.
        own = {signer.device, *filter(authority.is_live, self._devices)}
        boxes = [authority.devices[device].box for device in sorted(own)]
        boxes += [box for device, box in choice.readers.items() if device not in own]
        box_parts = _parts(boxes[:SLOTS_AT_ONCE], MAX_SEALS)
        self._state.epochs.hold_made(key)
        for part, joined in zip_longest(box_parts, name_lists):
            self._write_part(key, lists, signer, part or [], joined or b"")
        if boxes[SLOTS_AT_ONCE:] and signer.device in self._devices:
            self._left = _Unfinished(key, lists, signer, boxes[SLOTS_AT_ONCE:])
        _LOG.info("made a group key for %d devices; %d are gone", len(boxes), len(names))

    def _write_part(
        self,
        key: EpochKey,
        lists: bytes,
        signer: Signer,
        boxes: Sequence[bytes],
        names: bytes = b"",
    ) -> None:
        seals = [box + seal_key(key.key, box) for box in boxes]
        self._write({"key_id": key.id, "seals": seals, "gone": names, "lists": lists}, signer)

    def _made_on(self, day: int) -> int:
        made = {
            act.fields["key_id"]
            for act in self._state.authority_fold.records_of(EpochRecord)
            if act.device in self._devices and act.time // DAY_MS == day
        }
        return len(made)


def _parts(values: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Yields the values in parts of at most `size`."""
    for at in range(0, len(values), size):
        yield values[at : at + size]
