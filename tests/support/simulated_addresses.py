"""Helpers for tests of people's addresses. Ada and Ben make an agreement on a street of four homes,
and a caller tries to reach a home.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import trio

from meshcoop.network.doorway import open_door
from meshcoop.network.interface import Network, NetworkError, Stream
from meshcoop.store.given_addresses import HeldAddress
from protocol.record import sealing as seal
from protocol.wire import address_gift as giving
from protocol.wire import frames
from protocol.wire import membership_proof as hello
from protocol.wire.address_gift import Gift, GiftOrigin, Hello
from tests.support.simulated_street import Home, Street
from tests.support.stores import stored_values

TEXT = "12 Quincunx Terrace, second floor"
NAMES = ("ada", "ben", "cem", "dot")
WAIT = 90.0  # seconds: longer than the longest pause between two tries


@asynccontextmanager
async def living(street: Street, **more: str) -> AsyncIterator[bytes]:
    """Starts all homes and lets Ada and Ben agree. Yields the id of the agreement."""
    async with trio.open_nursery() as nursery:
        for home in street.homes.values():
            await nursery.start(home.live)
        await street.settle()
        yield await agreed(street, more)
        nursery.cancel_scope.cancel()


async def agreed(street: Street, more: dict[str, str]) -> bytes:
    ada, ben = street.homes["ada"], street.homes["ben"]
    asked = ada.must_post("request", {"title": "A lift", "minutes": "30", **more})
    await street.settle()
    response = ben.must_post("response", {}, asked.id)
    await street.settle()
    agreement = ada.must_post("agreement", {}, response.id)
    await street.settle()
    return agreement.id


def give(
    home: Home, to: Home, agreement: bytes, text: str = TEXT, *, kept: bool = False
) -> HeldAddress:
    assert home.giving is not None
    seed, receiver = home.identity.device_seed, to.identity.person
    return home.giving.give(agreement, text, seed, receiver, kept=kept)


def held(home: Home, agreement: bytes, giver: Home) -> HeldAddress | None:
    assert home.giving is not None
    return home.giving.addresses.find(agreement, giver=giver.identity.person)


def read(home: Home, agreement: bytes, giver: Home) -> str | None:
    assert home.giving is not None
    found = held(home, agreement, giver)
    boxes = [seal.device_box_key(home.identity.device_seed)]
    return home.giving.addresses.open_text(found, boxes) if found and found.gift.sealed else None


def on_disk(home: Home) -> bytes:
    """Returns what the rows of the home's store hold."""
    return stored_values(home.path)


class Caller:
    """A caller at another machine, who has the keys of the home `me`. The test itself writes each
    message of the caller.
    """

    def __init__(self, street: Street, network: Network, me: Home) -> None:
        self.street, self.network, self.me = street, network, me

    @property
    def place(self) -> GiftOrigin:
        return GiftOrigin(self.street.neighbourhood, self.network.peer_id)

    def greeting(self, to: Home, **other: Any) -> list[Any]:
        """Makes a hello frame for `to`. The arguments in `other` replace parts of the frame, such
        as the device or the peer ids.
        """
        sender = other.get("sender", self.network.peer_id)
        receiver = other.get("receiver", self.street.network.address(to.name).rpartition("/")[2])
        domain = other.get("domain", giving.HELLO_DOMAIN)
        seed = self.me.identity.device_seed
        place = other.get("place", self.street.neighbourhood)
        signature = hello.prove_membership(seed, place, sender, receiver, domain=domain)
        return Hello(other.get("device", self.me.identity.device), signature).frame()

    def gift(self, agreement: bytes, readers: list[Home], text: str = TEXT, **other: Any) -> Gift:
        device = self.me.identity.device
        boxes = [seal.device_box_key(one.identity.device_seed).public for one in readers]
        where = giving.text_context(self.street.neighbourhood, agreement, device)
        closed = other.get("sealed") or giving.seal_text(text, boxes, where, bytes(32))
        time = other.get("time", self.me.now())
        seed = self.me.identity.device_seed
        place = GiftOrigin(self.street.neighbourhood, other.get("home", self.network.peer_id))
        return Gift.sign(agreement, time, closed, seed=seed, origin=place)

    async def open(self, to: Home) -> Stream:
        peer = await self.network.connect(self.street.network.address(to.name))
        return await self.network.open_stream(peer, giving.PROTOCOL)

    async def say(self, to: Home, *said: list[Any] | bytes) -> list[list[Any]]:
        """Sends all messages in `said` on a new stream. Returns the frames that arrive until the
        other side ends the stream.
        """
        random = Random(to.name).randbytes
        outside = await self.open(to)
        opened = await open_door(outside, self.network.peer_id, self.street.neighbourhood, random)
        stream = opened.stream
        decoder, found = frames.Decoder(), []
        with trio.fail_after(60):
            try:
                for one in said:
                    await stream.write(one if isinstance(one, bytes) else frames.encode(one))
                while data := await stream.read():
                    found += decoder.feed(data)
            except NetworkError:
                pass
        await stream.close()
        return found


@asynccontextmanager
async def calling(street: Street, me: Home) -> AsyncIterator[Caller]:
    async with street.network.host("a machine of nobody") as network:
        yield Caller(street, network, me)
