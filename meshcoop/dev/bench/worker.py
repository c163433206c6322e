"""A process of a bench. The process runs one home after another."""

import json
import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import trio

from meshcoop.author.author import Author
from meshcoop.author.founding import open_state
from meshcoop.dev.bench.fixtures import STORE_KEY, now, store_mode
from meshcoop.dev.bench.profile import profiled
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verifier_process import open_verifier
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Handler, Network, NetworkError, Stream
from meshcoop.network.libp2p.host import open_host
from meshcoop.store.store import Store
from meshcoop.sync.home_mesh import HomeMesh

_QUIET_SECONDS = 1.5  # by then, a home has announced the heads of the records that a sync stored


class TrafficCounter:
    """Counts the bytes and the round trips on the streams of a home.

    A round trip begins with a write and ends when an answer is read.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.bytes = 0
        self.round_trips = 0
        self._awaits_answer = False

    def count_written(self, size: int) -> None:
        """Counts the bytes that this home sends. The measured time begins with the first byte."""
        if not self.bytes:
            self.began = time.monotonic()
        self.bytes += size
        self._awaits_answer = True

    def count_read(self, size: int) -> None:
        """Counts the bytes that this home receives."""
        self.bytes += size
        self.round_trips += self._awaits_answer
        self._awaits_answer = False


class CountedStream:
    """A stream that reports how many bytes it carries to the counter of the network."""

    def __init__(self, stream: Stream, network: "BenchNetwork") -> None:
        self._stream = stream
        # Each measurement gives the network a new counter, so the stream does not keep the counter.
        self._network = network

    @property
    def peer(self) -> str:
        """The id of the peer."""
        return self._stream.peer

    async def read(self) -> bytes:
        """Reads from the stream."""
        data = await self._stream.read()
        self._network.counter.count_read(len(data))
        return data

    async def write(self, data: bytes) -> None:
        """Writes to the stream."""
        self._network.counter.count_written(len(data))
        await self._stream.write(data)

    async def close(self) -> None:
        """Closes the stream."""
        await self._stream.close()


class BenchNetwork:
    """A network that counts bytes. It dials only the address that the bench allows.

    A bench measures a path of two hops. If homes dialled every address that they learn, the path
    would shrink to one hop.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.allowed_address = ""
        self.counter = TrafficCounter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def serve(self, protocol: str, handler: Handler) -> AbstractContextManager[None]:
        """Lets `handler` answer a protocol, for the block of a `with` statement. Counts the bytes
        of the streams that `handler` gets.
        """

        async def handle_counted(stream: Stream) -> None:
            await handler(CountedStream(stream, self))

        return self._network.serve(protocol, handle_counted)

    async def connect(self, address: str) -> str:
        """Dials the allowed address. Raises NetworkError for every other address."""
        if address != self.allowed_address:
            raise NetworkError("not in this bench")
        return await self._network.connect(address)

    async def open_stream(self, peer: str, protocol: str) -> Stream:
        """Opens a stream to a peer. The stream counts its bytes."""
        return CountedStream(await self._network.open_stream(peer, protocol), self)


class BenchHome:
    """A home that follows the orders of the parent process. Each order is one line."""

    def __init__(self, order: dict[str, Any], network: Network, verifier: Verifier) -> None:
        with store_mode(is_encrypted=order["is_encrypted"]):
            self.store = Store(order["store"], STORE_KEY)
        devices = {bytes.fromhex(order["device"]): bytes.fromhex(order["seed"])}
        neighbourhood = bytes.fromhex(order["neighbourhood"])
        self.inbox = Inbox(open_state(self.store, neighbourhood, devices, now))
        self.inbox.listeners.append(_report_stored)
        self.author = Author(self.inbox, devices, now, os.urandom)
        self.network = BenchNetwork(network)
        self.mesh = HomeMesh(self.network, self.author, now, os.urandom, verifier)

    async def run(self) -> None:
        """Runs the home and follows its orders. Ends at the order `leave`, or when the parent
        process has ended.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(self.mesh.run)
            _report(address=self.network.addresses[0])
            while text := await _read_line():
                order = json.loads(text)
                if "leave" in order:
                    break
                if "post" in order:
                    self._post(order["post"])
                else:
                    nursery.start_soon(self._dial, order)
            nursery.cancel_scope.cancel()
        self.store.close()

    def _post(self, title: str) -> None:
        at = time.monotonic()
        record = self.author.post("request", {"title": title}, resolve=_refuse_to_resolve)
        _report(posted={"id": record.id.hex(), "at": at})

    async def _dial(self, order: dict[str, Any]) -> None:
        """Dials a home and reports the results to the parent process.

        If the order names no number of records, reports only that the two homes have met. Otherwise
        reports on two syncs. The first sync ends when this home has as many records as the order
        names. Before the second sync, both stores are equal already.
        """
        address = order["dial"]
        expected_records = order.get("records")
        profile: list[str] = []
        self.network.allowed_address = address
        self.network.counter = TrafficCounter()
        with profiled(profile) if order.get("profile") else nullcontext():
            self.mesh.peers.learn_by_hand([address])
            await self.mesh.settled.wait()
        if expected_records is None:
            _report(met=True)
            return
        counter = self.network.counter
        stored = self.store.records.count()
        assert stored == expected_records, "the round is over and records are missing"
        seconds = time.monotonic() - counter.began
        _report(synced={"seconds": seconds, "bytes": counter.bytes, "profile": profile})
        await trio.sleep(_QUIET_SECONDS)
        self.network.counter = TrafficCounter()
        self.mesh.settled = trio.Event()
        (conversation,) = self.mesh.conversations.values()
        conversation.request_round()
        await self.mesh.settled.wait()
        counter = self.network.counter
        _report(equal={"bytes": counter.bytes, "round_trips": counter.round_trips})


async def _read_line() -> str:
    # When cancelled, the thread is left behind. Otherwise a home with a fault would wait for a
    # line, and its parent would wait for the home.
    return await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)  # type: ignore[call-arg]  # old stubs, see meshcoop.network


def _report_stored(result: IngestResult) -> None:
    at = time.monotonic()  # the same clock in all processes of a machine
    for record in result.stored[:1]:
        _report(stored={"id": record.id.hex(), "at": at})


def _report(**events: Any) -> None:
    print(json.dumps(events), flush=True)  # noqa: T201  # the parent reads it


def _refuse_to_resolve(kind: str, text: str) -> bytes:
    raise NotImplementedError(kind, text)  # requests name nobody


async def _main() -> None:
    listen = ["/ip4/127.0.0.1/tcp/0"]
    while text := await _read_line():
        host = open_host(os.urandom(32), listen, log=None, mdns=False)
        async with host as network, open_verifier() as verify:
            await BenchHome(json.loads(text), network, verify).run()
        _report(left=True)


if __name__ == "__main__":
    trio.run(_main)
