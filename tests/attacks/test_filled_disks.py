"""What one member, or one device that was idle, can make another home store (R-03.15, R-03.19d)."""

from meshcoop.author.founding import Identity
from protocol.authority.admission import MAX_KNOWN_DEVICES
from protocol.record.envelope import DAY_MS
from tests.support.street_in_memory import HOUR, Street, settle, street

DAY = 24 * HOUR


def stored_bytes(home, devices):
    return sum(
        len(one.wire) for device in devices for one in home.store.records.of_log(device, 1, 100_000)
    )


def claim_every_day(home, taker, days, size=0):
    """Writes as much as the taker stores, with a claimed day for each of `days`. Keeps the times in
    order. Returns how many records the taker has of this home's device.
    """
    for day in days:
        for _ in range(25):  # the quota is ten records
            time = max(day * DAY_MS, home.head.time)
            one = home.forge("offer", title="x", text="y" * size, time=time)
            if not home.take(one).stored:
                break
    taker.feed(home.wires())
    return len(taker.store.records.of_log(home.me.device, 1, 100_000))


def test_a_newcomer_fills_only_the_days_of_their_membership():
    """Attacker: a member who joined today. Asset: everybody's disk (R-03.15k)."""
    with Street() as here:
        ada = here.found(quota_records=10)
        here.clock += 1000 * DAY
        ben = here.neighbour(ada)
        today = here.clock // DAY_MS
        stored = claim_every_day(ben, ada, range(today - 30, today))
        assert stored == 2 * 10 + 1  # all these days share one quota, and there the log ends


def test_an_idle_device_fills_only_the_days_since_its_owner_belongs():
    """Attacker: a thief of an old device. Asset: everybody's disk (R-03.15k)."""
    with street(quota_records=10, quota_bytes=16_384) as (ada, ben):
        days = 12
        ben.street.clock += days * DAY
        today = ben.street.clock // DAY_MS
        stored = claim_ten_a_day(ben, ada, range(today - 2 * days, today + 2), size=1500)
        # One day for all before, then each day until tomorrow.
        assert stored <= (days + 2) * 10
        bound = (days + 2) * (2 * 16_384 + (2 * 10 + 1) * 600 + 16_384)
        assert stored_bytes(ada, [ben.me.device]) <= bound


def claim_ten_a_day(home, taker, days, size):
    for day in days:
        for _ in range(10):
            time = max(day * DAY_MS, home.head.time)
            home.take(home.forge("offer", title="x", text="y" * size, time=time))
    taker.feed(home.wires())
    return len(taker.store.records.of_log(home.me.device, 1, 100_000))


def test_of_a_person_32_devices_are_stored_and_the_same_everywhere():
    """Attacker: a member with the root key. Asset: everybody's disk (R-03.19d)."""
    with street() as (ada, ben):
        firsts = []
        for n in range(MAX_KNOWN_DEVICES + 8):
            extra = Identity.of(ben.me.root_seed, ben.street.dice.randbytes, ben.street.place)
            phone = ben.street.home(ben, extra)
            phone.feed(ben.wires())
            time = ada.now() - n * HOUR // 10  # the later ones claim to be the earlier ones
            firsts.append(phone.forge("device", statement=extra.statement, time=time))
        dice = ada.street.dice
        orders = [firsts, firsts[::-1]]
        orders += [sorted(firsts, key=lambda _: dice.random()) for _ in range(3)]
        homes = []
        for order in orders:
            home = ada.street.home(ada, *ada.who)
            home.feed(ada.wires())
            for first in order:
                home.take(first)
            homes.append(home)
        ids = {tuple(home.ids()) for home in homes}
        assert len(ids) == 1
        authority = homes[0].state.authority
        owned = [device for device, who in authority.owners.items() if who == ben.me.person]
        assert len(owned) == MAX_KNOWN_DEVICES
        assert len([d for d in owned if authority.is_live(d)]) == 4
        settle(*homes)


def test_the_days_are_counted_alike_however_a_certificate_comes():
    """R-03.15k: a device that brings itself, and one that another log certifies, end alike."""
    with Street() as here:
        ada = here.found(quota_records=10)
        here.clock += 100 * DAY
        ben = here.neighbour(ada)
        extra = Identity.of(ben.me.root_seed, here.dice.randbytes, here.place)
        phone = here.home(ben, extra, ben.me)
        phone.feed(ben.wires())
        old = here.clock - 50 * DAY
        phone.put(phone.forge("device", statement=extra.statement, time=old))
        for n in range(40):
            phone.take(phone.forge("offer", title="x", time=old + n * DAY))
        carried = ben.write("device", statement=extra.statement)
        homes = []
        for first, second in ((phone.wires(), [carried.wire]), ([carried.wire], phone.wires())):
            home = here.home(ada, *ada.who)
            home.feed([*ada.wires(), *ben.wires()[:1]])
            home.feed(first)
            home.feed(second)
            homes.append(home)
        settle(*homes, ben)
        assert homes[0].ids() == homes[1].ids()
        ends = {home.store.logs.find(extra.device).ended for home in homes}
        assert len(ends) == 1
