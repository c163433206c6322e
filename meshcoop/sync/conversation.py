"""Sync over one stream. Runs a `protocol.wire.sync_session.SyncSession` with the peer, and hands
the records of the peer to the inbox.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

import trio

from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verify_pipeline import Verifier, VerifyPipeline
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.sync import missing_records
from meshcoop.sync.credentials import NO_MEMBER, Credentials
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.record.key_bundle import MAX_KEYS_GIVEN
from protocol.wire import sync_events as events
from protocol.wire.node_addresses import NodeAddresses
from protocol.wire.sync_session import MAX_ASKED, WINDOW, SyncSession

_LOG = logging.getLogger(__name__)

HELLO_SECONDS = 10
TURN_SECONDS = 10  # the longest wait for the compare slot
STILL_SECONDS = 1.5  # a peer that is silent for this time loses the compare slot
GAP_SECONDS = 2  # the time in which gossip may bring records that were announced

_QUEUE = 4 * 1024 * 1024  # bytes that may wait for a peer that does not read
_PATIENCE = 3  # rounds in a row that begin because the round before left gaps
_ROUNDS_A_SECOND = 5
_ASKS = 256  # how often contents are asked for after one round


class ConversationObserver(Protocol):
    """The methods that a conversation calls when something happens. `meshcoop.sync.mesh.Mesh`
    implements these methods.

    In a round, two homes compare their log heads and exchange missing records. Only one
    conversation at a time has the `compare_slot`. A conversation takes the slot for the comparison,
    and gives it back at the end of the round.
    """

    compare_slot: trio.Semaphore

    def on_admitted(self, conversation: "Conversation") -> None:
        """Called when the peer has proved that it is a member's home or a relay."""

    def on_stored(self, records: list[Record]) -> None:
        """Called with the new records from this peer, after they were stored."""

    def on_settled(self) -> None:
        """Called when a round has ended."""

    def on_peers(self, peer: str, statements: list[NodeAddresses]) -> None:
        """Called when the peer sends statements about addresses: its own, and those of
        other homes.
        """

    def on_goodbye(self, peer: str, rule: str) -> None:
        """Called when the peer ends the session. `rule` is the number of the rule that the peer
        gives as the reason.
        """

    def on_keys_wanted(self, conversation: "Conversation", ids: list[bytes]) -> None:
        """Called when the peer asks for group keys."""

    def on_keys_given(self, sealed: bytes) -> None:
        """Called when the peer gives group keys that are sealed to this node's device."""

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """Called when the peer sends gossip keys. If the peer is a home, `person` is the person of
        that home. If the peer is a relay, `person` is None.
        """


