"""Random stories of a street: in every order of records, all homes end with equal stores and equal
state.
"""

import random

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from meshcoop.author.automatic import Countersigner
from meshcoop.fold import thread_fold
from meshcoop.ingest import backlog, inbox, quota
from protocol.authority.epochs import find_readers
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record.key_bundle import MAX_KEYS_GIVEN
from tests.meshcoop.ingest.test_backlog import backlog_of
from tests.support.street_in_memory import (
    HOUR,
    Home,
    Line,
    Street,
    exchange,
    give_keys,
    settle,
    street,
)

WORDS = "quincunx xylophagous"


class Tale:
    """A street whose people act at random. `seed` decides everything."""

    def __init__(self, here, seed, *, faults):
        self.dice = random.Random(seed)
        self.here = here
        first = here.found(quota_records=40)
        self.homes = [first] + [here.neighbour(first) for _ in range(self.dice.randint(2, 4))]
        settle(*self.homes)
        exchange(*self.dice.sample(self.homes, 2))
        settle(*self.homes)
        self.faults = faults
        self.twins = []
        for one in self.homes:
            one.skew = self.dice.choice((0, 0, 0, 0, 0, 0, -HOUR, 20 * 60_000))

    def play(self, steps):
        deeds = [self.respond, self.receipt, self.confirm, self.close, self.retract]
        deeds += [self.thank] + 2 * [self.counter, self.correct] + 3 * [self.confirm_correction]
        deeds += 2 * [self.countersign]
        deeds += 12 * [self.go_on] + 12 * [self.meet]
        if self.faults:
            deeds = 2 * deeds + [self.fork, self.flood, self.revoke, self.strip]
        for _ in range(steps):
            try:
                self.dice.choice(deeds)(self.dice.choice(self.homes + self.twins))
            except Refused:
                continue

    def pick(self, home, kind, *, state=None, mine=None, theirs=False):
        """Returns a random record of this kind in this state.

        `mine` says whether the record must answer a record by the person of this home. If `theirs`
        is true, the record must be by somebody else. One call in five ignores `state`, `mine` and
        `theirs`.
        """
        views = home.state.views.of_kind(KINDS[kind].view_type)
        if self.dice.random() < 0.8:  # the rest are tries that an author's software refuses
            views = [one for one in views if state in {None, one.state}]
            views = [one for one in views if mine in {None, self._mine(home, one)}]
            views = [one for one in views if not theirs or one.author != home.me.person]
        if not views:
            raise Refused("none", "nothing of the kind")
        return home.store.records.find(self.dice.choice(views).id).record

    def _mine(self, home, view):
        about = home.state.views.find(view.about)
        return about is not None and about.author == home.me.person

    def intent(self, home):
        kind = self.dice.choice(("offer", "request"))
        repeats = self.dice.choice(({}, {"repeats": "FREQ=DAILY"}, {"places": "2"}))
        home.post(kind, title="something", minutes=str(self.dice.randint(5, 90)), **repeats)

    def go_on(self, home):
        """Takes one step in an exchange: the latest of all steps that this home may take now.

        The home first tries a confirm, then a receipt, then an agreement, then a response. If it
        may take none of these steps, it posts a new offer or request.
        """
        for step in (self.confirm, self.receipt, self.agree, self.respond):
            try:
                return step(home)
            except Refused:
                continue
        return self.intent(home)

    def respond(self, home):
        kind = self.dice.choice(("offer", "request"))
        home.post("response", self.pick(home, kind, state="open", theirs=True), text=WORDS)

    def agree(self, home):
        home.post("agreement", self.pick(home, "response", state="waiting", theirs=True))

    def receipt(self, home):
        home.post("receipt", self.pick(home, "agreement", state="agreed"), note=WORDS)

    def confirm(self, home):
        home.post("confirm", self.pick(home, "receipt", state="proposed", theirs=True))

    def counter(self, home):
        about = self.pick(home, "response", state="waiting", theirs=True)
        home.post("response", about, minutes=str(self.dice.randint(5, 90)), text=WORDS)

    def correct(self, home):
        minutes = str(self.dice.randint(0, 90))
        home.post("correction", self.pick(home, "receipt", state="confirmed"), minutes=minutes)

    def confirm_correction(self, home):
        home.post("confirm", self.pick(home, "correction", state="proposed", theirs=True))

    def thank(self, home):
        other = self.dice.choice(self.homes).me.person
        home.post("thanks", person=other.hex(), minutes=str(self.dice.randint(0, 90)))

    def countersign(self, home):
        Countersigner(home.author).run()

    def close(self, home):
        kinds = ("offer", "request", "response", "agreement", "receipt", "correction")
        kind = self.dice.choice(kinds)
        word = self.dice.choice(("withdrawn", "declined", "cancelled", "disputed"))
        home.post("close", self.pick(home, kind), as_state=word)

    def retract(self, home):
        kind = self.dice.choice(("offer", "request", "response", "thanks"))
        home.post("retract", self.pick(home, kind))

    def meet(self, home):
        other = self.dice.choice(self.homes)
        wires = home.wires()
        self.dice.shuffle(wires)
        if other is home:
            return
        cut = len(wires) if self.dice.random() < 0.6 else self.dice.randint(0, len(wires))
        other.feed(wires[:cut])

    def fork(self, home):
        """Lets an old copy of a home post on its own, so that the log forks. Never copies the
        founder's home.
        """
        if home is not self.homes[0] and len(self.twins) < 2:
            twin = self.here.twin(home)
            last = self.dice.randint(max(0, home.head.seq - 4), home.head.seq)
            mine = home.me.device
            twin.feed(
                one.wire
                for one in home.records()
                if one.header.device != mine or one.header.seq <= last
            )
            self.twins.append(twin)
            home.post("request", title="here")
            twin.post("request", title="and there")

    def flood(self, home):
        if home is not self.homes[0]:
            for n in range(self.dice.randint(1, 90)):
                home.take(home.forge("offer", title=f"spam {n}"))

    def revoke(self, home):
        if home is not self.homes[0]:
            after = self.dice.randint(0, home.head.seq)
            self.homes[0].write("device", statement=home.revocation(after))

    def strip(self, home):
        """Passes a record to another home without its content, as a bad peer might."""
        other = self.dice.choice(self.homes)
        if home.records():
            other.take(self.dice.choice(home.records())._replace(content=None))

    def end(self):
        everybody = self.homes + self.twins
        self.here.clock += 24 * HOUR
        for one in everybody:
            one.skew = 0
            one.state.fold_due()
        settle(*everybody)
        return everybody


