"""The epoch keys that this home's devices can open, learnt from `epoch` records (R-03.8)."""

from collections.abc import Iterable

from protocol.authority.records import Act
from protocol.errors import Refused
from protocol.record.sealing import KEY, BoxKey, EpochKey, epoch_id, open_key
from protocol.wire.gossip import gossip_key

_LAST = EpochKey(2**63, b"", b"")


class KeyRing:
    """Epoch keys by id. Readers use any of them, writers the highest number, then the lowest id."""

    def __init__(self, devices: Iterable[tuple[bytes, BoxKey]]) -> None:
        self.boxes = dict(devices)  # device key → its box key pair
        self._keys: dict[bytes, EpochKey] = {}
        self._opened: dict[bytes, EpochKey | None] = {}  # by act
        self.gossip_keys: list[bytes] = []

    def learn(self, acts: Iterable[Act], others: Iterable[Act] = ()) -> bool:
        """The keys that these `epoch` acts, all that count, seal to this home, and of `others`,
        which do not count, what they open: for reading alone, as number 0. Whether that changed
        anything.
        """
        keys: dict[bytes, EpochKey] = {}
        for act in acts:
            found = self._of(act)
            # One key under two numbers: the lowest holds, so that nobody can raise it.
            if found and found.number < keys.get(found.id, _LAST).number:
                keys[found.id] = found
        for act in others:
            found = self._of(act)
            if found:
                keys.setdefault(found.id, found._replace(number=0))
        changed = keys != self._keys
        self._keys = keys
        self.gossip_keys = [gossip_key(one) for one in self.all()] if changed else self.gossip_keys
        return changed

    def add_box(self, device: bytes, box: BoxKey) -> None:
        """A further device of this home; `learn` then opens what is sealed to it, too."""
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
        return min((one for one in self._keys.values() if one.number), key=_rank, default=None)

    def _of(self, act: Act) -> EpochKey | None:
        if act.id not in self._opened:
            self._opened[act.id] = self._open(act)
        return self._opened[act.id]

    def _open(self, act: Act) -> EpochKey | None:
        for one in act.fields["seals"]:
            box = self.boxes.get(one[:KEY])
            if box is None:
                continue
            try:
                key = open_key(one[KEY:], box)
            except Refused:
                continue
            if epoch_id(key) == act.fields["key_id"]:
                return EpochKey.of(act.fields["number"], key)
        return None


def _rank(one: EpochKey) -> tuple[int, bytes]:
    return -one.number, one.id
