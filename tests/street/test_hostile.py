"""A stranger and a hostile member attack a real node while honest homes go on."""

import random
from contextlib import suppress
from functools import partial

import pytest
import trio
from libp2p.pubsub.pb import rpc_pb2
from libp2p.utils.varint import encode_varint_prefixed

from meshcoop.author.founding import Identity
from meshcoop.network.doorway import DoorStaysShut
from meshcoop.network.interface import NetworkError
from protocol.record.root_statement import PLACE_SIZE
from protocol.wire import address_gift as giving
from protocol.wire import frames, gossip, invitation
from protocol.wire import sync_session as sync
from protocol.wire.door import Ends
from protocol.wire.invitation import Knock
from tests.support.attackers import (
    IDENTIFY,
    MESHSUB,
    PATIENCE,
    answers,
    call,
    first_answer,
    greeting,
    inside,
    member_gone_bad,
    served_by,
    shout,
    stranger,
    visitor,
)
from tests.support.real_homes import agree, titles

FRAMES = {sync.PROTOCOL, invitation.PROTOCOL, giving.PROTOCOL}
MALFORMED = encode_varint_prefixed(b"\xff" * 50)  # these 51 bytes end a node with libp2p's defaults


@pytest.fixture
def besieged(street):
    """Yields a function that attacks A's node.

    The function checks that an honest post of B's arrives meanwhile, and that A stores nothing
    else.
    """

    async def run(attack):
        ada, ben, _ = street
        before = await trio.to_thread.run_sync(agree, *street)
        known = authors(ada)
        where = before["addresses"][0]

        def honest():
            ada.has(ben.post("request", "--title", attack.__name__))

        with trio.fail_after(3 * PATIENCE):
            async with trio.open_nursery() as nursery:
                attacking = await nursery.start(partial(_under_way, attack, where))
                await trio.to_thread.run_sync(honest)
                await attacking.wait()
                nursery.cancel_scope.cancel()
        after = await trio.to_thread.run_sync(agree, *street)
        assert after["pid"] == before["pid"]  # the same node still runs
        assert authors(ada) == known
        assert attack.__name__ in titles(
            await trio.to_thread.run_sync(ada, "list", "requests", "--limit", "99999")
        )
        assert after["waiting"] == before["waiting"]
        assert {one["person"]["name"] for one in after["peers"]} >= {"Ben"}

    return run


def authors(home):
    """Returns the devices whose records the store holds.

    Tests compare these devices and not the number of records, because the software of members may
    post meanwhile.
    """
    with home.database() as db:
        return set(db.execute("SELECT device FROM logs").fetchall())


async def _under_way(attack, where, *, task_status):
    """Runs an attack. First passes an event to the caller; sets this event when the attack is
    over.
    """
    over = trio.Event()
    task_status.started(over)
    await attack(where)
    over.set()


# -- a stranger -----------------------------------------------------------------------------------


async def test_garbage_on_every_protocol(besieged):
    async def garbage(where):
        dice = random.Random(1)
        async with stranger() as them:
            served = await served_by(them, where)
            assert served >= {*FRAMES, MESHSUB, IDENTIFY}
            await (await call(them, where, MESHSUB)).write(MALFORMED)
            for protocol in sorted(served):
                for size in (0, 1, 50, 5000):
                    data = dice.randbytes(size)
                    if size % 2:
                        data = encode_varint_prefixed(data)
                    for piece in (data, len(data).to_bytes(4, "big") + data):
                        await shout(them, where, protocol, piece)
                for claim in (b"\xff" * 11, b"\xff\xff\xff\xff\x7f", b"\x80" * 12):
                    await shout(them, where, protocol, claim)
            for body in (b"\x90", b"\xc0", b"\x91\xc0", b"\x91" * 600, b"\xdd\xff\xff\xff\xff"):
                for protocol in sorted(FRAMES):
                    await shout(them, where, protocol, len(body).to_bytes(4, "big") + body)
            await (await call(them, where, MESHSUB)).write(MALFORMED)

    await besieged(garbage)


async def test_gossip_of_a_stranger_is_not_stored(besieged, street):
    neighbourhood = bytes.fromhex(street[0]("status")["neighbourhood"]["id"])
    topic = gossip.topic_name(neighbourhood)

    async def forged_gossip(where):
        dice = random.Random(2)
        async with stranger() as them:
            stream = await call(them, where, MESHSUB)
            joining = rpc_pb2.RPC(
                subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic)],
                control=rpc_pb2.ControlMessage(graft=[rpc_pb2.ControlGraft(topicID=topic)]),
            )
            await stream.write(encode_varint_prefixed(joining.SerializeToString()))
            for size in (0, 15, 16, 17, 300, 100_000):
                message = rpc_pb2.Message(data=dice.randbytes(size), topicIDs=[topic])
                frame = rpc_pb2.RPC(publish=[message] * 5).SerializeToString()
                await stream.write(encode_varint_prefixed(frame))

    await besieged(forged_gossip)