def assert_same(homes):
    """Checks that the homes have equal stores, and equal state once they hold the same keys.

    By R-03.39b, a device that is no longer live gets no newer key. It alone may lack one. To check
    that its fold differs in nothing else, the test hands it the keys that no home may give to it.
    """
    give_keys(*homes)
    keys = {key.id: key for home in homes for key in home.state.ring.all()}
    for one in homes:
        lacks = one.state.epochs.missing(MAX_KEYS_GIVEN)
        if lacks:
            readers = find_readers(one.state.authority, one.store.logs.writers())
            assert one.me.device not in readers
            one.inbox.hold_keys(keys[key_id] for key_id in lacks)
    first, *others = homes
    for one in others:
        assert one.ids() == first.ids()
        assert one.state_hash() == first.state_hash()
        assert one.balances() == first.balances()
    assert sum(first.balances().values()) == 0


def fresh(tale, wires):
    """Makes a new home that gets all records twice, in any order and in pieces."""
    home = tale.here.twin(tale.homes[0])
    mixed = wires + wires
    before = None
    while before != (before := (home.ids(), len(home.inbox.pool))):
        tale.dice.shuffle(mixed)
        cut = tale.dice.randint(1, 40)
        for at in range(0, len(mixed), cut):
            home.feed(mixed[at : at + cut])
    return home


@settings(deadline=None, max_examples=3, derandomize=True)
@given(st.integers(0, 2**32))
def test_an_honest_street_converges_and_equals_its_rebuild(seed):
    check_honest_street(seed)


@pytest.mark.long
@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.integers(0, 2**32))
def test_many_honest_streets_converge_and_equal_their_rebuilds(seed):
    check_honest_street(seed)


def check_honest_street(seed):
    with Street(seed) as here:
        tale = Tale(here, seed, faults=False)
        tale.play(60)
        homes = tale.end()
        homes.append(fresh(tale, homes[1].wires()))
        assert_same(homes)
        before = homes[0].state_hash()
        homes[0].state.rebuild()
        assert homes[0].state_hash() == before


@settings(deadline=None, max_examples=5, derandomize=True)
@given(st.integers(0, 2**32))
def test_a_street_with_forks_floods_and_lost_devices_converges(seed):
    check_street_with_faults(seed)


@pytest.mark.long
@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.integers(0, 2**32))
def test_many_streets_with_forks_floods_and_lost_devices_converge(seed):
    check_street_with_faults(seed)


