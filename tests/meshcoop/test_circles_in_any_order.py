"""Stories of circles and pacts: every order of records gives one picture to who can read the same."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from letters import circle, person, seen
from neighbours import HOUR, Street, settle

from protocol.errors import Refused
from protocol.record import PRIVATE


class Tale:
    """Homes that talk in circles, take each other in and let each other go, and meet at times."""

    def __init__(self, here, seed):
        self.dice = random.Random(seed)
        first = here.found(quota_records=1000)
        self.here = here
        self.homes = [first, *(here.neighbour(first) for _ in range(3))]
        settle(*self.homes)
        self.roots = [circle(first, self.homes[1])]
        self.pacts = []
        for one in self.homes:
            one.skew = self.dice.choice((0, 0, -HOUR, HOUR // 10))

    def play(self, steps):
        deeds = [self.talk, self.talk, self.take_in, self.let_go, self.leave, self.found]
        deeds += [self.pact, self.answer, self.retract, self.meet, self.meet, self.meet]
        for _ in range(steps):
            try:
                self.dice.choice(deeds)(self.dice.choice(self.homes))
            except Refused:
                continue

    def talk(self, home):
        home.post("message", self.dice.choice(self.roots), text=str(self.dice.random()))

    def take_in(self, home):
        joins = [person(self.dice.choice(self.homes))]
        home.post("members", self.dice.choice(self.roots), joins=joins)

    def let_go(self, home):
        leaves = [person(self.dice.choice(self.homes))]
        home.post("members", self.dice.choice(self.roots), leaves=leaves)

    def leave(self, home):
        home.post("close", self.dice.choice(self.roots), as_state="withdrawn")

    def found(self, home):
        self.roots.append(circle(home, self.dice.choice(self.homes)))

    def pact(self, home):
        parties = [person(one) for one in self.dice.sample(self.homes, 2)]
        self.pacts.append(home.post("pact", parties=parties, text="a promise"))

    def answer(self, home):
        pact = self.dice.choice(self.pacts or self.roots)
        if self.dice.random() < 0.7:
            home.post("accept", pact)
        else:
            word = self.dice.choice(("declined", "withdrawn", "ended"))
            home.post("close", pact, as_state=word)

    def retract(self, home):
        if self.dice.random() < 0.3:
            mine = [one for one in home.records() if one.fields.reach == PRIVATE]
            mine = [one for one in mine if one.fields.device == home.me.device]
            if mine:
                home.post("retract", self.dice.choice(mine))

    def meet(self, home):
        other = self.dice.choice(self.homes)
        if other is not home:
            other.feed(home.wires())


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(0, 2**32))
def test_any_order_and_any_double_gives_one_picture_to_all_who_can_read_the_same(seed):
    with Street(seed) as here:
        tale = Tale(here, seed)
        tale.play(50)
        here.clock += 24 * HOUR
        for one in tale.homes:
            one.skew = 0
            one.state.fold_due()
        settle(*tale.homes)
        assert len({home.state_hash() for home in tale.homes}) == 1
        for home in tale.homes:
            fresh = here.twin(home)
            mixed = home.wires() * 2
            for _ in range(4):
                tale.dice.shuffle(mixed)
                for at in range(0, len(mixed), 7):
                    fresh.feed(mixed[at : at + 7])
                    if tale.dice.random() < 0.2:
                        fresh.author.private.threads()
            assert fresh.ids() == home.ids()
            assert seen(fresh) == seen(home)
        same_where_both_read(tale.homes)


def same_where_both_read(homes):
    """Two homes that can open the same records of a thread show it alike."""
    for one in homes:
        for other in homes:
            mine, theirs = one.author.private.threads(), other.author.private.threads()
            for record_id in mine.keys() & theirs.keys():
                if mine[record_id].entries.keys() == theirs[record_id].entries.keys():
                    assert mine[record_id].views == theirs[record_id].views
