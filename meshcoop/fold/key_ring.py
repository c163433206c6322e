"""The group keys that this home holds, and the gossip keys that it accepts. With a gossip key, a
home shows that its gossip comes from a member.
"""

from collections.abc import Iterable

from protocol.errors import Refused
from protocol.record.key_bundle import open_bundle
from protocol.record.sealing import BoxKey, EpochKey
from protocol.wire.gossip import name_gossip_key

_MOST_OFFERED = 20_000  # keys that records gave to this home; each takes some 200 bytes


class KeyRing:
    """The group keys of this home, by id. Any of these keys may open a record."""

    def __init__(self, devices: Iterable[tuple[bytes, BoxKey]]) -> None:
        self.boxes = dict(devices)  # device key → its box key pair
        self.gossip_keys: dict[bytes, bytes] = {}  # by name; what members may gossip under
        self._keys: dict[bytes, EpochKey] = {}
        self._offered: dict[bytes, EpochKey] = {}  # given by record (R-03.39c); read from there

    def __len__(self) -> int:
        return len(self._keys) + len(self._offered)

    def __contains__(self, key_id: bytes) -> bool:
        return self.get(key_id) is not None

    def add_box(self, device: bytes, box: BoxKey) -> None:
        """Adds the box key of a device of this home. With a box key, a device opens what is sealed
        to it. If group keys are sealed to this device, the next fold of authority opens these keys.
        """
        self.boxes[device] = box

    def add(self, keys: Iterable[EpochKey]) -> None:
        """Adds group keys that this home holds."""
        self._keys.update((key.id, key) for key in keys)

    def take_given(self, device: bytes, sealed: bytes, neighbourhood: bytes) -> list[bytes]:
        """Opens the keys that a record gives to a device of this home (R-03.39c). Returns the ids
        of the keys that are new here.
        """
        box = self.boxes.get(device)
        try:
            given = open_bundle(sealed, box, neighbourhood) if box else []
        except Refused:
            return []  # nobody can open it, so it gives nothing
        new = [key for key in given if self.get(key.id) is None]
        room = _MOST_OFFERED - len(self._offered)
        self._offered.update((key.id, key) for key in new[:room])
        return [key.id for key in new[:room]]

    def get(self, key_id: bytes) -> EpochKey | None:
        """Returns the group key with this id, or None if this home lacks it."""
        return self._keys.get(key_id) or self._offered.get(key_id)

    def all(self) -> list[EpochKey]:
        """Returns every group key, sorted by id."""
        return sorted([*self._keys.values(), *self._offered.values()])

    def accept_gossip(self, keys: Iterable[bytes]) -> None:
        """Replaces the list of gossip keys. A message is accepted if it was made with a key of this
        list.
        """
        self.gossip_keys = {name_gossip_key(key): key for key in keys}