def check_street_with_faults(seed):
    with Street(seed) as here:
        tale = Tale(here, seed, faults=True)
        tale.play(70)
        homes = tale.end()
        homes.append(fresh(tale, homes[-1].wires()))
        settle(homes[0], homes[-1])
        assert_same(homes)
        before = homes[0].state_hash(), homes[0].balances()
        homes[0].state.rebuild()
        assert (homes[0].state_hash(), homes[0].balances()) == before


@pytest.fixture
def tiny_steps(monkeypatch):
    """Lets homes do very little in one step, so that a short story takes many steps."""
    for module, name in (
        *((module, "MAX_RECORDS") for module in (thread_fold, backlog)),
        *((inbox, name) for name in ("_MOST_PLACED", "_MOST_DELETED", "_MOST_MOVED")),
        (quota, "_AT_ONCE"),
    ):
        monkeypatch.setattr(module, name, 3)


async def fed_in_steps(tale, wires):
    """Makes a new home that works in steps, as a node does. It gets all records in any order, and
    more of them before it has finished with the earlier ones.
    """
    home = tale.here.twin(tale.homes[0])
    mixed = wires + wires
    async with backlog_of(home) as running:
        before = None
        while before != (before := (home.ids(), len(home.inbox.pool))):
            tale.dice.shuffle(mixed)
            cut = tale.dice.randint(1, 40)
            for at in range(0, len(mixed), cut):
                home.feed(mixed[at : at + cut])
                for _ in range(tale.dice.randint(0, 4)):
                    await trio.lowlevel.checkpoint()
            await running.settle()
        assert running.is_empty
    return home


async def check_street_in_steps(seed):
    with Street(seed) as here:
        tale = Tale(here, seed, faults=True)
        tale.play(60)
        homes = tale.end()
        homes.append(await fed_in_steps(tale, homes[-1].wires()))
        settle(homes[0], homes[-1])
        assert_same(homes)


@pytest.mark.parametrize("seed", range(2))
async def test_a_home_that_works_in_steps_ends_as_all_others(seed, tiny_steps):
    await check_street_in_steps(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 200))
async def test_homes_that_work_in_steps_end_as_all_others(seed, tiny_steps):
    await check_street_in_steps(seed)


@settings(deadline=None, max_examples=2, derandomize=True)
@given(st.integers(0, 2**32))
def test_private_words_of_a_story_are_in_no_shared_table(seed):
    with Street(seed) as here:
        tale = Tale(here, seed, faults=True)
        tale.play(60)
        for home in tale.end():
            for (body,) in home.store.db.execute("SELECT body FROM views"):
                assert b"quincunx" not in body
            for table in ("credits", "records"):
                for row in home.store.db.execute(f"SELECT * FROM {table}"):
                    assert "quincunx" not in repr(row)
            home.store.db.execute(
                "CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search, row)"
            )
            terms = {row[0] for row in home.store.db.execute("SELECT term FROM temp.terms")}
            assert terms
            assert "quincunx" not in terms
            assert home.state.views.search("quincunx") == []


@settings(deadline=None, max_examples=5, derandomize=True)
@given(st.integers(0, 2**32))
def test_homes_that_only_sync_converge(seed):
    with Street(seed) as here:
        tale = Tale(here, seed, faults=True)
        tale.play(50)
        here.clock += 24 * HOUR
        everybody = tale.homes + tale.twins
        for one in everybody:
            one.skew = 0
            one.state.fold_due()
        dice = random.Random(seed)
        for _ in range(3):
            for one in everybody:
                for other in everybody:
                    if one is not other:
                        line = Line(one, other, dice=dice)
                        line.rounds()
                        line.fetch()
        assert_same(everybody)


# Sync sessions between two stores ----------------------------------------------------------------


PIECES = {"whole": None, "byte by byte": 1, "in pieces": 700}


@pytest.mark.parametrize("largest", PIECES.values(), ids=PIECES)
def test_missing_records_go_both_ways_whatever_the_pieces(largest):
    with street() as (ada, ben):
        for n in range(20):
            ada.post("offer", title=f"offer {n}")
            ben.post("request", title=f"request {n}", text="x" * 500)
        dice = random.Random(5) if largest else None
        line = Line(ada, ben, dice=dice, largest=largest)
        assert line.rounds() == 2
        assert line.wires == [20, 20]
        assert ada.ids() == ben.ids()
        assert ada.state_hash() == ben.state_hash()


def test_equal_stores_settle_in_one_round_trip_and_200_bytes():
    with street() as (ada, ben):
        exchange(ada, ben)
        line = Line(ada, ben)
        line.begin(0)
        line.flow()
        assert line.settled == [[True], [True]]
        assert line.turns <= 2
        assert sum(line.sent) <= 200


