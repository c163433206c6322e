"""Folds epoch records: finds out which group keys this home holds, and which key seals new records
(specs/03, section Epoch keys).

An epoch record seals a group key to many devices. Each sealed copy of the key is called a slot.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice, zip_longest
from typing import NamedTuple

from meshcoop.fold.key_ring import KeyRing
from meshcoop.store.held_keys import EpochKeys, KeptKey
from meshcoop.store.store import Store
from protocol.authority.authority import Authority
from protocol.authority.epochs import (
    Departed,
    Epoch,
    choose_epoch,
    find_departed,
    find_readers,
    fits,
    gather_names,
    is_named,
    name_gone,
    origin_of,
    standing_records,
)
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Epoch as EpochRecord
from protocol.kinds.neighbourhood import GivenKeys
from protocol.record.sealing import (
    KEY_SIZE,
    EpochKey,
    is_right_slot,
    lock_kept_key,
    open_kept_key,
    open_key,
)
from protocol.wire.gossip import gossip_key

SLOTS_AT_ONCE = 200  # slots that are checked in one step: some 25 ms of a small machine
_LOOKED_UP = 4  # keys that are looked up for each key that is asked for

_Group = tuple[bytes, bytes]  # the origin and the id of a key


class Choice(NamedTuple):
    """The choice of the epoch whose group key seals new records here.

    If there is no such epoch, `epoch` is None. `departed` says which devices are gone. If `epoch`
    fails to name some of them as gone, `fits` is False. `readers` maps each device that may get
    keys to its box key.
    """

    epoch: Epoch | None
    fits: bool
    departed: Departed
    readers: dict[bytes, bytes]


class EpochFold:
    """The epochs of a neighbourhood, as this home sees them. Methods that learn or keep keys need a
    transaction of the store.
    """

    def __init__(self, store: Store, neighbourhood: bytes, ring: KeyRing) -> None:
        self.table = EpochKeys(store)
        self._store = store
        self._neighbourhood = neighbourhood
        self._ring = ring
        self._authority: Authority | None = None
        self._groups: dict[_Group, list[AuthorityRecord]] = {}
        self._gathered: dict[tuple[bytes, ...], Epoch | None] = {}  # by the ids of its records
        self._is_right: dict[bytes, bool] = {}  # by the id of an epoch record: are its slots right
        self._made: set[bytes] = set()  # ids of keys that this home has made
        self._read: set[bytes] = set()  # ids of records that were opened, or are for others
        self._box_count = 0
        self._listed_to = b""  # the last id of a missing key that no epoch record names
        self._gossip_keys: dict[bytes, bytes] = {}  # by the id of the epoch key
        self._chosen: tuple[frozenset[bytes], Choice] | None = None
        ring.add(key for kept in self.table.all() if (key := self._unlock(kept)))

    # -- learning keys ----------------------------------------------------------------------------

    def learn(self, authority: Authority, index: AuthorityIndex) -> set[int]:
        """Reads the epoch records of `index` under a new authority. Returns the roots of those
        threads in which a newly found key opens some words.
        """
        self._authority = authority
        self._chosen = None
        if self._box_count != len(self._ring.boxes):
            self._box_count = len(self._ring.boxes)
            self._read.clear()
        acts = index.of_kinds(declared_of(EpochRecord).name)
        groups: dict[_Group, list[AuthorityRecord]] = defaultdict(list)
        for act in acts:
            groups[origin_of(act), act.fields["key_id"]].append(act)
        self._groups = groups
        new = [self._open(act) for act in acts if act.id not in self._read]
        roots = self.hold(key for key in new if key is not None)
        self._note_names()
        self._read.update(act.id for act in acts)
        roots |= self._take_given(index)
        self._accept_gossip(authority)
        return roots

    def read_again(self) -> None:
        """Forgets which records were read, so that the next call of `learn` reads all of them
        again. Callers use this after a transaction has failed.
        """
        self._read.clear()
        self._made.clear()

    def hold(self, keys: Iterable[EpochKey]) -> set[int]:
        """Keeps keys that this home has received. Returns the roots of the threads in which these
        keys open some words.
        """
        new = [key for key in keys if key.id not in self._ring]
        self._ring.add(new)
        self._chosen = None
        for key in new:
            self._keep(key)
        return self._roots(key.id for key in new)

    def _keep(self, key: EpochKey) -> None:
        device, box = next(iter(self._ring.boxes.items()))
        self.table.add(KeptKey(key.id, key.origin, device, lock_kept_key(key, box)))

    def _unlock(self, kept: KeptKey) -> EpochKey | None:
        box = self._ring.boxes.get(kept.device)
        try:
            return open_kept_key(kept.id, kept.origin, kept.locked, box) if box else None
        except Refused:
            return None  # the disk has changed it: the home asks for it again

    def hold_made(self, key: EpochKey) -> None:
        """Keeps a group key that this home has made. This home does not check the sealed copies
        (slots) of its own key.
        """
        self._made.add(key.id)
        self.hold([key])

    def missing(self, limit: int) -> list[bytes]:
        """Returns the ids of keys that this home lacks and that seal words in the store. Returns at
        most `limit` ids. If more keys are missing, each call returns the next ids.

        R-03.39h: keys that epoch records name come first. Other ids may be false, because an author
        can write any id into a content.
        """
        ids = dict.fromkeys(self.named_missing(limit))
        for start in (self._listed_to, b""):
            for key_id in self._store.records.key_ids(start):
                if len(ids) == limit:
                    return list(ids)
                self._listed_to = key_id
                if key_id not in self._ring:
                    ids[key_id] = None
        return list(ids)

    def named_missing(self, limit: int) -> list[bytes]:
        """Returns the ids of at most `limit` keys that this home lacks. Epoch records name these
        keys, and words in the store are sealed with these keys.

        Takes one key of each maker in turn, the latest first. So nobody can push the keys of others
        to the end by making many keys.
        """
        turns = zip_longest(*self._lacked_by_maker().values())
        lacked = (key_id for turn in turns for key_id in turn if key_id is not None)
        looked_up = islice(dict.fromkeys(lacked), _LOOKED_UP * limit)
        return list(islice(filter(self._store.records.is_sealing, looked_up), limit))

    def _lacked_by_maker(self) -> dict[bytes, list[bytes]]:
        """Looks in epoch records for keys that this home lacks. Maps each person who made such keys
        to the ids of these keys.
        """
        owners = self._authority.owners if self._authority is not None else {}
        by_maker: dict[bytes, list[bytes]] = defaultdict(list)
        for (_, key_id), acts in reversed(self._groups.items()):
            if key_id not in self._ring:
                by_maker[owners.get(acts[0].device, b"")].append(key_id)
        return by_maker

    # -- giving keys ------------------------------------------------------------------------------

    def givable(self, ids: Iterable[bytes], device: bytes) -> Iterator[EpochKey]:
        """Yields those of the wanted keys that this home may give to a device (R-03.39a, R-03.39b).
        `ids` are the ids of the wanted keys.
        """
        authority = self._authority
        if authority is None or device not in find_readers(authority, self._store.logs.writers()):
            return
        theirs = [name_gone(device), name_gone(authority.owners[device])]
        for key_id in ids:
            key = self._ring.get(key_id)
            names = self.table.names_of(key.origin) if key else None
            if key is None or names is None or any(is_named(name, names) for name in theirs):
                continue
            if self._store.records.is_sealing(key_id):
                yield key

    # -- choosing ---------------------------------------------------------------------------------

    def choose(self) -> Choice:
        """Chooses the epoch whose group key seals new records now."""
        authority = self._authority
        assert authority is not None, "who writes is a member by it"
        writers = frozenset(self._store.logs.writers())
        if self._chosen is not None and self._chosen[0] == writers:
            return self._chosen[1]
        departed = find_departed(authority, writers)
        readers = find_readers(authority, writers)
        self._check(self._candidates(authority, departed), SLOTS_AT_ONCE)
        usable = [
            epoch
            for epoch, acts in self._candidates(authority, departed)
            if all(self._is_right.get(act.id) for act in acts)
        ]
        epoch = choose_epoch(usable, departed, frozenset(readers.values()))
        choice = Choice(epoch, epoch is not None and fits(epoch, departed), departed, readers)
        self._chosen = (writers, choice)
        return choice

    def current_key(self) -> EpochKey | None:
        """Returns the key that seals new records. Returns None if this home must first make such a
        key.
        """
        epoch = self.choose().epoch if self._authority else None
        return self._ring.get(epoch.key_id) if epoch else None

    def check_slots(self, limit: int = SLOTS_AT_ONCE) -> bool:
        """Checks at most `limit` slots of those epochs that could seal new records. A slot is a
        copy of a group key, sealed to one device. Returns whether unchecked slots are left.
        """
        authority = self._authority
        if authority is None:
            return False
        departed = find_departed(authority, self._store.logs.writers())
        return self._check(self._candidates(authority, departed), limit)

    def _candidates(
        self, authority: Authority, departed: Departed
    ) -> list[tuple[Epoch, list[AuthorityRecord]]]:
        """Returns the epochs that could seal new records if their sealed keys are right (R-03.8a,
        R-03.8c). Each epoch comes with those of its records that count.
        """
        candidates = []
        for group_key, group in self._groups.items():
            if not self._holds(group_key):
                continue
            acts = standing_records(group, authority)
            epoch = self._gather(acts) if acts else None
            if epoch is not None and departed.people <= epoch.names <= departed.all:
                candidates.append((epoch, acts))
        return candidates

    def _holds(self, group: _Group) -> bool:
        """Returns whether this home holds a key of an epoch that the epoch's maker made (R-03.8d).
        `group` is the epoch's origin and key id. The origin stands for the maker.
        """
        origin, key_id = group
        key = self._ring.get(key_id)
        return key is not None and key.origin == origin

    def _gather(self, acts: list[AuthorityRecord]) -> Epoch | None:
        ids = tuple(act.id for act in acts)
        if ids not in self._gathered:
            self._gathered[ids] = Epoch.gather(acts)
        return self._gathered[ids]

    def _check(self, candidates: list[tuple[Epoch, list[AuthorityRecord]]], limit: int) -> bool:
        """Checks slots of the candidate epochs. A slot is a copy of a group key, sealed to one
        device. The epoch with the most slots comes first. Returns whether unchecked slots are left.
        """
        for epoch, acts in sorted(candidates, key=lambda candidate: -len(candidate[0].boxes)):
            key = self._ring.get(epoch.key_id)
            assert key is not None, "candidates are epochs whose keys are held"
            for act in acts:
                if act.id in self._is_right:
                    continue
                if epoch.key_id in self._made:
                    self._is_right[act.id] = True
                    continue
                if limit <= 0:
                    return True
                limit -= len(act.fields["seals"])
                self._is_right[act.id] = all(
                    is_right_slot(seal[KEY_SIZE:], key.key, seal[:KEY_SIZE])
                    for seal in act.fields["seals"]
                )
                self._chosen = None
        return False

    # -- reading records --------------------------------------------------------------------------

    def _open(self, act: AuthorityRecord) -> EpochKey | None:
        """Opens the key in an epoch record (R-03.8d). Returns None if the key is not sealed to a
        device of this home.
        """
        boxes = {box.public: box for box in self._ring.boxes.values()}
        for seal in act.fields["seals"]:
            box = boxes.get(seal[:KEY_SIZE])
            if box is None:
                continue
            try:
                key = EpochKey.from_key(origin_of(act), open_key(seal[KEY_SIZE:], box))
            except Refused:
                continue
            if key.id == act.fields["key_id"]:
                return key
        return None

    def _take_given(self, index: AuthorityIndex) -> set[int]:
        given = [
            act
            for act in index.of_kinds(declared_of(GivenKeys).name)
            if act.id not in self._read and act.fields["receiver"] in self._ring.boxes
        ]
        self._read.update(act.id for act in given)
        return self._roots(
            key_id
            for act in given
            for key_id in self._ring.take_given(
                act.fields["receiver"], act.fields["sealed"], self._neighbourhood
            )
        )

    def _note_names(self) -> None:
        """Notes the people and devices that new epoch records name as gone. The notes stay even if
        such a record is deleted.
        """
        for (origin, _), acts in self._groups.items():
            is_new = any(act.id not in self._read for act in acts)
            names = gather_names(acts) if is_new else None
            if names is not None:
                self.table.note_names(origin, names)

    def _roots(self, key_ids: Iterable[bytes]) -> set[int]:
        return {
            root for key_id in key_ids for root in self._store.records.roots_sealed_with(key_id)
        }

    def _accept_gossip(self, authority: Authority) -> None:
        """R-04.2b: accepts gossip that was made with a key of any epoch that counts. The keys of
        the latest epochs come first.
        """
        counting = {
            act.fields["key_id"]: (act.time, act.id)
            for group_key, group in self._groups.items()
            if self._holds(group_key)
            for act in group
            if authority.person_of_device(act.device) and authority.stands(act.device, act.seq)
        }
        latest_first = sorted(counting, key=lambda key_id: counting[key_id], reverse=True)
        keys = [self._ring.get(key_id) for key_id in latest_first]
        self._ring.accept_gossip(self._gossip_key(key) for key in keys if key is not None)

    def _gossip_key(self, key: EpochKey) -> bytes:
        if key.id not in self._gossip_keys:
            self._gossip_keys[key.id] = gossip_key(key)
        return self._gossip_keys[key.id]

    def gossip_keys(self) -> list[bytes]:
        """Returns the gossip keys of epochs that count. With the first of these keys, this home
        shows that its gossip comes from a member.
        """
        keys = list(self._ring.gossip_keys.values())
        current = self.current_key()
        first = [self._gossip_key(current)] if current else []
        return [*first, *(key for key in keys if key not in first)]
