"""The mesh: gossip, sync and peers of one neighbourhood, over whatever network it is given."""

import logging
from collections.abc import Callable, Iterable
from functools import partial

import trio

from meshcoop import deciding, duties
from meshcoop.author import Author
from meshcoop.inbox import Taken
from meshcoop.intake import Verifier
from meshcoop.network import Network, Starting, Stream
from meshcoop.peers import Peers
from meshcoop.reconcile import GAP_SECONDS, Conversation, Credentials
from meshcoop.rotation import Rotation
from protocol import gossip, sync
from protocol.errors import Refused
from protocol.record import Record

_LOG = logging.getLogger(__name__)

ROUND_SECONDS = 60
ANNOUNCE_SECONDS = 1
OWN_HEAD_SECONDS = 5  # how long others are asked for this home's own head before it signs
_DUTY_SECONDS = 2
_LOOK_AGAIN_MS = 10_000  # duties are gone through at least so often
_SEAL_AFTER_MS = 10_000
_OUTBOX = 4096  # records waiting to be gossiped; one that falls out is announced all the same
_BURST = 200  # gossiped records stored in one transaction


class Mesh:
    """Talks to the other homes of the neighbourhood. `now` is in milliseconds; without a
    `verifier` signatures are verified in place, as simulations need it to replay exactly.
    """

    def __init__(
        self,
        network: Network,
        author: Author,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None = None,
    ) -> None:
        self.network = network
        self.author = author
        self.inbox = author.inbox
        self.conversations: dict[str, Conversation] = {}
        self.since: dict[str, int] = {}  # peer → when it proved its membership, milliseconds
        self.may_sign = trio.Event()  # this home knows what it last signed
        self.turn = trio.Semaphore(1)
        self.settled = trio.Event()  # a round with some member has been completed
        self._now, self._random, self._verifier = now, random, verifier
        device, seed = next(iter(author.devices.items()))
        self.credentials = Credentials(self.inbox, network.peer_id, device, seed)
        self.peers = Peers(
            network,
            self.inbox.store.db,
            talk=self._talk,
            talking=lambda: set(self.conversations),
            random=random,
        )
        self._outgoing, self._to_gossip = trio.open_memory_channel[Record](_OUTBOX)
        self._expected: set[bytes] = set()  # people who came by an invitation of this home
        self._grown: set[bytes] = set()
        self._growth = trio.Event()
        self._countersigner = duties.Countersigner(author)
        self._rotation = Rotation(author, now)
        author.signed.append(self._publish)

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
            nursery.start_soon(self._learn_own_head)
            nursery.start_soon(self._duties)
            nursery.start_soon(self.peers.run)
            task_status.started()

    async def _learn_own_head(self) -> None:
        """Before it signs, a home asks others how far its own log is: a disk that was restored
        must not sign twice with one number. Where nobody is there it goes on: homes are often alone.
        """
        if self.peers.known:
            with trio.move_on_after(OWN_HEAD_SECONDS):
                await self.settled.wait()
        self.may_sign.set()

    def expect(self, person: bytes) -> None:
        """Somebody has come by an invitation of this home, which then gives them the keys at once."""
        self._expected.add(person)

    # -- sync -------------------------------------------------------------------------------------

    async def _answer(self, stream: Stream) -> None:
        await self._converse(stream, stream.peer)

    async def _talk(self, stream: Stream) -> None:
        await self._converse(stream, self.network.peer_id)

    async def _converse(self, stream: Stream, opener: str) -> None:
        one = Conversation(stream, self.credentials, self, opener, self._verifier)
        try:
            await one.run()
        except Exception:  # noqa: BLE001  # loud, and still not the end of the node
            _LOG.exception("a conversation with %s is lost to a fault of ours", one.peer)
        finally:
            if self.conversations.get(one.peer) is one:
                del self.conversations[one.peer]
                del self.since[one.peer]
            self.peers.left(one.peer)

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
        self.settled.set()

    def on_peers(self, peer: str, addresses: list[str]) -> None:
        """Further homes to talk to. Where a member's own home says it is, others are told too."""
        self.peers.learn(addresses)
        for address in addresses:
            if address.endswith(f"/p2p/{peer}"):
                self.peers.met(address, self._now())

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
            gossip.accept(data, state.ring.gossip_keys, state.neighbourhood)
        except Refused:
            return False
        return True

    async def _hear(self, heard: trio.MemoryReceiveChannel[bytes]) -> None:
        async with trio.open_nursery() as nursery:
            async for first in heard:
                frames = [first]
                while len(frames) < _BURST:
                    try:
                        frames.append(heard.receive_nowait())
                    except trio.WouldBlock:
                        break
                try:
                    taken = self.inbox.take_wires(frame[gossip.MAC :] for frame in frames)
                except Exception:  # noqa: BLE001  # loud, and still not the end of the node
                    _LOG.exception("gossip is lost to a fault of ours")
                    continue
                if taken.unplaced:
                    nursery.start_soon(self._fill_gap, taken)

    async def _fill_gap(self, taken: Taken) -> None:
        """Gossip loses and shuffles; a gap that stays is filled by sync."""
        await trio.sleep(GAP_SECONDS)
        waiting = self.inbox.pool.devices() & taken.unplaced
        if waiting or any("R-01.12" in line for line in taken.refused):
            self._round_with_somebody()

    def _publish(self, one: Record) -> None:
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

    # -- announcing and duties --------------------------------------------------------------------

    def _grow(self, devices: Iterable[bytes]) -> None:
        self._grown.update(devices)
        if self._grown:
            self._growth.set()

    async def _announce(self) -> None:
        while True:
            await self._growth.wait()
            self._growth = trio.Event()
            grown, self._grown = self._grown, set()
            logs = [known for one in sorted(grown) if (known := self.inbox.store.log(one))]
            heads = [(known.device, known.head.seq) for known in logs]
            for conversation in list(self.conversations.values()):
                conversation.announce(heads)
            await trio.sleep(ANNOUNCE_SECONDS)

    async def _duties(self) -> None:
        await self.may_sign.wait()
        seen, again = None, self._now()
        while True:
            self.inbox.state.fold_due()
            # A while after they were met: mostly their voucher's home has given them the keys.
            late = self._now() - _SEAL_AFTER_MS
            known = self.conversations.items()
            met = {one.person for peer, one in known if one.person and self.since[peer] < late}
            # A home where nothing has happened has nothing to do, but for what a clock makes due.
            facts = self.inbox.store.db.total_changes, met | self._expected, self.author.able
            if facts != seen or self._now() >= again:
                self._do(met | self._expected)
                seen, again = facts, self._now() + _LOOK_AGAIN_MS
            self._part()
            await trio.sleep(_DUTY_SECONDS)

    def _do(self, met: set[bytes]) -> None:
        """What software signs by itself, as far as there is something."""
        for duty in (
            partial(duties.accept_charter, self.author),
            self._rotation.run,
            partial(duties.seal_epochs, self.author, met),
            partial(deciding.decide, self.author),
            self._countersigner.run,
        ):
            try:
                if self.author.able:
                    duty()
            except Refused as refusal:  # such as the day's quota: it stays due
                _LOG.warning("put off until later: %s", refusal)

    def _part(self) -> None:
        """Ends conversations with devices that belong to nobody here any more (R-05.3)."""
        known = self.inbox.state.authority
        for one in list(self.conversations.values()):
            device = known.devices.get(one.device) if known else None
            if known and (
                known.author(one.device) is None or (device and device.revoked is not None)
            ):
                _LOG.info("peer %s belongs to nobody here any more", one.peer)
                one.end()
