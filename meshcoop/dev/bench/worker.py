"""The homes of a bench, one after another, in a process of their own."""

import json
import os
import sys
import time
from typing import Any

import trio

from meshcoop.author.author import Author
from meshcoop.author.founding import open_state
from meshcoop.dev.bench.fixtures import now
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verifier_process import verifier
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Handler, Network, NetworkError, Stream
from meshcoop.network.libp2p.host import open_host
from meshcoop.store.store import Store
from meshcoop.sync.home_mesh import HomeMesh

_QUIET = 1.5  # seconds after which what a sync stored has been announced


class Counter:
    """What went over the streams of a home. A round trip: something written, then an answer."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.bytes = self.round_trips = 0
        self._asked = False

    def wrote(self, size: int) -> None:
        """Bytes that leave."""
        if not self.bytes:
            self.began = time.monotonic()
        self.bytes += size
        self._asked = True

    def read(self, size: int) -> None:
        """Bytes that came."""
        self.bytes += size
        self.round_trips += self._asked
        self._asked = False


class CountedStream:
    """A stream that tells the network's counter."""

    def __init__(self, stream: Stream, network: "BenchNetwork") -> None:
        self._stream, self._network = stream, network

    @property
    def peer(self) -> str:
        """The peer's id."""
        return self._stream.peer

    async def read(self) -> bytes:
        """As the stream."""
        data = await self._stream.read()
        self._network.counter.read(len(data))
        return data

    async def write(self, data: bytes) -> None:
        """As the stream."""
        self._network.counter.wrote(len(data))
        await self._stream.write(data)

    async def close(self) -> None:
        """As the stream."""
        await self._stream.close()


class BenchNetwork:
    """A network that counts, and that dials nobody but whom the bench names: hops stay hops."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.allowed = ""
        self.counter = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def serve(self, protocol: str, handler: Handler) -> None:
        """As the network."""

        async def counted(stream: Stream) -> None:
            await handler(CountedStream(stream, self))

        self._network.serve(protocol, counted)

    async def connect(self, address: str) -> str:
        """As the network, to one address only."""
        if address != self.allowed:
            raise NetworkError("not in this bench")
        return await self._network.connect(address)

    async def open(self, peer: str, protocol: str) -> Stream:
        """As the network."""
        return CountedStream(await self._network.open(peer, protocol), self)


class BenchHome:
    """Does what the parent says, a line an order."""

    def __init__(self, given: dict[str, str], network: Network, verifier: Verifier) -> None:
        self.store = Store(given["store"])
        devices = {bytes.fromhex(given["device"]): bytes.fromhex(given["seed"])}
        place = bytes.fromhex(given["neighbourhood"])
        self.inbox = Inbox(open_state(self.store, place, devices, now))
        self.inbox.listeners.append(_stored)
        self.author = Author(self.inbox, devices, now, os.urandom)
        self.network = BenchNetwork(network)
        self.mesh = HomeMesh(self.network, self.author, now, os.urandom, verifier)

    async def run(self) -> None:
        """Until the parent says that this home is to leave, or nothing more."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.mesh.run)
            _tell(address=self.network.addresses[0])
            while text := await _line():
                order = json.loads(text)
                if "leave" in order:
                    break
                if "post" in order:
                    self._post(order["post"])
                else:
                    nursery.start_soon(self._dial, order["dial"], order.get("records"))
            nursery.cancel_scope.cancel()
        self.store.close()

    def _post(self, title: str) -> None:
        at = time.monotonic()
        one = self.author.post("request", {"title": title}, resolve=_resolve)
        _tell(posted={"id": one.id.hex(), "at": at})

    async def _dial(self, address: str, records: int | None) -> None:
        self.network.allowed = address
        self.network.counter = Counter()
        self.mesh.peers.learn([address])
        await self.mesh.settled.wait()
        if records is None:
            _tell(met=True)
            return
        counter = self.network.counter
        assert self.store.records.count() == records, "the round is over and records are missing"
        _tell(synced={"seconds": time.monotonic() - counter.began, "bytes": counter.bytes})
        await trio.sleep(_QUIET)
        self.network.counter, self.mesh.settled = Counter(), trio.Event()
        (conversation,) = self.mesh.conversations.values()
        conversation.request_round()
        await self.mesh.settled.wait()
        counter = self.network.counter
        _tell(equal={"bytes": counter.bytes, "round_trips": counter.round_trips})


async def _line() -> str:
    # Abandoned: a home with a fault must not wait for its parent, which waits for it.
    return await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)  # type: ignore[call-arg]  # old stubs, see meshcoop.network


def _stored(taken: IngestResult) -> None:
    at = time.monotonic()  # the same clock in all processes of a machine
    for one in taken.stored[:1]:
        _tell(stored={"id": one.id.hex(), "at": at})


def _tell(**happened: Any) -> None:
    print(json.dumps(happened), flush=True)  # noqa: T201  # the parent reads it


def _resolve(kind: str, text: str) -> bytes:
    raise NotImplementedError(kind, text)  # requests name nobody


async def _main() -> None:
    listen = ["/ip4/127.0.0.1/tcp/0"]
    while text := await _line():
        host = open_host(os.urandom(32), listen, log_file=None, mdns=False)
        async with host as network, verifier() as verify:
            await BenchHome(json.loads(text), network, verify).run()
        _tell(left=True)


if __name__ == "__main__":
    trio.run(_main)
