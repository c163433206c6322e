"""Random histories of departures, hostile keys and partial knowledge, without bytes and disks.

A world has an honest founder, honest members, and Mal's people, who share all keys that they get
and sign whatever they like. Each home knows a beginning of each log. Homes write, meet and hand on
keys by the rules of specs/03; keys are symbols.
"""

from collections import defaultdict
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from protocol.authority import epochs
from protocol.authority.authority import fold_authority
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import device_key
from tests.support.plain_epochs import plain_choice

MOST_A_DAY = 8
_PEOPLE = 6  # the founder, two honest people, three of Mal's
_HOSTILE = frozenset({3, 4, 5})


class Key(NamedTuple):
    """A group key, as a symbol. `id` is what records name. It commits to the maker and to `lists`,
    the digests of lists of names.
    """

    maker: bytes
    lists: bytes
    id: bytes
    is_hostile: bool

    def has(self, record):
        """Returns whether an epoch record belongs to this key."""
        return (record.device, record.fields["lists"], record.fields["key_id"]) == self[:3]


class Person(NamedTuple):
    number: int
    root: bytes
    key: bytes


class Machine(NamedTuple):
    """A device of a person."""

    owner: Person
    seed: bytes
    device: bytes
    box: bytes


def _seed(*what):
    return sha256(repr(what).encode()).digest()


@cache
def person(number):
    root = _seed("root", number)
    return Person(number, root, device_key(root))


@cache
def machine(number, n):
    seed = _seed("device", number, n)
    return Machine(person(number), seed, device_key(seed), seal.device_box_key(seed).public)


@cache
def certificate(one, place):
    return statement.certify_device(one.owner.root, one.seed, one.box, place)


@cache
def revocation(one, after, place):
    return statement.revoke_device(one.owner.root, one.device, after, place)


@cache
def charter():
    founder = machine(0, 0)
    fields = {
        "name": "Elm Street",
        "vouchers": 1,
        "founders": [certificate(founder, statement.FOUNDING_PLACE)],
    }
    return AuthorityRecord(_seed("charter"), founder.device, 1, 1, "charter", fields)


class View:
    """What one home knows: how far it has each log, its keys, and what follows from that."""

    def __init__(self, world, one):
        self.world = world
        self.machine = one
        self.known = {charter().device: 1}
        self.keys = {}  # id → Key
        self.shared = set()  # ids of keys that only Mal's people gave it
        self.made = 0
        self.given_up = False  # this home wrote with a key that not all devices are named by
        self._authority = None

    @property
    def device(self):
        return self.machine.device

    @property
    def names(self):
        """The names under which epochs name this home's device as gone."""
        return {epochs.name_gone(self.device), epochs.name_gone(self.machine.owner.key)}

    def records(self):
        for device, last in self.known.items():
            yield from self.world.logs[device][:last]

    def learn(self, device, last):
        if last > self.known.get(device, 0):
            self.known[device] = last
            self._authority = None
        for record in self.world.logs[device][:last]:
            if record.kind == "epoch":
                self._open(record)

    def _open(self, record):
        key = self.world.keys.get(record.fields["key_id"])
        slots = self.world.slots.get(record.id, {})
        if key and key.has(record) and slots.get(self.machine.box):
            self.keys[key.id] = key

    def forget_authority(self):
        self._authority = None

    @property
    def authority(self):
        if self._authority is None:
            acts = [act for act in self.records() if act.kind != "words"]
            forks = {
                device: number
                for device, number in self.world.forks.items()
                if self.known.get(device, 0) >= number
            }
            self._authority = fold_authority(charter(), AuthorityIndex(acts), forks)
        return self._authority

    @property
    def writers(self):
        return [device for device in self.known if device in self.authority.storable_devices]

    def is_live(self):
        return self.authority.is_live(self.device)

    def departed(self):
        return epochs.find_departed(self.authority, self.writers)

    def usable(self):
        """Returns the epochs whose keys this home holds and whose slots are right."""
        for key in self.keys.values():
            acts = epochs.standing_records(self.records_of(key), self.authority)
            is_right = all(all(self.world.slots[act.id].values()) for act in acts)
            epoch = epochs.Epoch.gather(acts) if acts and is_right else None
            if epoch:
                yield epoch

    def records_of(self, key):
        return [act for act in self.records() if act.kind == "epoch" and key.has(act)]

    def write(self):
        """Writes words for all members. Returns the key with which it seals them."""
        departed = self.departed()
        boxes = frozenset(epochs.find_readers(self.authority, self.writers).values())
        usable = list(self.usable())
        epoch = epochs.choose_epoch(usable, departed, boxes)
        assert epoch == plain_choice(usable, departed.people, departed.devices, boxes)
        fits = epoch is not None and epochs.fits(epoch, departed)
        if not fits and (epoch is None or self.made < MOST_A_DAY):
            self.made += 1
            return self.make_key()
        self.given_up = self.given_up or not fits
        return self.keys[epoch.key_id]

    def make_key(self):
        readers = epochs.find_readers(self.authority, [*self.writers, self.device])
        names = b"".join(sorted(self.departed().all))
        key = self.world.new_key(self.device, names, is_hostile=False)
        self.keys[key.id] = key
        self.world.post_epoch(self.machine, key, readers.values(), names, holder=self)
        return key

    def hand_to(self, other):
        """Gives another home the keys that it lacks and that this home may give it."""
        readers = epochs.find_readers(self.authority, self.writers)
        if other.device not in readers:
            return
        sealing = {act.fields["key"] for act in self.records() if act.kind == "words"}
        for key_id in sealing & self.keys.keys():
            key = self.keys[key_id]
            acts = self.records_of(key)
            names = epochs.gather_names(acts) if acts else None
            if names is not None and other.names.isdisjoint(epochs.split_names(names)):
                other.keys[key_id] = key