class Conversation:
    """A session with one peer, from hello to goodbye.

    Once the peer is admitted, `person` is the person of the peer's home. If the peer is a relay,
    `person` is None.
    """

    def __init__(
        self,
        stream: Stream,
        credentials: Credentials,
        observer: ConversationObserver,
        opener: str,
        verifier: Verifier | None = None,
    ) -> None:
        self.peer = stream.peer
        self.opener = opener  # the peer id of the side that opened the stream
        self.is_admitted = False
        self.person: bytes | None = None
        self.device = b""
        self.chain: list[bytes] = []  # records with which the peer proved that it belongs
        self.clock_ahead: int | None = None  # of the peer's clock, milliseconds; None if not told
        self._stream = stream
        self._credentials = credentials
        self._inbox = credentials.inbox
        self._intake = VerifyPipeline(credentials.inbox, verifier)
        self._session = SyncSession()
        self._observer = observer
        self._scope = trio.CancelScope()
        self._hello_scope = trio.CancelScope()
        # Data to be written, and the events that writers wait for.
        self._outgoing: list[bytes] = []
        self._queued = 0  # bytes
        self._has_outgoing = trio.Event()
        self._has_room = trio.Event()  # data was written, or the peer granted credit
        # The state of the round under way.
        self._wants_round = False
        self._holds_slot = False
        self._received_frames = 0  # frames with records
        self._gaps = 0
        self._patience = _PATIENCE
        self._asks_left = 0  # how often contents may still be asked for before the next round
        self._outstanding = 0  # contents that the last request named and that have not come yet
        # Each peer is asked for all missing contents in turn. With one turn for all peers, a peer
        # could be asked for the same part again and again, and never for the part that it has.
        self._asked_row = 0

    async def run(self) -> None:
        """Talks to the peer until one side ends the session. Never raises, no matter what the peer
        does.
        """
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._write)
                    if self.opener != self.peer:
                        self._session.take_pages()
                        self._greet()
                    await self._read(nursery)
                    await self._intake.drained()
                    self.end()
        except* NetworkError:
            pass  # the peer has gone; there is nobody to tell
        finally:
            self._release_slot()
            with trio.CancelScope(shield=True):
                await self._stream.close()

    def end(self) -> None:
        """Ends the session at once, without a goodbye."""
        self._scope.cancel()

    async def say_goodbye(self, why: Refused) -> None:
        """Tells the peer why the session ends. Waits at most a second. Does nothing if the peer has
        already gone.
        """
        with trio.move_on_after(1), suppress(NetworkError):
            await self._stream.write(self._session.send_goodbye(why))

    def request_round(self) -> None:
        """Starts a round of sync. If a round is under way, starts the new round afterwards."""
        if not self.is_admitted or self._session.is_round_open:
            self._wants_round = True
        else:
            self._send(self._session.begin_round(self._inbox.store.heads()))

    def ask_keys(self, ids: Iterable[bytes]) -> None:
        """R-03.39: asks the peer for these group keys, if the peer is a member's home."""
        if self.person is not None and self._inbox.state.ring.boxes:
            self._send(self._session.ask_for_keys(ids))

    def announce(self, heads: Iterable[tuple[bytes, int]]) -> None:
        """Tells the peer which logs have grown here. `heads` are pairs (device, number of the last
        record).
        """
        if self.is_admitted:
            self._send(self._session.announce_heads(heads))

    def tell_peers(self, statements: Iterable[NodeAddresses]) -> None:
        """Sends the peer the addresses of this home and of other homes."""
        if self.is_admitted:
            self._send(self._session.send_addresses(statements))

    def hand_keys(self, keys: Iterable[bytes]) -> None:
        """Sends the gossip keys of this home to the peer, which is a relay. With these keys, the
        relay can tell which gossip comes from members.
        """
        if self.is_admitted:
            self._send(self._session.send_gossip_keys(keys))

    def give_keys(self, sealed: bytes) -> None:
        """Sends group keys to the peer, sealed to its device."""
        self._send(self._session.give_keys(sealed))

    # -- reading ----------------------------------------------------------------------------------

    async def _read(self, nursery: trio.Nursery) -> None:
        self._hello_scope.deadline = trio.current_time() + HELLO_SECONDS
        try:
            with self._hello_scope:
                while data := await self._stream.read():
                    for event in self._session.receive(data):
                        await self._handle(event, nursery)
                    self._has_room.set()  # the data may have granted credit, and no event says so
        except Refused as refusal:
            _LOG.info("peer %s: %s", self.peer, refusal)
            await self.say_goodbye(refusal)

    async def _handle(self, event: events.SyncEvent, nursery: trio.Nursery) -> None:
        if not isinstance(event, events.RecordsReceived):
            await self._intake.drained()  # a later event needs the earlier records to be stored
        match event:
            case events.DigestReceived():
                await self._compare(nursery)
            case events.HelloReceived():
                await self._credentials.read_chain(event)
                self._on_hello(event)
            case events.RecordsReceived():
                await self._ingest(event, nursery)
            case events.PeerLacks():
                nursery.start_soon(self._send_missing, event)
            case events.HeadAnnounced():
                nursery.start_soon(self._fill_announced_gap, event)
            case events.KeysWanted():
                self._observer.on_keys_wanted(self, event.ids)
                await trio.sleep(1 / _ROUNDS_A_SECOND)  # a peer may ask again and again
            case _:
                self._handle_now(event)
        self._has_room.set()
        await trio.lowlevel.checkpoint()  # one read may bring hundreds of events

    def _handle_now(self, event: events.SyncEvent) -> None:
        """Handles an event if no waiting is needed for it."""
        match event:
            case events.ContentWanted():
                self._send(self._session.send_content(self._contents(event.ids)))
            case events.ContentReceived():
                self._on_contents(event)
            case events.KeysGiven():
                self._observer.on_keys_given(event.sealed)
            case events.ClockReceived():
                self.clock_ahead = self._inbox.state.now() - event.time
            case events.AddressesReceived():
                self._observer.on_peers(self.peer, event.statements)
            case events.GossipKeysReceived():
                self._observer.on_keys(self.person, event.keys)
            case events.RoundSettled():
                self._end_round([event])
            case events.GoodbyeReceived():
                _LOG.info("peer %s says goodbye: %s (%s)", self.peer, event.reason, event.rule)
                if event.rule == NO_MEMBER:
                    self._credentials.note_unconvinced(self.peer)
                self._observer.on_goodbye(self.peer, event.rule)

    def _on_hello(self, greeting: events.HelloReceived) -> None:
        self.person = self._credentials.check(greeting, self.peer)
        self.device = greeting.device
        self.chain = greeting.chain
        self.is_admitted = True
        self._session.admit()
        self._hello_scope.deadline = float("inf")
        if self.opener == self.peer:  # who opened the stream says hello first (R-05.2c)
            self._greet()
        self._send(self._session.tell_clock(self._inbox.state.now()))
        self._observer.on_admitted(self)
        self.request_round()

    def _on_contents(self, event: events.ContentReceived) -> None:
        self._inbox.ingest_contents(event.items)
        self._outstanding -= len(event.items)
        if self._outstanding == 0:  # the peer had all these contents, and may have more
            self._ask_contents()

    async def _ingest(self, event: events.RecordsReceived, nursery: trio.Nursery) -> None:
        self._received_frames += 1

        def on_ingested(result: IngestResult) -> None:
            self._gaps += len(result.devices_with_gaps)
            if result.refused:
                _LOG.info("peer %s sent what is refused: %s", self.peer, result.refused[0])
            self._observer.on_stored(result.stored)
            self._send(self._session.credit_taken(event.size))

        await self._intake.put(nursery, event.wires, on_ingested)

    async def _fill_announced_gap(self, event: events.HeadAnnounced) -> None:
        """Waits a moment for gossip to bring the announced records. If records are still missing
        then, asks for a round.
        """
        if self._lacks(event):
            await trio.sleep(GAP_SECONDS)
            if self._lacks(event):
                self.request_round()

    def _lacks(self, event: events.HeadAnnounced) -> bool:
        log = self._inbox.store.logs.find(event.device)
        if log is None:
            return True
        return log.head.seq < event.seq and not log.fork

    def _greet(self) -> None:
        is_answer = self.opener == self.peer
        self._send(self._credentials.greet(self._session, self.peer, is_answer=is_answer))

    # -- rounds -----------------------------------------------------------------------------------

    async def _compare(self, nursery: trio.Nursery) -> None:
        # Only one home at a time is asked for missing records. Otherwise every home would send
        # them.
        with trio.move_on_after(TURN_SECONDS):
            await self._observer.compare_slot.acquire()
            self._holds_slot = True
            nursery.start_soon(self._watch_slot)
        out, settled = self._session.answer_digest(self._inbox.store.heads())
        self._send(out)
        self._end_round(settled)
        # A peer that asks for many rounds gets only a few a second.
        await trio.sleep(1 / _ROUNDS_A_SECOND if settled else 0)

    def _end_round(self, settled: list[events.SyncEvent]) -> None:
        """Ends the round if the list `settled` has an event.

        To end the round, frees the compare slot (the right to compare logs with a peer now) and
        asks for missing contents. Then starts the next round, if one was requested.
        """
        if not settled:
            return
        self._release_slot()
        self._observer.on_settled()
        self._asks_left = _ASKS
        self._ask_contents()
        self.ask_keys(self._inbox.state.epochs.missing(MAX_KEYS_GIVEN))
        if self._gaps and self._patience:
            self._patience -= 1
            self._wants_round = True
        elif not self._gaps:
            self._patience = _PATIENCE
        self._gaps = 0
        if self._wants_round:
            self._wants_round = False
            self.request_round()

    def _ask_contents(self) -> None:
        """R-05.8: asks the peer for contents that are missing here, a limited number at a time."""
        missing: list[bytes] = []
        if self._asks_left:
            self._asks_left -= 1
            missing, self._asked_row = self._inbox.missing_contents(self._asked_row, MAX_ASKED)
        self._outstanding = len(missing)
        self._send(self._session.ask_for_content(missing))

    async def _watch_slot(self) -> None:
        """Frees the compare slot if the peer sends no records for a while. The compare slot is the
        right to compare logs with a peer now.
        """
        before = -1
        while self._holds_slot and before != self._received_frames:
            before = self._received_frames
            await trio.sleep(STILL_SECONDS)
        self._release_slot()

    def _release_slot(self) -> None:
        if self._holds_slot:
            self._holds_slot = False
            self._observer.compare_slot.release()

    # -- writing ----------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if not data:
            return
        self._queued += len(data)
        if self._queued > _QUEUE:
            _LOG.info("peer %s does not read what it asked for (R-05.7)", self.peer)
            self.end()
            return
        self._outgoing.append(data)
        self._has_outgoing.set()

    async def _write(self) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing = trio.Event()
            data = b"".join(self._outgoing)
            self._outgoing = []
            await self._stream.write(data)
            self._queued -= len(data)
            self._has_room.set()

    async def _send_missing(self, lacks: events.PeerLacks) -> None:
        """Sends the records that the peer lacks. Pauses whenever the peer is not ready to take
        more.
        """
        for page in missing_records.missing_pages(self._inbox.store, lacks.logs, lacks.forks):
            while self._session.send_window <= 0 or self._queued > WINDOW:
                await self._has_room.wait()
                self._has_room = trio.Event()
            self._send(self._session.send_records(record.wire for record in page))
            await trio.lowlevel.checkpoint()
        await self._intake.drained()  # if the peer has ended the round already, it ends here too
        out, settled = self._session.send_end()
        self._send(out)
        self._end_round(settled)

    def _contents(self, ids: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        for record_id in ids:
            row = self._inbox.store.records.find(record_id)
            if row is not None and row.record.content is not None:
                yield record_id, row.record.content
