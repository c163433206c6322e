"""The epoch keys that this home's devices can open, learnt from `epoch` records (R-03.8)."""

from collections.abc import Iterable

from protocol.authority import Act
from protocol.errors import Refused
from protocol.gossip import gossip_key
from protocol.seal import KEY, BoxKey, EpochKey, epoch_id, open_key


class KeyRing:
    """Epoch keys by id. Readers use any of them, writers the highest number, then the lowest id."""

    def __init__(self, devices: Iterable[tuple[bytes, BoxKey]]) -> None:
        self.boxes = dict(devices)  # device key → its box key pair
        self._keys: dict[bytes, EpochKey] = {}
        self._read: set[tuple[bytes, int]] = set()
        self.gossip_keys: list[bytes] = []

    def learn(self, acts: Iterable[Act]) -> bool:
        """Opens what is sealed to this home in `epoch` acts; whether a key came of it."""
        before = len(self._keys)
        for act in acts:
            if (act.id, len(self.boxes)) not in self._read:
                self._read.add((act.id, len(self.boxes)))
                self._open(act)
        if len(self._keys) == before:
            return False
        newest = sorted(self._keys.values(), key=_rank)
        self.gossip_keys = [gossip_key(one) for one in newest]
        return True

    def add_box(self, device: bytes, box: BoxKey) -> None:
        """A further device of this home."""
        self.boxes[device] = box

    def get(self, key_id: bytes) -> EpochKey | None:
        """The key with this id, if this home has it."""
        return self._keys.get(key_id)

    def all(self) -> list[EpochKey]:
        """Every key held, the one to write with first."""
        return sorted(self._keys.values(), key=_rank)

    def current(self) -> EpochKey | None:
        """The key to write with."""
        return min(self._keys.values(), key=_rank, default=None)

    def _open(self, act: Act) -> None:
        for one in act.fields["seals"]:
            box = self.boxes.get(one[:KEY])
            if box is None:
                continue
            try:
                key = open_key(one[KEY:], box)
            except Refused:
                continue
            if epoch_id(key) == act.fields["key_id"]:
                found = EpochKey.of(act.fields["number"], key)
                known = self._keys.get(found.id)
                # One key under two numbers: the lowest holds, so that nobody can raise it.
                if known is None or found.number < known.number:
                    self._keys[found.id] = found


def _rank(one: EpochKey) -> tuple[int, bytes]:
    return -one.number, one.id
