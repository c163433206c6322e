"""Sync over one stream: drives a `protocol.sync.Session` between the network and the inbox."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

import trio

from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verify_pipeline import Intake, Verifier
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.sync import missing_records as lacking
from meshcoop.sync.credentials import Credentials
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.wire import sync_events as events
from protocol.wire import sync_session as sync
from protocol.wire.sync_session import Session

_LOG = logging.getLogger(__name__)

HELLO_SECONDS = 10
TURN_SECONDS = 10  # how long a home waits for its turn at most
STILL_SECONDS = 1.5  # how long a peer that has the turn may send nothing
GAP_SECONDS = 2  # how long gossip may still bring what an announcement named
_QUEUE = 4 * 1024 * 1024  # bytes waiting for a peer that does not read
_PATIENCE = 3  # rounds that follow each other because the last one left something unplaced
_ROUNDS_A_SECOND = 5
_ASKS = 256  # for contents, after a round


class Watcher(Protocol):
    """Who hears what comes of a conversation; `meshcoop.mesh.Mesh`. `turn` is held, one
    conversation at a time, from comparing heads to the end of the round.
    """

    turn: trio.Semaphore

    def on_met(self, one: "Conversation") -> None:
        """The peer is a member's home, or a relay."""

    def on_stored(self, records: list[Record]) -> None:
        """These records are new here."""

    def on_settled(self) -> None:
        """A round is over."""

    def on_peers(self, peer: str, addresses: list[str]) -> None:
        """The peer says where it and other homes are."""

    def on_goodbye(self, peer: str, rule: str) -> None:
        """The peer ends the session for this reason."""

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """A member's home hands over gossip keys."""