class World:
    """A neighbourhood, and everything that was ever signed in it."""

    def __init__(self, dice):
        self.dice = dice
        self.place = charter().id[: statement.PLACE_SIZE]
        self.logs = defaultdict(list)  # device → its records
        self.logs[charter().device] = [charter()]
        self.slots = {}  # epoch record → box key → is the slot right
        self.keys = {}
        self.forks = {}
        self.standing = defaultdict(int)  # person → the number of the last decision
        self.views = {machine(0, 0).device: View(self, machine(0, 0))}
        self.words = []  # (record id, key) of honest words
        self.ever_gone = set()  # names of those who were gone for a home that wrote
        self.leaks = []

    # -- signing ----------------------------------------------------------------------------------

    def sign(self, one, kind, about=None, **fields):
        log = self.logs[one.device]
        time = self.dice.choice((1, 2, len(log) + 10))  # claimed times mean nothing
        record_id = _seed(len(log), one.device, self.dice.random())
        record = AuthorityRecord(
            record_id, one.device, len(log) + 1, time, kind, fields, (about,) if about else ()
        )
        log.append(record)
        view = self.views.get(one.device)
        if view:
            view.learn(one.device, len(log))
        return record

    def new_key(self, maker, names, *, is_hostile):
        lists = epochs.digest_lists([names])
        key = Key(maker, lists, _seed("key", len(self.keys), self.dice.random()), is_hostile)
        self.keys[key.id] = key
        return key

    def post_epoch(self, one, key, boxes, names, *, lists=None, holder=None, wrong=()):
        record = self.sign(
            one,
            "epoch",
            key_id=key.id,
            seals=[box + bytes(seal.SLOT_SIZE) for box in boxes],
            gone=names,
            lists=key.lists if lists is None else lists,
        )
        self.slots[record.id] = {box: box not in wrong for box in boxes}
        if holder:
            holder.learn(one.device, record.seq)

    # -- what happens -----------------------------------------------------------------------------

    def honest(self):
        return [view for view in self.views.values() if view.machine.owner.number not in _HOSTILE]

    def hostile(self):
        return [view for view in self.views.values() if view.machine.owner.number in _HOSTILE]

    def happen(self):
        step = self.dice.choices(
            [
                self.admit, self.certify, self.revoke, self.expel_or_restore, self.fork,
                self.make_hostile_key, self.write, self.deliver, self.catch_up, self.meet,
            ],
            weights=[3, 1, 1, 5, 1, 4, 12, 5, 12, 8],
        )[0]  # fmt: skip
        step()

    def admit(self):
        by = self.dice.choice(list(self.views.values()))
        newcomer = machine(self.dice.randrange(_PEOPLE), 0)
        if by.is_live() or by.machine.owner.number in _HOSTILE:
            proof = certificate(newcomer, self.place)
            self.sign(by.machine, "admit", person=newcomer.owner.key, statement=proof)
            self.views.setdefault(newcomer.device, View(self, newcomer))

    def certify(self):
        carrier = self.dice.choice(list(self.views.values()))
        new = machine(carrier.machine.owner.number, self.dice.randrange(1, 6))
        self.sign(carrier.machine, "device", statement=certificate(new, self.place))
        self.views.setdefault(new.device, View(self, new))

    def revoke(self):
        carrier = self.dice.choice(list(self.views.values()))
        lost = self.dice.choice(list(self.views.values())).machine
        after = self.dice.choice((0, 2, len(self.logs[lost.device])))
        if lost.owner.number:
            self.sign(carrier.machine, "device", statement=revocation(lost, after, self.place))

    def expel_or_restore(self):
        founder = self.views[charter().device]
        who = person(self.dice.randrange(1, _PEOPLE)).key
        self.standing[who] += 1
        cuts = sorted(
            [one.device, self.dice.choice((0, 1000))]
            for one in (view.machine for view in self.views.values())
            if one.owner.key == who
        )
        n = self.standing[who]
        change = ["standing", who, n, cuts if n % 2 else None]
        asked = self.sign(founder.machine, "proposal", change=change, newcomers=[])
        self.sign(founder.machine, "vote", asked.id, choice="yes")

    def fork(self):
        one = self.dice.choice(self.hostile() or [None])
        if one and len(self.logs[one.device]) > 2:
            self.forks.setdefault(one.device, self.dice.randrange(2, len(self.logs[one.device])))
            for view in self.views.values():
                view.forget_authority()  # who knows the log so far sees the fork

    def make_hostile_key(self):
        """Mal's people make a key, or write records for a key that they hold, of their own or of
        others. They name and leave out whom they like.
        """
        if not self.hostile():
            return
        by = self.dice.choice(self.hostile())
        held = [key for view in self.hostile() for key in view.keys.values()]
        own = [key for key in held if key.maker == by.device]
        names = set(self.dice.choice(self.honest()).departed().all)  # some home would accept them
        if self.dice.random() < 0.4:  # and somebody who belongs, or will
            names.add(epochs.name_gone(person(self.dice.randrange(_PEOPLE)).key))
        gone = b"".join(sorted(names))
        key = self.new_key(by.device, gone, is_hostile=True)
        if held and self.dice.random() < 0.4:
            key = self.dice.choice(own if own and self.dice.random() < 0.5 else held)
        lists = self.dice.choice((key.lists, epochs.digest_lists([gone])))
        for view in self.hostile():
            if key.id not in view.keys:
                view.keys[key.id] = key
                view.shared.add(key.id)
        everybody = [view.machine for view in self.views.values()]
        boxes = [one.box for one in everybody if self.dice.random() < 0.8]
        wrong = [box for box in boxes if self.dice.random() < 0.1]
        self.post_epoch(by.machine, key, boxes, gone, lists=lists, wrong=wrong)

    def write(self):
        view = self.dice.choice(self.honest())
        if not view.is_live():
            return
        key = view.write()
        self.ever_gone |= view.departed().all
        if not view.given_up:
            self.leaks += self.leaks_of(view, key)
        record = self.sign(view.machine, "words", key=key.id)
        self.words.append((record, key))

    def deliver(self):
        receiver, giver = (self.dice.choice(list(self.views.values())) for _ in range(2))
        device = self.dice.choice(list(giver.known))
        last = giver.known[device]
        start = receiver.known.get(device, 0)
        if last > start:
            receiver.learn(device, self.dice.randint(start + 1, last))

    def catch_up(self):
        receiver, giver = (self.dice.choice(list(self.views.values())) for _ in range(2))
        for device, last in giver.known.items():
            receiver.learn(device, last)

    def meet(self):
        giver, receiver = (self.dice.choice(self.honest()) for _ in range(2))
        if self.dice.random() < 0.5 and self.hostile():
            receiver = self.dice.choice(self.hostile())  # honest software hands keys to everybody
        if giver is not receiver and giver.is_live():
            giver.hand_to(receiver)

    # -- what must hold ---------------------------------------------------------------------------

    def gone_at(self, view):
        """Returns the devices that are gone, as a home knows it."""
        return {
            other.device
            for other in self.views.values()
            if view.authority.owners.get(other.device)
            and not view.authority.is_live(other.device)
            and (other.device in view.writers or other.machine.owner.key in view.authority.people)
        }

    def leaks_of(self, view, key):
        """Returns who reads what a home writes although the home knows that they are gone.

        If one of Mal's people still belongs and has the key, others may have it from them: nothing
        can stop this. Keys that honest software gave do not need them.
        """
        allies = [other for other in self.hostile() if view.authority.is_live(other.device)]
        if key.is_hostile and allies:
            return []
        has_ally = any(key.id in ally.keys for ally in allies)
        gone = self.gone_at(view)
        return [
            (view.machine.owner.number, other.machine.owner.number, key.id.hex()[:8])
            for other in self.views.values()
            if other.device in gone and key.id in other.keys
            if not (has_ally and key.id in other.shared)
        ]

    def settle(self):
        """Lets everybody write, brings everything to every home, and lets all homes meet."""
        for view in self.honest():
            self.sign(view.machine, "accept", charter().id)
        for _ in range(3):
            for view in self.views.values():
                for device, log in self.logs.items():
                    view.learn(device, len(log))
            for giver in self.honest():
                for receiver in self.honest():
                    if giver is not receiver and giver.is_live():
                        giver.hand_to(receiver)

    def unread(self):
        """Returns the words that an honest home cannot read, though its device was never gone. Only
        words count whose key somebody honest holds who still belongs: nobody else is asked.
        """
        held = {key_id for view in self.honest() if view.is_live() for key_id in view.keys}
        return [
            (view.machine.owner.number, record.device.hex()[:6])
            for view in self.honest()
            if view.is_live() and self.ever_gone.isdisjoint(view.names)
            for record, key in self.words
            if view.authority.stands(record.device, record.seq)
            and key.id in held - view.keys.keys()
        ]