async def test_a_hello_of_no_member_or_of_somebody_else_is_refused(besieged, street):
    """An expelled person still knows the neighbourhood's id, and so opens the door."""
    ada, ben, _ = street
    to_ben = ben("status")["addresses"][0]
    neighbourhood = bytes.fromhex(ada("status")["neighbourhood"]["id"])

    async def false_hellos(where):
        identity = Identity.new(random.Random(3).randbytes)
        async with visitor(3) as them:
            a, b = await them.connect(where), await them.connect(to_ben)
            me = them.peer_id
            ours = (identity.device_seed, identity.device, neighbourhood)
            hellos = [
                (greeting(*ours, me, b), "R-05.2"),
                (greeting(*ours, me, a), "R-05.3"),
                (greeting(*ours, a, me), "R-05.2"),
                (greeting(*ours[:2], bytes(32), me, a), "R-05.2"),
                (frames.encode([sync.HELLO, 99]), "R-05.1"),
                (frames.encode([sync.HELLO, 0]), "R-05.10"),
                (frames.encode([sync.DIGEST, bytes(16)]), "R-05.2"),
                (b"\xff\xff\xff\xff", "R-05.1"),
            ]
            for said, rule in hellos:
                stream = await inside(them, a, sync.PROTOCOL, neighbourhood)
                await stream.write(said)
                told = await answers(stream)
                assert [one[0] for one in told] == [sync.BYE]  # A says no hello
                assert told[-1][1] == rule

    await besieged(false_hellos)


async def test_a_knock_without_the_secret_is_refused(besieged, street):
    one = invitation.decode(street[0].invite())
    place = bytes.fromhex(street[0]("status")["neighbourhood"]["id"])[:PLACE_SIZE]

    async def false_knocks(where):
        identity = Identity.new(random.Random(4).randbytes, place)
        async with visitor(4) as them:
            peer = await them.connect(where)
            sign = partial(
                Knock.sign, seed=identity.device_seed, statement=identity.statement, name="Eve"
            )
            good = sign(Ends(them.peer_id, peer))
            founding = Identity.new(random.Random(4).randbytes).statement
            knocks = [
                (sign(Ends(peer, them.peer_id)), "R-07.3"),
                (good._replace(signature=b""), "R-07.3"),
                (good._replace(statement=founding), "R-07.2"),
                (good._replace(statement=identity.statement[:-1]), None),
                (good._replace(name=" "), "R-07.2"),
            ]
            for knock, rule in knocks:
                stream = await inside(them, peer, invitation.PROTOCOL, one.secret)
                assert invitation.read_place(await first_answer(stream)) == place
                await stream.write(frames.encode(knock.frame()))
                told = await first_answer(stream)
                assert told[0] == invitation.REFUSAL
                assert rule in {None, told[1]}
                await stream.close()
            with pytest.raises(DoorStaysShut):
                await inside(them, peer, invitation.PROTOCOL, bytes(16))

    await besieged(false_knocks)


# -- a member gone bad ----------------------------------------------------------------------------


async def test_a_member_who_claims_and_never_serves(besieged, street):
    seed, device, neighbourhood = member_gone_bad(street[2])

    async def empty_claims(where):
        async with visitor(5) as them:
            peer = await them.connect(where)
            stream = await inside(them, peer, sync.PROTOCOL, neighbourhood)
            await stream.write(greeting(seed, device, neighbourhood, them.peer_id, peer))
            claims = []
            lies = [device[:8], 2**40, b"\xee" * 8, b"", bytes(8), 2**64 - 1, b"", b""]
            for head in (2**40, 2**63, 2**64 - 1):
                claims += [sync.HEAD, device, head], [sync.HEAD, bytes(32), head]
                claims += [[sync.HEAD, b"", head], [sync.HEAD, device, -head // 2]]
            claims += [
                [sync.PEERS, ["/ip4/192.0.2.1/tcp/9/p2p/" + "Q" * 46, "x", ""]],
                [sync.WANT, [bytes(32), b"", b"\xff" * 40]],
                [sync.CONTENT, bytes(32), b"lies"],
                [sync.CREDIT, 0],
                [sync.RECORDS, [b"", b"\xc0", bytes(300)]],
                [77, "of a later version"],
                [sync.DIGEST, bytes(16)],
                [sync.HAVE, lies, True],
                [sync.HAVE, [], False],
                [sync.END],
            ]  # fmt: skip
            for claim in claims:
                await stream.write(frames.encode(claim))
            with trio.move_on_after(4):  # longer than the node waits before it asks
                while await stream.read():
                    pass

    await besieged(empty_claims)


async def test_members_who_stop_reading(besieged, street):
    seed, device, neighbourhood = member_gone_bad(street[2])
    ids = [bytes.fromhex(one["id"]) for one in street[0]("list", "requests", "--limit", "99999")][
        :32
    ]

    async def deaf(where):
        async with visitor(6) as them:
            peer = await them.connect(where)
            stream = await inside(them, peer, sync.PROTOCOL, neighbourhood)
            await stream.write(greeting(seed, device, neighbourhood, them.peer_id, peer))
            # Asks for all records from the beginning, and for all contents again and again.
            await stream.write(frames.encode([sync.DIGEST, bytes(16)]))
            await stream.write(frames.encode([sync.HAVE, [], False]))
            wish = frames.encode([sync.WANT, (ids or [bytes(32)]) * (32 // max(1, len(ids)))])
            with suppress(NetworkError), trio.move_on_after(4):
                for _ in range(3000):
                    await stream.write(wish)

    await besieged(deaf)
