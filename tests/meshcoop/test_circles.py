"""Circles: who is in them, who reads what, and that every order of records gives one picture."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from letters import letter, step
from neighbours import HOUR, Street, settle, street

from protocol.errors import Refused
from protocol.record import PRIVATE


def person(home):
    return home.me.person.hex()


def seen(home):
    """What a home shows of private threads, whole: views and why something does not count."""
    threads = {id(one): one for one in home.author.private.threads().values()}
    views = [view for one in threads.values() for view in one.views.values()]
    told = [
        (line.entry.id.hex(), line.refusal and line.refusal.rule)
        for one in threads.values()
        for line in one.history
    ]
    return sorted(map(repr, views)), sorted(told, key=repr)


def said(home):
    return [view["text"] for view in reversed(home.author.private.of_kind("message"))]


def members(home):
    """Who is in the only circle of which this home knows."""
    (view,) = home.author.private.of_kind("circle")
    return set(view["members"])


def people(*homes):
    return {home.me.person for home in homes}


def circle(ada, *others):
    return ada.post("circle", name="Knitters", members=[person(one) for one in others])


def test_who_is_in_a_circle_reads_it_and_nobody_else_knows_of_it():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        settle(ada, ben, cho)
        ben.post("message", knitters, text="at four")
        settle(ada, ben, cho)
        assert said(ada) == said(ben) == ["at four"]
        assert members(ada) == members(ben) == people(ada, ben)
        assert seen(cho) == ([], [])
        assert ada.state_hash() == ben.state_hash() == cho.state_hash()


def test_a_private_record_tells_who_and_when_and_nothing_else():
    with street(homes=4) as (ada, ben, cho, _):
        knitters = circle(ada, ben)
        records = [
            knitters,
            ada.post("message", knitters, text="hello"),
            ada.post("members", knitters, joins=[person(cho)]),
            ada.post("pact", parties=[person(ben)], text="water the roses"),
            ada.post("close", knitters, as_state="withdrawn"),
        ]
        assert {one.fields.audience for one in records} == {PRIVATE}
        assert all(one.fields.parents == [] for one in records)
        assert len({one.fields.size for one in records if one is not records[2]}) == 1
        for one in records:
            for word in (b"circle", b"message", b"Knitters", b"pact", ben.me.person, knitters.id):
                assert word not in one.content


def test_a_newcomer_reads_what_is_said_from_then_on_and_how_the_circle_came_about():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        ada.post("message", knitters, text="before")
        ada.post("members", knitters, joins=[person(cho)])
        ada.post("message", knitters, text="after")
        settle(ada, ben, cho)
        assert said(cho) == ["after"]
        assert said(ben) == ["before", "after"]
        assert members(cho) == members(ben) == people(ada, ben, cho)
        (view,) = cho.author.private.of_kind("circle")
        assert (view["id"], view["name"], view["author"]) == (
            knitters.id,
            "Knitters",
            ada.me.person,
        )


def test_who_was_let_go_reads_nothing_later_and_says_nothing_that_counts():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        cho.post("message", knitters, text="cho was here")
        settle(ada, ben, cho)
        ben.post("members", knitters, leaves=[person(cho)])
        settle(ada, ben, cho)
        later = ada.post("message", knitters, text="later")
        settle(ada, ben, cho)
        assert said(cho) == ["cho was here"]
        assert said(ada) == ["cho was here", "later"]
        assert cho.author.private.reads(later.id) is None
        with pytest.raises(Refused, match=r"not in this circle.*R-15\.7"):
            cho.post("message", knitters, text="and now?")
        everybody = (ada, ben, cho)
        word = letter(cho, everybody, "message", knitters, text="still here")
        back = letter(cho, everybody, "members", knitters, joins=[cho.me.person], after=[])
        named = [step(cho, knitters)]
        again = letter(cho, everybody, "members", knitters, joins=[cho.me.person], after=named)
        settle(ada, ben, cho)
        assert [told(ada, one) for one in (word, back, again)] == ["R-15.6", "R-15.5", None]
        assert members(ada) == people(ada, ben)  # the step that let Cho go knew nothing of it
        assert said(ben) == ["cho was here", "later"]


def told(home, one):
    thread = home.author.private.threads()[one.id]
    refusal = next(line.refusal for line in thread.history if line.entry.id == one.id)
    return refusal and refusal.rule


def test_concurrent_steps_both_hold_and_letting_go_prevails():
    with street(homes=5) as (ada, ben, cho, dia, eli):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        ada.post("members", knitters, leaves=[person(cho)])
        ben.post("members", knitters, joins=[person(dia)])
        cho.post("members", knitters, joins=[person(eli)])
        settle(ada, ben, cho, dia, eli)
        assert members(ada) == members(ben) == people(ada, ben, dia, eli)
        # Dia came by a step that did not know of Cho's end, and learns of it with the next word.
        assert cho.me.person in members(dia)
        ben.post("message", knitters, text="welcome")
        settle(ada, ben, cho, dia, eli)
        assert members(dia) == members(eli) == members(ada)
        private = dia.post("message", knitters, text="thank you")
        settle(ada, ben, cho, dia, eli)
        assert cho.author.private.reads(private.id) is None
        assert said(eli) == ["welcome", "thank you"]


def test_who_was_let_go_can_be_taken_in_again_and_leave():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        ada.post("members", knitters, leaves=[person(cho)])
        settle(ada, ben, cho)
        ben.post("members", knitters, joins=[person(cho)])
        settle(ada, ben, cho)
        assert members(cho) == members(ada) == people(ada, ben, cho)
        cho.post("close", knitters, as_state="withdrawn")
        settle(ada, ben, cho)
        assert members(ben) == people(ada, ben)
        for home in (ada, ben):
            home.post("close", knitters, as_state="withdrawn")
        settle(ada, ben, cho)
        assert [view["state"] for view in ada.author.private.of_kind("circle")] == ["ended"]


def test_software_says_what_would_change_nothing():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        for fields in ({}, {"joins": [person(ben)]}, {"leaves": [person(cho)]}):
            with pytest.raises(Refused, match=r"R-15\.7"):
                ada.post("members", knitters, **fields)
        settle(ada, ben, cho)
        for kind, fields in (("message", {"text": "x"}), ("close", {"as_state": "withdrawn"})):
            with pytest.raises(Refused, match=r"R-10\.5|R-03\.13"):
                cho.post(kind, knitters, **fields)
        offer = ada.post("offer", title="Bread")
        with pytest.raises(Refused, match=r"R-10\.5"):
            ada.post("message", offer, text="x")
        with pytest.raises(Refused, match=r"R-14\.2"):
            ada.post("close", knitters, as_state="ended")


def test_what_was_retracted_is_read_by_nobody_and_gone_from_memory():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        word = ada.post("message", knitters, text="oops")
        settle(ada, ben)
        assert said(ben) == ["oops"]
        ada.post("retract", word)
        settle(ada, ben)
        assert said(ada) == said(ben) == []
        assert ben.author.private.reads(word.id) is None
        assert ben.store.get(word.id).record.content is None


def test_a_home_that_starts_again_reads_the_same(tmp_path):
    with Street() as here:
        ada = here.found()
        ben = here.neighbour(ada)
        kept = here.home(ben, *ben.who, path=tmp_path / "store.db")
        kept.feed(ben.wires())
        knitters = circle(ada, ben)
        ada.post("message", knitters, text="hello")
        settle(ada, kept)
        before = seen(kept)
        kept.store.close()
        again = here.home(ben, *ben.who, path=tmp_path / "store.db")
        assert seen(again) == before
        assert said(again) == ["hello"]


def test_words_of_somebody_else_are_opened_some_at_a_time():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        for n in range(9):
            ada.post("message", knitters, text=str(n))
        ben.feed(ada.wires())
        private = ben.author.private
        assert [private.open(4) for _ in range(4)] == [True, True, False, False]
        assert said(ben) == [str(n) for n in range(9)]


def test_a_circle_of_32_with_a_long_message_fits_a_record():
    with Street() as here:
        ada = here.found(admissions_a_month=100, quota_records=1000, quota_bytes=2**30)
        others = [here.person() for _ in range(31)]
        for one in others:
            ada.welcome(one)
        full = ada.post("circle", name="All", members=[one.person.hex() for one in others])
        last = here.home(ada, others[-1])
        words = "\U0001f600" * 2000
        ada.post("message", full, text=words)
        last.feed(ada.wires())
        assert said(last) == [words]
        assert len(members(last)) == 32
        newcomer = here.person()
        ada.welcome(newcomer)
        with pytest.raises(Refused, match=r"at most 32 people.*R-15\.7"):
            ada.post("members", full, joins=[newcomer.person.hex()])


# Any order ---------------------------------------------------------------------------------------


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
