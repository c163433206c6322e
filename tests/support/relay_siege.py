"""Attacks a relay in all ways at once, for a number of seconds. It is a program of its own.

It reads one JSON object from standard input. The object has the `address` of the relay, the
`seconds`, and values stolen from a member. The stolen values are `seed`, `device`, `neighbourhood`
and `gossip_key`, and the fields `seq` and `head` of the member's log (hex). Once all attacks run,
the program prints "begun". At the end it prints how many records it has sent.
"""

import json
import sys
from contextlib import asynccontextmanager, suppress

import trio
from libp2p.pubsub.pb import rpc_pb2
from libp2p.utils.varint import encode_varint_prefixed

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.host import open_host
from protocol.record import envelope as record
from protocol.wire import frames, gossip
from protocol.wire import sync_session as sync
from tests.support.attackers import MESHSUB, call, greeting, stranger

IDLE, HALF_OPEN = 500, 1000
A_SECOND, AT_ONCE = 1000, 20  # records of the flood: in a second, and in one frame
ANYWHERE = "/ip4/127.0.0.1/tcp/0"


@asynccontextmanager
async def visitor(seed):
    async with open_host(bytes([seed]) * 32, [ANYWHERE], log=None, mdns=False) as network:
        yield network


async def sockets(ip, port, count, words, *, task_status):
    """Opens `count` connections that send `words` and then nothing. If a connection is closed,
    opens a new one.
    """

    async def one():
        while True:
            with suppress(OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                async with await trio.open_tcp_stream(ip, port) as stream:
                    if words:
                        await stream.send_all(words)
                    while await stream.receive_some(4096):
                        pass
            await trio.sleep(10)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(one)
        await trio.sleep(2)
        task_status.started()


async def asks_for_everything(where, stolen, *, task_status):
    """Asks for all records of a member's neighbourhood, but with a stranger's keys."""
    async with visitor(77) as them:
        told = False
        while True:
            with suppress(NetworkError):
                peer = await them.connect(where)
                stream = await them.open_stream(peer, sync.PROTOCOL)
                fake = greeting(
                    bytes(32),
                    record.device_key(bytes(32)),
                    stolen["neighbourhood"],
                    them.peer_id,
                    peer,
                )
                await stream.write(fake + frames.encode([sync.DIGEST, bytes(16)]))
                while await stream.read():
                    pass
            if not told:
                task_status.started()
                told = True
            await trio.sleep(0.05)


def flood(stolen):
    """Yields well-signed records of one log, one after the other."""
    seq, head = stolen["seq"], stolen["head"]
    content = bytes(300)
    while True:
        seq += 1
        header = record.Header(
            record.VERSION, stolen["device"], seq, head, stolen["now"] + seq, None, [],
            record.EPOCH, len(content), record.content_digest(content),
        )  # fmt: skip
        one = record.sign(header, content, stolen["neighbourhood"], stolen["seed"])
        head = one.id
        yield one.wire


async def floods(where, stolen, sent, *, task_status):
    topic, wires = gossip.topic_name(stolen["neighbourhood"]), flood(stolen)
    async with stranger() as them:
        await call(them, where, "/ipfs/ping/1.0.0")
        task_status.started()
        stream, began = await call(them, where, MESHSUB), trio.current_time()
        while True:
            rpc = rpc_pb2.RPC(
                publish=[
                    rpc_pb2.Message(
                        data=gossip.encode_frame(next(wires), stolen["gossip_key"]),
                        topicIDs=[topic],
                    )
                    for _ in range(AT_ONCE)
                ]
            )
            try:
                await stream.write(encode_varint_prefixed(rpc.SerializeToString()))
            except Exception:  # noqa: BLE001 -- if cut off, it calls again
                with suppress(Exception):
                    stream = await call(them, where, MESHSUB)
                await trio.sleep(0.2)
            sent[0] += AT_ONCE
            await trio.sleep_until(began + sent[0] / A_SECOND)


async def main():
    asked = json.loads(sys.stdin.readline())
    stolen = {
        name: bytes.fromhex(value) if type(value) is str else value
        for name, value in asked["stolen"].items()
    }
    where, sent = asked["address"], [0]
    _, _, ip, _, port, *_ = where.split("/")
    with trio.move_on_after(asked["seconds"] + 30):
        async with trio.open_nursery() as nursery:
            hello = b"\x13/multistream/1.0.0\n"
            await nursery.start(sockets, ip, int(port), IDLE, b"")
            await nursery.start(sockets, ip, int(port), HALF_OPEN, hello)
            await nursery.start(asks_for_everything, where, stolen)
            await nursery.start(floods, where, stolen, sent)
            sys.stdout.write("begun\n")
            sys.stdout.flush()
            await trio.sleep(asked["seconds"])
            sys.stdout.write(json.dumps({"sent": sent[0]}) + "\n")
            sys.stdout.flush()
            nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
