"""A claimed time proves nothing: what somebody gains by claiming an early or a late one."""

from meshcoop.author.founding import Identity
from meshcoop.fold.clock_limit import STORED_AHEAD_MS
from meshcoop.ingest import waiting_pool
from protocol.record.root_statement import certify_device
from protocol.record.sealing import device_box_key
from tests.support.street_in_memory import HOUR, Street, exchange, settle, street

DAY = 24 * HOUR


def flood_of_days(home, count):
    """Signs one record for each of the next `count` days. Each day has a quota of its own."""
    start = home.now()
    for day in range(count):
        home.skew = start + day * DAY - home.street.clock
        home.put(home.forge("offer", title=f"day {day}"))
    home.skew = 0


def test_a_member_who_claims_future_days_fills_no_store():
    """Attacker: a member. Asset: the room on everybody's disk (R-03.18)."""
    with street(homes=3) as (ada, ben, cho):
        before = ben.head.seq
        flood_of_days(ben, 40)
        for home in (ada, cho):
            home.feed(ben.wires())
            assert home.store.logs.find(ben.me.device).head.seq == before + 2  # today, tomorrow
            assert len(home.inbox.pool) == 38


def test_what_waits_for_its_time_is_bounded_and_comes_in_when_due():
    """Attacker: a member. Asset: memory, and what others wrote (R-03.18)."""
    with street(homes=3, quota_records=10) as (ada, ben, cho):
        flood_of_days(ben, 5)
        wanted = cho.post("request", title="a ladder")
        settle(ada, ben, cho)
        assert ada.store.records.has(wanted.id)
        assert len(ada.inbox.pool) <= waiting_pool.MAX_RECORDS

        ada.street.clock += 5 * DAY
        assert ada.state.clock_limit.take_awaited()
        ada.inbox.ingest([])
        assert ada.ids() == ben.ids()
        assert len(ada.inbox.pool) == 0


def test_what_waits_for_its_time_asks_for_no_round_of_sync():
    """Attacker: a member. Asset: everybody's line. A round would bring the same records again."""
    with street() as (ada, ben):
        late = ben.forge("offer", title="late", time=ben.now() + STORED_AHEAD_MS + HOUR)
        taken = ada.take(late)
        assert taken.stored == []
        assert taken.refused == []
        assert taken.devices_with_gaps == set()


def test_a_removed_members_device_passes_to_no_ally():
    """Attackers: an expelled member and an ally. Asset: who belongs (R-03.5e). The ally's record
    claims a time before anybody vouched for the expelled member.
    """
    with Street() as here:
        ada = here.found(vouchers=1)
        ally = here.neighbour(ada)
        settle(ada, ally)
        ally.post("profile", name="ally")
        early = ally.head.time
        mal = here.neighbour(ada)
        mal.post("offer", title="bread")
        spam = mal.forge("offer", title="still here")
        settle(ada, ally, mal)
        change = ["standing", mal.me.person, 1, [[mal.me.device, 0]]]
        proposal = ada.write("proposal", title="out", change=change, newcomers=[])
        ada.write("vote", proposal, choice="yes")
        box = device_box_key(mal.me.device_seed).public
        shared = certify_device(ally.me.root_seed, mal.me.device_seed, box, here.place)
        ally.put(ally.forge("device", statement=shared, time=early))
        mal.put(spam)
        settle(ada, ally, mal)
        assert not ada.state.authority.is_live(mal.me.device)
        assert ada.view(spam) is None
        assert ada.ids() == ally.ids()


def test_who_joined_today_dates_nothing_before_that_day():
    """Attacker: a member. Asset: everybody's history (R-03.9a)."""
    with Street() as here:
        ada = here.found()
        here.clock += 100 * DAY
        ben = here.neighbour(ada)
        old = ben.put(ben.forge("request", title="long ago", time=ben.now() - 60 * DAY))
        new = ben.put(ben.forge("request", title="now"))
        settle(ada, ben)
        assert ada.told(old) == "R-03.9a"
        assert ada.view(old) is None
        assert ada.told(new) is None


def test_a_founder_dates_nothing_before_the_charter():
    """Attacker: a founder. Asset: everybody's history (R-03.9a)."""
    with street() as (ada, ben):
        founded = ada.records()[0].header.time
        phone = another_device(ada)
        old = phone.put(phone.forge("request", title="before", time=founded - 1))
        ben.feed(phone.wires())
        assert ben.told(old) == "R-03.9a"


def test_a_second_device_dates_nothing_before_what_it_is_about():
    """Attacker: a member with a second device. Asset: the order of what people did (R-03.9b)."""
    with street() as (ada, ben):
        phone = another_device(ben)
        offer = ada.post("offer", title="bread")
        settle(ada, ben, phone)
        early = phone.forge("response", offer, time=offer.header.time - 1)
        phone.put(early)
        ada.feed(phone.wires())
        assert ada.told(early) == "R-03.9b"
        in_time = phone.put(phone.forge("response", offer, time=offer.header.time))
        ada.feed(phone.wires())
        assert ada.told(in_time) is None


def test_a_backdated_retraction_erases_nothing():
    """Attacker: a member with a second device. Asset: words that others hold (R-03.9b)."""
    with street() as (ada, ben):
        phone = another_device(ben)
        offer = ben.post("offer", title="bread")
        settle(ada, ben, phone)
        phone.put(phone.forge("retract", offer, time=offer.header.time - 1))
        settle(ada, ben, phone)
        assert ada.store.records.find(offer.id).record.content is not None
        assert ada.view(offer).state == "open"


def test_a_backdated_confirm_countersigns_nothing():
    """Attacker: an ally with a second device. Asset: what a fork has taken back (R-03.12a)."""
    with street() as (ada, ben):
        *_, receipt, _ = exchange(ada, ben)
        phone = another_device(ben)
        settle(ada, ben, phone)
        early = phone.forge("confirm", receipt, time=receipt.header.time - 1)
        phone.put(early)
        settle(ada, ben, phone)
        assert ada.told(early) == "R-03.9b"


def test_software_answers_a_home_whose_clock_is_a_little_ahead():
    """R-01.13a: what honest homes write is never too early."""
    with street() as (ada, ben):
        ada.skew = 9 * 60_000
        offer = ada.post("offer", title="bread")
        settle(ada, ben)
        answer = ben.post("response", offer, text="yes")
        settle(ada, ben)
        assert answer.header.time >= offer.header.time
        assert ada.told(answer) is None


def another_device(home):
    """Makes another device of this home's person, on a machine that has the keys of both."""
    extra = Identity.of(home.me.root_seed, home.street.dice.randbytes, home.street.place)
    home.write("device", statement=extra.statement)
    phone = home.street.home(home, extra, home.me)
    phone.feed(home.wires())
    return phone