def test_both_may_begin_at_once():
    with street() as (ada, ben):
        line = Line(ada, ben)
        line.begin(0, 1)
        line.flow()
        assert line.settled == [[True], [True]]
        ada.post("offer", title="Bread")
        ben.post("offer", title="Milk")
        line.begin(0, 1)
        line.flow()
        assert line.settled == [[True, False], [True, False]]
        assert ada.ids() == ben.ids()
        line.begin(1, 0)
        line.flow()
        assert line.settled[0][-1]
        assert line.settled[1][-1]


def test_many_records_flow_through_a_small_window():
    with street(quota_records=100_000, quota_bytes=2**40) as (ada, ben):
        for n in range(120):
            ada.post("profile", name=str(n), about="\U0001f600" * 1000, area="\U0001f600" * 60)
            ada.post("offer", title=str(n), text="\U0001f600" * 2000)
        line = Line(ada, ben, dice=random.Random(9), largest=9000)
        assert line.rounds() == 2
        assert sum(line.sent) > 2 * 512 * 1024
        assert ada.ids() == ben.ids()


def test_wire_bytes_of_a_cold_sync_are_the_records_and_little_else():
    with street(quota_records=10_000) as (ada, _):
        for n in range(300):
            ada.post("offer", title=f"offer {n}")
        fresh_home = ada.street.twin(ada)
        fresh_home.feed(ada.wires()[:1])
        line = Line(ada, fresh_home, batch=200)
        line.rounds()
        assert fresh_home.ids() == ada.ids()
        assert sum(line.sent) <= 1.05 * sum(map(len, ada.wires()))


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (3, 3), (1, 4), (4, 1), (2, 40)])
def test_a_forked_log_is_found_and_both_keep_the_same_of_it(ours, theirs):
    with street(homes=3) as (ada, ben, cho):
        twin = ben.street.twin(ben)
        twin.feed(ben.wires())
        for n in range(ours):
            ben.post("offer", title=f"here {n}")
        for n in range(theirs):
            twin.post("offer", title=f"there {n}")
        ada.feed(ben.wires())
        cho.feed(twin.wires())
        line = Line(ada, cho)
        assert line.rounds() <= 4
        assert ada.ids() == cho.ids()
        assert ada.state_hash() == cho.state_hash()
        assert ada.store.logs.find(ben.me.device).fork == 1
        assert Line(ada, cho).rounds() == 1


def test_three_branches_at_three_homes_end_as_one_fork():
    with street(homes=4) as (ada, ben, cho, dia):
        base = ben.wires()
        for home in (ada, cho, dia):
            twin = ben.street.twin(ben)
            twin.feed(base)
            for n in range(home.street.dice.randint(1, 3)):
                twin.post("offer", title=f"branch {n}")
            home.feed(twin.wires())
        for _ in range(2):
            for one, other in ((ada, cho), (cho, dia), (dia, ada)):
                Line(one, other).rounds()
        assert ada.ids() == cho.ids() == dia.ids()
        assert ada.state_hash() == cho.state_hash() == dia.state_hash()


def test_ten_thousand_branches_leave_two_records():
    with street() as (ada, ben):
        head = ben.head
        records = [
            ben.forge("offer", title=f"branch {n}", seq=head.seq + 1, prev=head.id)
            for n in range(1000)
        ]
        before = len(ada.ids())
        for at in range(0, len(records), 100):
            ada.take(*records[at : at + 100])
        assert len(ada.ids()) == before + 2
        kept = [one.id for one in records if ada.store.records.has(one.id)]
        assert sorted(kept) == sorted(one.id for one in records)[:2]


def test_content_missing_at_one_home_comes_from_another():
    with street() as (ada, ben):
        offers = [ada.post("offer", title=f"offer {n}") for n in range(5)]
        ben.take(*(one._replace(content=None) for one in offers))
        line = Line(ada, ben)
        line.rounds()
        line.fetch()
        assert ben.absent() == []
        assert ben.state_hash() == ada.state_hash()


def test_a_home_is_not_disturbed_by_one_that_lacks_its_key():
    with Street() as here:
        ada = here.found()
        ada.post("offer", title="Bread")
        carrier = here.home(ada, here.person())
        carrier.feed(ada.wires())
        ben = here.neighbour(ada)
        assert isinstance(carrier, Home)
        other = here.twin(ada)
        other.feed(ada.wires()[:1])
        line = Line(carrier, other)
        line.rounds()
        assert other.ids() == carrier.ids()
        assert ben.store.records.count() > carrier.store.records.count()
