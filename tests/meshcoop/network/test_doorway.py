"""Doors between two hosts of the network in memory: who does not know the secret gets a nonce."""

from random import Random

import pytest
import trio
from trio.testing import MockClock

from meshcoop.network import doorway
from meshcoop.network.doorway import DoorStaysShut, answer_door, open_door
from meshcoop.network.interface import NetworkError
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.wire import door
from protocol.wire.door import Ends

PROTOCOL = "/guarded/1"
SECRETS = [bytes([number]) * 32 for number in range(5)]
DICE = Random(5)


@pytest.fixture
def clock():
    return MockClock(autojump_threshold=0)


async def visit(opener, *, random=DICE.randbytes):
    """Lets `opener(stream, own_peer)` come to a host that answers all of SECRETS. Returns what it
    returns, and what the host found behind the door: None if the door stayed shut.
    """
    found = []
    street = MemoryNetwork(Random(1))

    async def answer(stream):
        guarded = {door.door_key(secret): secret for secret in SECRETS}
        try:
            opened, secret = await answer_door(stream, host.peer_id, guarded, random)
        except NetworkError as error:
            found.append(error)
            return
        found.append(secret)
        await opened.stream.write(b"hello " + await opened.stream.read())

    async with street.host("a") as host, street.host("b") as visitor:
        with host.serve(PROTOCOL, answer):
            peer = await visitor.connect(street.address("a"))
            stream = await visitor.open_stream(peer, PROTOCOL)
            told = await opener(stream, visitor.peer_id)
            await trio.sleep(2 * doorway.DOOR_SECONDS)
    return told, found


@pytest.mark.parametrize("secret", SECRETS)
async def test_either_end_knows_that_the_other_knows_the_secret(clock, secret):
    async def opener(stream, own_peer):
        opened = await open_door(stream, own_peer, secret, DICE.randbytes)
        await opened.stream.write(b"you")
        return await opened.stream.read()

    assert await visit(opener) == (b"hello you", [secret])


async def everything(stream):
    heard = b""
    while data := await stream.read():
        heard += data
    return heard


def proof_for(secret, stream, own_peer, challenge):
    ends = Ends(opener=own_peer, answerer=stream.peer)
    return door.prove_opener(door.door_key(secret), ends, challenge, bytes(32))


@pytest.mark.parametrize(
    "make_proof",
    [
        lambda *_: b"",
        lambda *_: bytes(door.PROOF_SIZE - 1),
        lambda *_: bytes(door.PROOF_SIZE),
        lambda *_: bytes(100_000),
        lambda *given: proof_for(bytes(32)[:31] + b"x", *given),
        lambda stream, own_peer, _: proof_for(SECRETS[0], stream, own_peer, bytes(32)),
        lambda stream, _, challenge: proof_for(SECRETS[0], stream, stream.peer, challenge),
    ],
)
async def test_a_stranger_gets_a_nonce_and_nothing_else(clock, make_proof):
    async def opener(stream, own_peer):
        challenge = await stream.read()
        await stream.write(make_proof(stream, own_peer, challenge))
        if len(make_proof(stream, own_peer, challenge)) < door.PROOF_SIZE:
            await stream.close()
            return challenge
        return challenge + await everything(stream)

    told, [error] = await visit(opener)
    assert len(told) == door.NONCE_SIZE
    assert isinstance(error, DoorStaysShut)


async def test_an_opener_sees_through_an_answerer_without_the_secret(clock):
    async def opener(stream, own_peer):
        with pytest.raises(DoorStaysShut):
            await open_door(stream, own_peer, b"another street", DICE.randbytes)

    _, [error] = await visit(opener)
    assert isinstance(error, DoorStaysShut)


async def test_who_says_nothing_is_left_at_the_door_for_ten_seconds(clock):
    async def opener(stream, _):
        began = trio.current_time()
        assert len(await everything(stream)) == door.NONCE_SIZE
        return trio.current_time() - began

    waited, [error] = await visit(opener)
    assert not isinstance(error, DoorStaysShut)
    assert waited <= doorway.DOOR_SECONDS + 1


async def test_a_node_tries_a_bounded_number_of_secrets(clock, monkeypatch):
    """R-05.11f: the cost of a stranger is bounded."""
    monkeypatch.setattr(door, "MAX_SECRETS", 3)

    async def opener(stream, own_peer):
        challenge = await stream.read()
        await stream.write(proof_for(SECRETS[4], stream, own_peer, challenge))
        return await everything(stream)

    assert (await visit(opener))[0] == b""
