"""The store is a join: the same records, in any order and by any route, give one store and one
authority, also after removals, restores, forks, revocations and late records.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshcoop.author.founding import Identity
from protocol.errors import Refused
from protocol.wire.have_map import digest_heads
from tests.support.council import by_software, propose, renew, vote
from tests.support.street_in_memory import HOUR, settle, street


class Feud:
    """A street whose council expels people and takes them back. The expelled people go on writing,
    with old devices, new devices and copies. `seed` decides everything.
    """

    def __init__(self, homes, seed):
        self.dice = random.Random(seed)
        self.honest = homes[:4]  # two thirds of the roll; three of them are the council
        self.hostile = homes[4:]
        self.copies = []
        self.asked = []
        self.said = {}
        by_software(*homes)
        moderators = sorted(home.me.person for home in homes[:3])
        renewal = renew(homes[0].author, moderators=moderators)
        settle(*homes)
        vote(renewal, homes[1:4], homes)
        by_software(*homes)
        self.note()

    def note(self):
        """Remembers everything that any home holds now, also if the home lets go of it later."""
        for home in [*self.honest, *self.hostile, *self.copies]:
            self.said |= dict.fromkeys(home.wires())

    def play(self, steps):
        deeds = 2 * [self.expel, self.write_down]
        deeds += [self.restore, self.fork, self.revoke, self.new_device]
        deeds += 3 * [self.scribble] + 2 * [self.answer, self.vote] + 2 * [self.meet]
        for _ in range(steps):
            try:
                self.dice.choice(deeds)()
            except (Refused, AssertionError, AttributeError):
                continue  # a home whose person is out, or that has no key that fits, posts nothing
            finally:
                self.note()

    def attacker(self):
        return self.dice.choice(self.hostile + self.copies)

    def expel(self):
        target = self.dice.choice(self.hostile).me.person.hex()
        for home in self.dice.sample(self.honest[:3], 2):
            home.post("remove", person=target)

    def write_down(self):
        settle(*self.honest)
        renewal = renew(self.honest[0].author)
        settle(*self.honest)
        vote(renewal, self.honest[1:], self.honest)
        by_software(*self.honest)

    def restore(self):
        settle(*self.honest)
        target = self.dice.choice(self.hostile).me.person
        back = propose(self.honest[0], f"restore {target.hex()}")
        self.asked.append(back)
        settle(*self.honest)
        vote(back, self.honest, self.honest)

    def fork(self):
        home = self.dice.choice(self.hostile)
        last = self.dice.randint(max(1, home.head.seq - 4), home.head.seq)
        twin = home.street.twin(home)
        twin.feed(
            one.wire
            for one in home.records()
            if one.header.device != home.me.device or one.header.seq <= last
        )
        self.copies.append(twin)
        twin.put(twin.forge("offer", title="another past"))

    def revoke(self):
        home = self.dice.choice(self.hostile)
        statement = home.revocation(self.dice.randint(1, home.head.seq))
        self.dice.choice(self.honest).write("device", statement=statement)

    def new_device(self):
        home = self.dice.choice(self.hostile)
        extra = Identity.of(home.me.root_seed, self.dice.randbytes, home.street.place)
        phone = home.street.home(home, extra, home.me)
        phone.feed(home.wires())
        phone.put(phone.forge("device", statement=extra.statement))
        self.copies.append(phone)

    def scribble(self):
        home = self.attacker()
        early = self.dice.choice((0, 0, 0, HOUR))
        time = max(home.head.time, home.now() - early)
        home.put(home.forge("offer", title="still here", time=time))

    def answer(self):
        home = self.dice.choice(self.honest)
        about = self.dice.choice(self.attacker().records())
        home.put(home.forge("flag", about, why="look"))

    def vote(self):
        home = self.attacker()
        rule = propose(self.honest[0], "charter answer_days=5")
        self.asked.append(rule)
        home.feed(self.honest[0].wires())
        home.put(home.forge("vote", self.dice.choice(self.asked), choice="yes"))

    def meet(self):
        one, other = self.dice.sample([*self.honest, *self.hostile, *self.copies], 2)
        wires = one.wires()
        self.dice.shuffle(wires)
        other.feed(wires[: self.dice.randint(0, len(wires))])


def check(seed, steps):
    """Gives everything that was ever said to fresh homes, each in an order of its own, until their
    stores rest. All end with one store, one authority and equal views.
    """
    with street(seed=seed, homes=6) as homes:
        feud = Feud(homes, seed)
        feud.play(steps)
        said = list(feud.said)
        results = []
        for _ in range(3):
            home = homes[0].street.home(homes[0], *homes[0].who)
            before = None
            while before != (before := home.ids()):
                feud.dice.shuffle(said)
                size = feud.dice.choice((1, 7, len(said)))
                for start in range(0, len(said), size):
                    home.feed(said[start : start + size])
            results.append(home)
        first, *others = results
        for home in others:
            assert home.ids() == first.ids()
            assert digest_heads(home.store.heads()) == digest_heads(first.store.heads())
            assert set(home.state.authority.members) == set(first.state.authority.members)
            assert home.state.authority.registers == first.state.authority.registers
            assert home.state_hash() == first.state_hash()
        # Homes that only meet each other, and have let go of much already, come to the same.
        settle(*feud.honest)
        assert len({home.state_hash() for home in feud.honest}) == 1


@settings(max_examples=1, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_any_order_and_any_route_give_one_store(seed):
    """Attacker: expelled people. Asset: that all homes hold and count the same (R-03.35)."""
    check(seed, 25)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(300))
def test_any_order_and_any_route_give_one_store_in_many_feuds(seed):
    """Attacker: expelled people. Asset: that all homes hold and count the same (R-03.35)."""
    check(seed, 40)
