"""A person's address sent from home to home: late, refused, taken back and forgotten
(specs/18-addresses.md).
"""

from collections.abc import Awaitable, Callable

import pytest
import trio

from protocol.errors import Refused
from protocol.kinds.exchange.exchange import Agreement
from protocol.record import sealing as seal
from protocol.wire import address_gift as giving
from tests.support.council import renew
from tests.support.simulated_addresses import NAMES, TEXT, WAIT, give, held, living, on_disk, read
from tests.support.simulated_street import Home, Simulate, Street


async def at_once(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, *others = street.homes.values()
        before = street.events
        given = give(ada, ben, agreement)
        assert ada.giving is not None
        assert await ada.giving.wait_until_handed(given, 5)
        assert read(ben, agreement, ada) == read(ada, agreement, ada) == TEXT
        await street.settle()
        assert street.events == before  # giving an address makes no record
        for home in (ada, ben):
            assert given.gift.sealed in on_disk(home)
            assert TEXT.encode() not in on_disk(home)
        for home in others:
            assert held(home, agreement, ada) is None
            assert given.gift.sealed not in on_disk(home)


def test_it_goes_to_the_other_party_at_once_and_to_nobody_else(simulate: Simulate) -> None:
    simulate(4, at_once, NAMES)


async def late(street: Street) -> None:
    async with living(street) as agreement, trio.open_nursery() as nursery:
        ada, ben, *_ = street.homes.values()
        await ben.kill()
        given = give(ada, ben, agreement)
        assert ada.giving is not None
        assert not await ada.giving.wait_until_handed(given, 5)
        await trio.sleep(600)
        await ada.kill()  # the address is saved before the machine stops
        await nursery.start(ben.live)
        await nursery.start(ada.live)
        await trio.sleep(WAIT)
        assert read(ben, agreement, ada) == TEXT
        await ben.kill()  # an acknowledged address is saved too
        await nursery.start(ben.live)
        assert read(ben, agreement, ada) == TEXT
        nursery.cancel_scope.cancel()


def test_it_waits_for_a_home_that_is_away(simulate: Simulate) -> None:
    simulate(4, late, NAMES)


async def bad_weather(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, *_ = street.homes.values()
        street.network.breaks, street.network.refusals = 0.2, 0.3
        give(ada, ben, agreement)
        give(ben, ada, agreement, "4 Xylem Row")
        await trio.sleep(120)
        street.network.end_bad_weather()
        await trio.sleep(2 * WAIT)
        assert read(ben, agreement, ada) == TEXT
        assert read(ada, agreement, ben) == "4 Xylem Row"


def test_streams_that_break_only_delay_it(simulate: Simulate) -> None:
    simulate(4, bad_weather, NAMES)


async def over(street: Street, end: Callable[[Home, Home], Awaitable[None]]) -> None:
    async with living(street) as agreement:
        ada, ben, *_ = street.homes.values()
        given = give(ada, ben, agreement)
        back = give(ben, ada, agreement, "4 Xylem Row", kept=True)
        await trio.sleep(WAIT)
        assert {one.gift for one in (given, back)} == {
            one.gift for giver in (ada, ben) if (one := held(ada, agreement, giver))
        }
        await end(ada, ben)
        await street.settle()
        for home in (ada, ben):
            assert held(home, agreement, ada) is None
            assert given.gift.sealed not in on_disk(home)
            assert given.gift.sealed[-64:] not in on_disk(home)
        assert held(ada, agreement, ben) is None
        assert back.gift.sealed not in on_disk(ada)
        assert read(ben, agreement, ben) == "4 Xylem Row"  # Ben keeps the address that he gave


def test_it_is_forgotten_when_the_agreement_is_cancelled(simulate: Simulate) -> None:
    async def cancelled(ada: Home, ben: Home) -> None:
        (one,) = agreements(ben)
        ben.must_post("close", {"as_state": "cancelled"}, one.id)

    simulate(4, lambda street: over(street, cancelled), NAMES)


def test_it_is_forgotten_once_the_receipt_is_confirmed(simulate: Simulate) -> None:
    async def done(ada: Home, ben: Home) -> None:
        (one,) = agreements(ben)
        receipt = ben.must_post("receipt", {"on": "2026-09-01"}, one.id)
        await trio.sleep(10)
        assert held(ada, one.id, ada) is not None  # a receipt without a confirm ends nothing
        ada.must_post("confirm", {}, receipt.id)

    simulate(4, lambda street: over(street, done), NAMES)


async def weekly(street: Street) -> None:
    async with living(street, repeats="FREQ=WEEKLY") as agreement:
        ada, ben, *_ = street.homes.values()
        give(ada, ben, agreement)
        receipt = ben.must_post("receipt", {"on": "2026-09-01"}, agreement)
        await street.settle()
        ada.must_post("confirm", {}, receipt.id)
        await trio.sleep(WAIT)
        (one,) = agreements(ben)
        assert one.state == Agreement.State.AGREED
        assert read(ben, agreement, ada) == TEXT  # the next lift is in a week
        ada.must_post("close", {"as_state": "cancelled"}, agreement)
        await street.settle()
        assert held(ben, agreement, ada) is held(ada, agreement, ada) is None


def test_one_that_repeats_lives_until_it_is_cancelled(simulate: Simulate) -> None:
    simulate(4, weekly, NAMES)


def agreements(home: Home) -> list[Agreement]:
    assert home.author is not None
    return home.author.state.views.of_kind(Agreement)


async def removal(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, cem, dot = street.homes.values()
        given = give(ada, ben, agreement)
        await trio.sleep(WAIT)
        council = sorted(one.identity.person for one in (ada, cem, dot))
        assert ada.author is not None
        renewal = renew(ada.author, moderators=council)
        await street.settle()
        for home in (ben, cem, dot):
            home.post("vote", {"choice": "yes"}, renewal.id)
        await street.settle()
        assert held(ada, agreement, ada) is not None
        for home in (ada, cem):
            home.must_post("remove", {"person": ben.identity.person.hex(), "why": "threats"})
        await trio.sleep(WAIT)
        assert held(ada, agreement, ada) is None
        assert given.gift.sealed not in on_disk(ada)


def test_it_is_forgotten_when_the_other_party_is_removed(simulate: Simulate) -> None:
    simulate(4, removal, NAMES)


async def kept(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, *_ = street.homes.values()
        give(ada, ben, agreement)
        await trio.sleep(WAIT)
        found = held(ben, agreement, ada)
        assert ben.giving is not None
        assert found is not None
        ben.giving.addresses.keep(found)
        give(ada, ben, agreement, "")  # taken back: what its receiver keeps is theirs
        await trio.sleep(WAIT)
        ben.must_post("close", {"as_state": "cancelled"}, agreement)
        await street.settle()
        assert read(ben, agreement, ada) == TEXT
        assert held(ada, agreement, ada) is None


def test_what_its_receiver_keeps_stays(simulate: Simulate) -> None:
    simulate(4, kept, NAMES)


async def taken_back(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, *_ = street.homes.values()
        first = give(ada, ben, agreement)
        await trio.sleep(WAIT)
        second = give(ada, ben, agreement, "14 Quincunx Terrace")
        await trio.sleep(WAIT)
        assert read(ben, agreement, ada) == "14 Quincunx Terrace"
        give(ada, ben, agreement, "")
        await trio.sleep(WAIT)
        for home in (ada, ben):
            assert read(home, agreement, ada) is None
            for one in (first, second):
                assert one.gift.sealed not in on_disk(home)


def test_a_later_one_takes_its_place_and_it_can_be_taken_back(simulate: Simulate) -> None:
    simulate(4, taken_back, NAMES)


def test_a_text_that_is_too_long_or_sealed_for_others_is_not_read() -> None:
    mine, other = seal.device_box_key(bytes(32)), seal.device_box_key(b"\1" * 32)
    place = giving.text_context(bytes(32), bytes(32), bytes(32))
    closed = giving.seal_text(TEXT, [mine.public], place, bytes(32))
    assert giving.open_text(closed, [mine], place) == TEXT
    assert giving.open_text(closed, [other], place) is None
    with pytest.raises(Refused, match=r"R-01\.24"):
        giving.open_text(closed, [mine], place[:-1] + b"\1")
    assert len(closed) == len(giving.seal_text("short", [mine.public], place, bytes(32)))
