"""The epoch keys that this home's devices can open. Epoch records carry these keys, sealed to
devices (R-03.8).
"""

from collections.abc import Iterable

from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.record.sealing import KEY_SIZE, BoxKey, EpochKey, epoch_key_id, open_key
from protocol.wire.gossip import gossip_key

_HIGHEST_NUMBER = 2**63
_READING_ALONE = 0  # the number of a key that is only for reading


class KeyRing:
    """The epoch keys of this home, by id.

    Records are opened with any of these keys. New records are sealed with the key that has the
    highest number. If several keys have that number, the key with the lowest id is used.
    """

    def __init__(self, devices: Iterable[tuple[bytes, BoxKey]]) -> None:
        self.boxes = dict(devices)  # device key → its box key pair
        self.gossip_keys: list[bytes] = []
        self._keys: dict[bytes, EpochKey] = {}
        self._opened: dict[bytes, EpochKey | None] = {}  # by the id of the epoch record

    def learn(
        self, acts: Iterable[AuthorityRecord], others: Iterable[AuthorityRecord] = ()
    ) -> bool:
        """Opens the keys that epoch records seal to this home. Returns whether the keys have
        changed.

        `acts` are all epoch records that count. `others` are epoch records that do not count: their
        keys can open records, but never seal new records.
        """
        keys: dict[bytes, EpochKey] = {}
        for act in acts:
            key = self._key_of(act)
            if key is None:
                continue
            # If one key has two numbers, the lower one counts: nobody can raise a key's number.
            lowest = keys[key.id].number if key.id in keys else _HIGHEST_NUMBER
            if key.number < lowest:
                keys[key.id] = key
        for act in others:
            key = self._key_of(act)
            if key is not None:
                keys.setdefault(key.id, key._replace(number=_READING_ALONE))
        if keys == self._keys:
            return False
        self._keys = keys
        self.gossip_keys = [gossip_key(key) for key in self.all()]
        return True

    def add_box(self, device: bytes, box: BoxKey) -> None:
        """Adds the box key of a device of this home. The next call of `learn` also opens the epoch
        keys that are sealed to this device.
        """
        self.boxes[device] = box
        self._opened.clear()

    def get(self, key_id: bytes) -> EpochKey | None:
        """Returns the key with this id, or None if this home does not have the key."""
        return self._keys.get(key_id)

    def all(self) -> list[EpochKey]:
        """Returns every key. The key that seals new records comes first."""
        return sorted(self._keys.values(), key=_rank)

    def current(self) -> EpochKey | None:
        """Returns the key that seals new records, or None if this home has no such key."""
        keys = [key for key in self._keys.values() if key.number != _READING_ALONE]
        return min(keys, key=_rank, default=None)

    def _key_of(self, act: AuthorityRecord) -> EpochKey | None:
        if act.id not in self._opened:
            self._opened[act.id] = self._open(act)
        return self._opened[act.id]

    def _open(self, act: AuthorityRecord) -> EpochKey | None:
        for seal in act.fields["seals"]:
            box = self.boxes.get(seal[:KEY_SIZE])
            if box is None:
                continue
            try:
                key = open_key(seal[KEY_SIZE:], box)
            except Refused:
                continue
            # Anybody can seal a wrong key. Another seal may still hold the right one.
            if epoch_key_id(key) == act.fields["key_id"]:
                return EpochKey.from_key(act.fields["number"], key)
        return None


def _rank(key: EpochKey) -> tuple[int, bytes]:
    return -key.number, key.id