class Conversation:
    """A session with one peer, from hello to goodbye. Once it is `met`, `person` is who lives
    there; None for a relay.
    """

    def __init__(
        self,
        stream: Stream,
        credentials: Credentials,
        watcher: Watcher,
        opener: str,
        verifier: Verifier | None = None,
    ) -> None:
        self.peer = stream.peer
        self.opener = opener  # the peer id of the side that opened the stream
        self.met = False
        self.person: bytes | None = None
        self.device = b""
        self.chain: list[bytes] = []  # what it showed of itself
        self._scope = trio.CancelScope()
        self._stream = stream
        self._credentials = credentials
        self._inbox = credentials.inbox
        self._intake = Intake(credentials.inbox, verifier)
        self._session = Session()
        self._watcher = watcher
        self._out: list[bytes] = []
        self._queued = 0
        self._wake = trio.Event()  # there is something to write
        self._room = trio.Event()  # something was written, or credit has come
        self._again = False
        self._my_turn = False
        self._received = 0  # frames of records
        self._unplaced = 0
        self._patience = _PATIENCE
        self._asks = 0  # for contents that may still be made before the next round
        self._outstanding = 0  # contents that were asked for last

    async def run(self) -> None:
        """Talks until one side ends it. Never raises for what a peer does."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    nursery.start_soon(self._write)
                    self._send(self._credentials.greet(self._session, self.peer))
                    await self._read()
                    await self._intake.drained()
                    self.end()
        except* NetworkError:
            pass  # the peer has gone; there is nobody to tell
        finally:
            self._end_turn()
            with trio.CancelScope(shield=True):
                await self._stream.close()

    def end(self) -> None:
        """Ends the session."""
        self._scope.cancel()

    async def say_goodbye(self, why: Refused) -> None:
        """Tells the peer why the session ends, if it listens."""
        with trio.move_on_after(1), suppress(NetworkError):
            await self._stream.write(self._session.bye(why))

    def request_round(self) -> None:
        """Starts a round, or another one after the one under way."""
        if not self.met or self._session.busy:
            self._again = True
        else:
            self._send(self._session.begin(self._inbox.store.heads()))

    def announce(self, heads: Iterable[tuple[bytes, int]]) -> None:
        """Tells the peer which logs have grown."""
        if self.met:
            self._send(self._session.announce(heads))

    def tell_peers(self, addresses: Iterable[str]) -> None:
        """Tells the peer where other homes are."""
        if self.met:
            self._send(self._session.peers(addresses))

    def hand_keys(self, keys: Iterable[bytes]) -> None:
        """Gives the peer, a relay, the gossip keys held here."""
        if self.met:
            self._send(self._session.keys(keys))

    # -- reading ----------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            with trio.move_on_after(HELLO_SECONDS) as deadline:
                self._deadline = deadline
                while data := await self._stream.read():
                    for event in self._session.receive(data):
                        await self._on(event)
                    self._room.set()  # credit is no event, and may have come
        except Refused as refusal:
            _LOG.info("peer %s: %s", self.peer, refusal)
            await self.say_goodbye(refusal)

    async def _on(self, event: events.Event) -> None:
        if not isinstance(event, events.Received):
            await self._intake.drained()  # what follows records counts on their being stored
        match event:
            case events.Compare():
                await self._compare()
            case events.Received():
                await self._take(event)
            case events.Lacks():
                self._nursery.start_soon(self._send_lacking, event)
            case events.Announced():
                self._nursery.start_soon(self._watch, event)
            case _:
                self._on_other(event)
        self._room.set()

    def _on_other(self, event: events.Event) -> None:
        match event:
            case events.Hello():
                self._on_hello(event)
            case events.Wanted():
                self._send(self._session.contents(self._contents(event.ids)))
            case events.Contents():
                self._inbox.take_contents(event.items)
                self._outstanding -= len(event.items)
                if self._outstanding == 0:  # it has what was asked for, and may have more
                    self._ask_contents()
            case events.Peers():
                self._watcher.on_peers(self.peer, event.addresses)
            case events.Keys():
                self._watcher.on_keys(self.person, event.keys)
            case events.Settled():
                self._over([event])
            case events.Goodbye():
                _LOG.info("peer %s says goodbye: %s (%s)", self.peer, event.reason, event.rule)
                self._watcher.on_goodbye(self.peer, event.rule)

    async def _compare(self) -> None:
        # One home at a time is asked for what is missing here, or each would send all of it.
        with trio.move_on_after(TURN_SECONDS):
            await self._watcher.turn.acquire()
            self._my_turn = True
            self._nursery.start_soon(self._keep_turn)
        out, events = self._session.compare(self._inbox.store.heads())
        self._send(out)
        self._over(events)
        # A peer that asks for round after round gets them at a walking pace.
        await trio.sleep(1 / _ROUNDS_A_SECOND if events else 0)

    def _on_hello(self, greeting: events.Hello) -> None:
        self.person = self._credentials.check(greeting, self.peer)
        self.device, self.chain = greeting.device, greeting.chain
        self.met = True
        self._session.admit()
        self._deadline.deadline = trio.current_time() + float("inf")
        self._watcher.on_met(self)
        self.request_round()

    async def _take(self, event: events.Received) -> None:
        self._received += 1

        def then(taken: IngestResult) -> None:
            self._unplaced += len(taken.devices_with_gaps)
            if taken.refused:
                _LOG.info("peer %s sent what is refused: %s", self.peer, taken.refused[0])
            self._watcher.on_stored(taken.stored)
            self._send(self._session.taken(event.size))

        await self._intake.put(self._nursery, event.wires, then)
        await trio.lowlevel.checkpoint()

    def _over(self, events: list[events.Event]) -> None:
        if not events:
            return
        self._end_turn()
        self._watcher.on_settled()
        self._asks = _ASKS
        self._ask_contents()
        if self._unplaced and self._patience:
            self._patience -= 1
            self._again = True
        elif not self._unplaced:
            self._patience = _PATIENCE
        self._unplaced = 0
        if self._again:
            self._again = False
            self.request_round()

    def _ask_contents(self) -> None:
        """R-05.8: asks for contents that are missing here, some at a time."""
        missing = self._inbox.missing_contents(sync.MAX_ASKED) if self._asks else []
        self._asks -= 1
        self._outstanding = len(missing)
        self._send(self._session.want(missing))

    async def _keep_turn(self) -> None:
        """A peer that sends nothing for a while does not keep others waiting."""
        received = -1
        while self._my_turn and received != self._received:
            received = self._received
            await trio.sleep(STILL_SECONDS)
        self._end_turn()

    def _end_turn(self) -> None:
        if self._my_turn:
            self._my_turn = False
            self._watcher.turn.release()

    async def _watch(self, event: events.Announced) -> None:
        """A gap that gossip has not filled after a while is a reason for a round."""
        if self._lacks(event):
            await trio.sleep(GAP_SECONDS)
            if self._lacks(event):
                self.request_round()

    def _lacks(self, event: events.Announced) -> bool:
        known = self._inbox.store.log(event.device)
        return (known is None or known.head.seq < event.seq) and not (known and known.fork)

    # -- writing ----------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if not data:
            return
        self._queued += len(data)
        if self._queued > _QUEUE:
            _LOG.info("peer %s does not read what it asked for (R-05.7)", self.peer)
            self.end()
            return
        self._out.append(data)
        self._wake.set()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            data, self._out = b"".join(self._out), []
            await self._stream.write(data)
            self._queued -= len(data)
            self._room.set()

    async def _send_lacking(self, lacks: events.Lacks) -> None:
        for page in lacking.pages(self._inbox.store, lacks.logs, lacks.forks):
            while self._session.window <= 0 or self._queued > sync.WINDOW:
                await self._room.wait()
                self._room = trio.Event()
            self._send(self._session.records(one.wire for one in page))
            await trio.lowlevel.checkpoint()
        await self._intake.drained()  # the peer's own end may have come: then the round is over
        out, events = self._session.end()
        self._send(out)
        self._over(events)

    def _contents(self, ids: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for one in ids:
            row = self._inbox.store.get(one)
            if row is not None and row.record.content is not None:
                yield one, row.record.content
