"""The mesh: gossip, sync and peers of one neighbourhood, over whatever network it is given.

A relay runs it as it is; a home, whose software also signs, runs `meshcoop.home_mesh`.
"""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import trio

from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, Starting, Stream
from meshcoop.store.disk_errors import enduring
from meshcoop.sync.conversation import GAP_SECONDS, Conversation
from meshcoop.sync.credentials import Credentials
from meshcoop.sync.peer_manager import Peers
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.record.peer_id import peer_id
from protocol.wire import gossip
from protocol.wire import sync_session as sync

_LOG = logging.getLogger(__name__)

ROUND_SECONDS = 60
ANNOUNCE_SECONDS = 1
RELAYS = 2  # that a node keeps links with, where there are so many
_TEND_SECONDS = 2
_OUTBOX = 4096  # records waiting to be gossiped; one that falls out is announced all the same
_BURST = 200  # gossiped records stored in one transaction


class Mesh:
    """Talks to the other nodes of the neighbourhood. `now` is in milliseconds; without a
    `verifier` signatures are verified in place, as simulations need it to replay exactly.
    `neighbours`: a file where the addresses of other homes are kept beside the store.
    """

    def __init__(
        self,
        network: Network,
        inbox: Inbox,
        credentials: Credentials,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None = None,
        neighbours: Path | None = None,
    ) -> None:
        self.network = network
        self.inbox = inbox
        self.credentials = credentials
        self.conversations: dict[str, Conversation] = {}
        self.since: dict[str, int] = {}  # peer → when it proved its membership, milliseconds
        self.turn = trio.Semaphore(1)
        self.settled_at: int | None = None  # when a round was last completed, milliseconds
        self.settled = trio.Event()  # a round with some member has been completed
        self._now, self._random, self._verifier = now, random, verifier
        self.peers = Peers(
            network,
            inbox.store,
            talk=self._talk,
            talking=lambda: set(self.conversations),
            random=random,
            beside=neighbours,
        )
        self._outgoing, self._to_gossip = trio.open_memory_channel[Record](_OUTBOX)
        self._grown: set[bytes] = set()
        self._growth = trio.Event()
        self._under_way: set[Conversation] = set()  # met or not
        self._one_less = trio.Event()
        self._hung_up = False

    async def run(self, *, task_status: Starting = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once peers are answered and gossip is heard."""
        async with trio.open_nursery() as nursery:
            self.network.serve(sync.PROTOCOL, self._answer)
            topic = gossip.topic(self.inbox.state.neighbourhood)
            heard = await self.network.subscribe(topic, self._valid)
            nursery.start_soon(self._hear, heard)
            nursery.start_soon(self._say, topic)
            nursery.start_soon(self._announce)
            nursery.start_soon(self._rounds)
            nursery.start_soon(self._tend)
            nursery.start_soon(self.peers.run)
            task_status.started()

    # -- sync -------------------------------------------------------------------------------------

    async def _answer(self, stream: Stream) -> None:
        await self._converse(stream, stream.peer)

    async def _talk(self, stream: Stream) -> None:
        await self._converse(stream, self.network.peer_id)

    async def _converse(self, stream: Stream, opener: str) -> None:
        if self._hung_up:
            return
        one = Conversation(stream, self.credentials, self, opener, self._verifier)
        self._under_way.add(one)
        try:
            with enduring(f"the conversation with {one.peer} ends"):
                await one.run()
        except Exception:  # noqa: BLE001  # loud, and still not the end of the node
            _LOG.exception("a conversation with %s is lost to a fault of ours", one.peer)
        finally:
            self._under_way.discard(one)
            self._one_less.set()
            if self.conversations.get(one.peer) is one:
                del self.conversations[one.peer]
                del self.since[one.peer]
            self.peers.left(one.peer)

    async def hang_up(self, why: Refused | None = None) -> None:
        """Ends all conversations, and has none from now on. They run in the network's tasks, not
        in this mesh's, and would outlive it.
        """
        self._hung_up = True
        for one in list(self._under_way):
            if why is not None:
                await one.say_goodbye(why)
            one.end()
        while self._under_way:
            self._one_less = trio.Event()
            await self._one_less.wait()

    def on_met(self, one: Conversation) -> None:
        """The peer is a member. Of two conversations with it, both sides keep the same one."""
        other = self.conversations.get(one.peer)
        if other is not None and other.opener < one.opener:
            one.end()
            return
        if other is not None:
            other.end()
        self.conversations[one.peer] = one
        self.since[one.peer] = self._now()
        address = self.network.peers().get(one.peer)
        if address and one.opener == self.network.peer_id:
            self.peers.met(address, self._now())
        one.tell_peers([*self.network.addresses, *self.peers.known][: sync.MAX_PEERS])

    def on_stored(self, records: list[Record]) -> None:
        """What came by sync from one peer is announced to the others."""
        self._grow(one.fields.device for one in records)

    def on_settled(self) -> None:
        """This home has compared notes with at least one other."""
        self.settled_at = self._now()
        self.settled.set()

    def on_peers(self, peer: str, addresses: list[str]) -> None:
        """Further homes to talk to. Where a member's own home says it is, others are told too."""
        self.peers.learn(addresses)
        for address in addresses:
            if address.endswith(f"/p2p/{peer}"):
                self.peers.met(address, self._now())

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """Nothing: a home makes these keys of those that it reads with."""

    def on_goodbye(self, peer: str, rule: str) -> None:
        """Nothing: a peer may go when it likes."""

    async def _rounds(self) -> None:
        while True:
            await trio.sleep(ROUND_SECONDS)
            self._round_with_somebody()

    def _round_with_somebody(self) -> None:
        if self.conversations:
            choice = int.from_bytes(self._random(4), "big") % len(self.conversations)
            sorted(self.conversations.items())[choice][1].request_round()

    # -- gossip -----------------------------------------------------------------------------------

    def _valid(self, data: bytes) -> bool:
        state = self.inbox.state
        try:
            gossip.accept(data, state.ring.gossip_keys, state.neighbourhood, self._plausible)
        except Refused:
            return False
        return True

    def _plausible(self, one: Record) -> bool:
        """R-04.4: whether the record may still find its place: else a member who floods would be
        verified and passed on without end.
        """
        known, seq = self.inbox.store.logs.find(one.fields.device), one.fields.seq
        if known is None:
            return seq <= gossip.MOST_AHEAD
        beyond = known.ended is not None and seq > known.ended
        forked = known.fork is not None and seq >= known.fork
        return not beyond and not forked and seq <= known.head.seq + gossip.MOST_AHEAD

    async def _hear(self, heard: trio.MemoryReceiveChannel[bytes]) -> None:
        async with trio.open_nursery() as nursery:
            async for first in heard:
                frames = [first]
                while len(frames) < _BURST:
                    try:
                        frames.append(heard.receive_nowait())
                    except trio.WouldBlock:
                        break
                taken = IngestResult()
                try:
                    with enduring("gossip is lost, and comes again by sync"):
                        taken = self.inbox.take_wires(frame[gossip.MAC :] for frame in frames)
                except Exception:  # noqa: BLE001  # loud, and still not the end of the node
                    _LOG.exception("gossip is lost to a fault of ours")
                if taken.devices_with_gaps:
                    nursery.start_soon(self._fill_gap, taken)

    async def _fill_gap(self, taken: IngestResult) -> None:
        """Gossip loses and shuffles; a gap that stays is filled by sync."""
        await trio.sleep(GAP_SECONDS)
        waiting = self.inbox.pool.devices() & taken.devices_with_gaps
        if waiting or taken.diverged_devices:
            self._round_with_somebody()

    def publish(self, one: Record) -> None:
        """Gossips a record of this home, which is safely stored."""
        try:
            self._outgoing.send_nowait(one)
        except trio.WouldBlock:
            _LOG.info("too much to gossip at once; the rest follows by sync")
        self._grow([one.fields.device])

    async def _say(self, topic: str) -> None:
        async for one in self._to_gossip:
            key = next(iter(self.inbox.state.ring.gossip_keys), None)
            if key is not None and one.content is not None:
                await self.network.publish(topic, gossip.frame(one.wire, key))

    # -- announcing and tending -------------------------------------------------------------------

    def _grow(self, devices: Iterable[bytes]) -> None:
        self._grown.update(devices)
        if self._grown:
            self._growth.set()

    async def _announce(self) -> None:
        while True:
            await self._growth.wait()
            self._growth = trio.Event()
            grown, self._grown = self._grown, set()
            logs = [known for one in sorted(grown) if (known := self.inbox.store.logs.find(one))]
            heads = [(known.device, known.head.seq) for known in logs]
            for conversation in list(self.conversations.values()):
                conversation.announce(heads)
            await trio.sleep(ANNOUNCE_SECONDS)

    async def _tend(self) -> None:
        while True:
            with enduring("what is due now cannot be folded"):
                self.inbox.state.fold_due()
            self._part()
            self._learn_relays()
            await trio.sleep(_TEND_SECONDS)

    def _learn_relays(self) -> None:
        """Relays are dialled however many homes are linked, until there are enough of them."""
        known = self.inbox.state.authority
        relays = {peer_id(key): one for key, one in known.relays.items()} if known else {}
        for peer, one in relays.items():
            self.peers.learn(f"{address}/p2p/{peer}" for address in one.addresses)
        enough = len(relays.keys() & self.conversations.keys()) >= RELAYS
        self.peers.wanted = set() if enough else set(relays)

    def _part(self) -> None:
        """Ends conversations with those who belong to nobody here any more (R-05.3)."""
        for one in list(self.conversations.values()):
            if not self.credentials.belongs(one.device, one.chain):
                _LOG.info("peer %s belongs to nobody here any more", one.peer)
                one.end()
