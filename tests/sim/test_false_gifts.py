"""Peers that send false addresses. Some are no party to the agreement, some have another person's
keys, and some send replays, garbage or floods (R-18.2 to R-18.8).
"""

from random import Random
from typing import Any

import trio

from meshcoop.author.founding import Identity
from meshcoop.sync.address_delivery import VISITS_A_MINUTE
from protocol.wire import address_gift as giving
from protocol.wire import frames
from protocol.wire import membership_proof as hello
from tests.support.simulated_addresses import (
    NAMES,
    TEXT,
    WAIT,
    Caller,
    calling,
    give,
    held,
    living,
    read,
)
from tests.support.simulated_street import Home, Simulate, Street, chance


async def strangers(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, cem, _ = street.homes.values()
        nobody = Home(street, "eve", Identity.new(chance(Random(4))), ada.path)
        give(ada, ben, agreement)
        await trio.sleep(WAIT)
        async with calling(street, nobody) as eve:
            hellos = [
                (eve.greeting(ben), "R-18.3"),
                (eve.greeting(ben, device=ada.identity.device), "R-05.2"),  # another's device
                (eve.greeting(ben, place=bytes(32)), "R-05.2"),
            ]
            for said, rule in hellos:
                assert [one[:2] for one in await eve.say(ben, said)] == [[giving.REFUSED, rule]]
        async with calling(street, ada) as thief:  # Ada's keys, but another address
            there = street.network.address("cem").rpartition("/")[2]
            mine = street.network.address("ada").rpartition("/")[2]
            for said in (
                thief.greeting(ben, receiver=there),  # said to somebody else
                thief.greeting(ben, sender=mine),  # said on another connection
                thief.greeting(ben, domain=hello.SYNC_DOMAIN),  # said on another protocol
            ):
                told = await thief.say(ben, said)
                assert [one[:2] for one in told] == [[giving.REFUSED, "R-05.2"]]
        async with calling(
            street, cem
        ) as third:  # a member, who asks Ada and Ben for all they have
            for home in (ada, ben):
                told = await third.say(home, third.greeting(home), [giving.END])
                assert [one[0] for one in told] == [giving.HELLO, giving.END]


def test_a_stranger_a_thief_of_a_hello_and_a_third_member_are_told_nothing(
    simulate: Simulate,
) -> None:
    simulate(4, strangers, NAMES)


async def false_gifts(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, cem, dot = street.homes.values()
        one = agreement
        both = [ada, ben]
        async with calling(street, cem) as third:
            cases = [(third.gift(one, [cem, ben]).frame(), "R-18.5")]  # the author is no party
            stolen = third.gift(one, both)._replace(device=ada.identity.device)
            cases += [(stolen.frame(), "R-18.5")]  # made by a third person in Ada's name
            await refused(third, ben, cases)
        async with calling(street, ada) as mine:
            given = give(ada, ben, agreement, "4 Xylem Row")
            await trio.sleep(WAIT)
            replay = given.gift._replace(time=given.gift.time + 1)
            good = mine.gift(one, both)
            cases = [
                (given.gift.frame(), "R-18.5"),  # a true gift, but another machine delivers it
                (replay.frame(), "R-18.5"),
                (mine.gift(one, both, home="another home").frame(), "R-18.5"),
                (mine.gift(one, [ada, dot]).frame(), "R-18.6"),  # for another reader
                (mine.gift(bytes(32), both).frame(), "R-18.1"),
                (mine.gift(one, both, time=ada.now() + 86_400_000).frame(), "R-18.4"),
                (mine.gift(one, both, sealed=bytes(100)).frame(), "R-01.24"),
                (mine.gift(one, both, sealed=bytes(giving.MAX_SEALED + 1)).frame(), "R-18.4"),
                (mine.gift(one, both, text="x" * 501).frame(), "R-10.3"),
                (good._replace(signature=bytes(64)).frame(), "R-18.5"),
                (good._replace(signature=b"").frame(), "R-18.4"),
                (good._replace(agreement=b"short").frame(), "R-18.4"),
                ([giving.GIFT, one, good.device, -1, good.signature, good.sealed], "R-18.4"),
                ([giving.GIFT, "text"], "R-18.4"),
                ([giving.GIFT], "R-18.4"),
            ]
            await refused(mine, ben, cases)
            assert read(ben, agreement, ada) == "4 Xylem Row"
            ben.must_post("close", {"as_state": "cancelled"}, one)
            await street.settle()
            await refused(mine, ben, [(mine.gift(one, both).frame(), "R-18.1")])  # it has ended
            assert held(ben, agreement, ada) is None


async def refused(caller: Caller, to: Home, cases: list[tuple[list[Any], str]]) -> None:
    for frame, rule in cases:
        told = await caller.say(to, caller.greeting(to), frame, [giving.END])
        assert told[0][0] == giving.HELLO
        answers = [one[:2] for one in told[1:] if one != [giving.END]]
        assert answers == [[giving.REFUSED, rule]], frame
        await trio.sleep(30)  # rarely enough that no call is refused for that


def test_what_is_no_gift_of_the_other_party_is_refused(simulate: Simulate) -> None:
    simulate(4, false_gifts, NAMES)


async def garbage(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, cem, _ = street.homes.values()
        random = Random(4)
        async with calling(street, cem) as third:
            met = third.greeting(ben)
            noise = [random.randbytes(size) for size in (1, 50, 5000)]
            frames_of_noise = [len(one).to_bytes(4, "big") + one for one in noise]
            before = [*noise, *frames_of_noise, b"\xff\xff\xff\xff", frames.encode([giving.END])]
            for said in before:
                told = await third.say(ben, said)
                assert [one[0] for one in told] in ([], [giving.REFUSED]), said[:20]
            odd = [[giving.STORED], [giving.REFUSED], [giving.REFUSED, 1, 2], [77, "later"], met]
            for said in odd:
                told = await third.say(ben, met, said)
                kinds = [one[0] for one in told]
                assert kinds == [giving.HELLO, giving.END, giving.REFUSED], said
                await trio.sleep(10)
            await trio.sleep(60)
            told = await third.say(ben, met, *([[giving.GIFT]] * 50))
            assert len(told) == 2 + giving.MAX_GIFTS + 1
        give(ada, ben, agreement)  # honest people can still give addresses
        await trio.sleep(WAIT)
        assert read(ben, agreement, ada) == TEXT


def test_garbage_costs_a_stream_and_nothing_else(simulate: Simulate) -> None:
    simulate(4, garbage, NAMES)


async def flood(street: Street) -> None:
    async with living(street) as agreement:
        ada, ben, cem, _ = street.homes.values()
        async with calling(street, cem) as third:
            tells = [
                (await third.say(ben, third.greeting(ben), [giving.END]))[0]
                for _ in range(2 * VISITS_A_MINUTE)
            ]
            assert tells[0][0] == giving.HELLO
            assert tells[-1][:2] == [giving.REFUSED, "R-18.8"]
            silent = [await third.open(ben) for _ in range(20)]  # open, and say nothing
            give(ada, ben, agreement)
            await trio.sleep(WAIT)
            assert read(ben, agreement, ada) == TEXT
            for one in silent:
                await one.close()


def test_who_comes_too_often_is_sent_away_and_others_are_heard(simulate: Simulate) -> None:
    simulate(4, flood, NAMES)
