"""The epoch keys that this home's devices can open, learnt from `epoch` records (R-03.8)."""

from collections.abc import Iterable

from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.record.sealing import KEY_SIZE, BoxKey, EpochKey, epoch_key_id, open_key
from protocol.wire.gossip import gossip_key

_HIGHEST_NUMBER = 2**63
_READING_ALONE = 0  # the number of a key that writers do not use


class KeyRing:
    """Epoch keys by id. Readers use any of them, writers the highest number, then the lowest id."""

    def __init__(self, devices: Iterable[tuple[bytes, BoxKey]]) -> None:
        self.boxes = dict(devices)  # device key → its box key pair
        self.gossip_keys: list[bytes] = []
        self._keys: dict[bytes, EpochKey] = {}
        self._opened: dict[bytes, EpochKey | None] = {}  # by act

    def learn(
        self, acts: Iterable[AuthorityRecord], others: Iterable[AuthorityRecord] = ()
    ) -> bool:
        """Takes the keys that `epoch` records seal to this home; returns whether that changed anything.

        `acts` are all that count. The keys of `others`, which do not count, are for reading alone.
        """
        keys: dict[bytes, EpochKey] = {}
        for act in acts:
            key = self._key_of(act)
            if key is None:
                continue
            # One key under two numbers: the lowest holds, so that nobody can raise it.
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
        """Adds a device of this home; `learn` then opens what is sealed to it, too."""
        self.boxes[device] = box
        self._opened.clear()

    def get(self, key_id: bytes) -> EpochKey | None:
        """The key with this id, if this home has it."""
        return self._keys.get(key_id)

    def all(self) -> list[EpochKey]:
        """Every key held, the one to write with first."""
        return sorted(self._keys.values(), key=_rank)

    def current(self) -> EpochKey | None:
        """The key to write with."""
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
            # Anybody can seal a wrong key: then another seal may hold the right one.
            if epoch_key_id(key) == act.fields["key_id"]:
                return EpochKey.from_key(act.fields["number"], key)
        return None


def _rank(key: EpochKey) -> tuple[int, bytes]:
    return -key.number, key.id
