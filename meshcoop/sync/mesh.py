"""The mesh: connects a node with the other nodes of one neighbourhood. The mesh runs gossip, sync
and the choice of peers over a network that the caller provides.

A relay runs `meshcoop.relay.tenant.RelayMesh`. A home runs `meshcoop.sync.home_mesh.HomeMesh`,
which also signs records.
"""

import logging
from collections.abc import Callable, Collection, Iterable

import trio

from meshcoop.home.sealed_file import SealedFile
from meshcoop.ingest.backlog import Backlog
from meshcoop.ingest.inbox import AT_ONCE, Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.dial_rules import find_ip
from meshcoop.network.doorway import answer_door, open_door
from meshcoop.network.interface import Network, NetworkError, Stream, TaskStatus
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.sync.address_book import AddressBook
from meshcoop.sync.conversation import GAP_SECONDS, Conversation
from meshcoop.sync.credentials import Credentials
from meshcoop.sync.peer_manager import PeerManager
from meshcoop.sync.stated_addresses import StatedAddresses
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.record.peer_id import peer_id
from protocol.wire import door, gossip
from protocol.wire import sync_session as sync
from protocol.wire.node_addresses import MAX_ADDRESSES, NodeAddresses, state_addresses

_LOG = logging.getLogger(__name__)

ROUND_SECONDS = 60
ANNOUNCE_SECONDS = 1
RELAYS = 2  # how many relays a node stays connected to, if the neighbourhood has them

_TEND_SECONDS = 2
_OUTBOX = 4096  # records that may wait to be gossiped; any further ones are only announced


class Mesh:
    """Exchanges records with the other nodes of the neighbourhood.

    `now` returns milliseconds. `verifier` verifies signatures in another process. If `verifier` is
    None, this process verifies signatures. Simulations need this, because they must repeat exactly.
    The file `neighbours` keeps the addresses of other homes beside the store.
    """

    def __init__(
        self,
        network: Network,
        inbox: Inbox,
        credentials: Credentials,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None = None,
        neighbours: SealedFile | None = None,
    ) -> None:
        self.network = network
        self.inbox = inbox
        self.credentials = credentials
        self.backlog = Backlog(inbox, self.on_stored, self._request_some_round)
        self.conversations: dict[str, Conversation] = {}
        self.admitted_at: dict[str, int] = {}  # peer → when it proved its membership, milliseconds
        self.compare_slot = trio.Semaphore(1)
        self.settled_at: int | None = None  # when a round of sync was last completed, milliseconds
        self.settled = trio.Event()  # set when a first round of sync is completed
        self.peers = PeerManager(
            network,
            AddressBook(inbox.store, network.peer_id, neighbours),
            talk=self._talk,
            talking=lambda: set(self.conversations),
            random=random,
        )
        self.stated = StatedAddresses(inbox.state.neighbourhood)
        self._own_statement: NodeAddresses | None = None
        self._told_addresses: list[NodeAddresses] = []
        self._now = now
        self.random = random
        self._verifier = verifier
        self._outgoing, self._to_gossip = trio.open_memory_channel[Record](_OUTBOX)
        self._grown: set[bytes] = set()  # devices whose logs have grown since the last announcement
        self._has_grown = trio.Event()
        self._under_way: set[Conversation] = set()  # all conversations, admitted or not
        self._conversation_ended = trio.Event()
        self._is_closed = False
        self._topic = gossip.topic_name(inbox.state.neighbourhood)

    async def run(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled. Reports that the mesh has started, as soon as it answers peers and
        receives gossip.
        """
        with self.network.serve(sync.PROTOCOL, self._answer):
            async with (
                self.network.subscribe(self._topic, self._is_valid) as messages,
                trio.open_nursery() as nursery,
            ):
                nursery.start_soon(self._receive_gossip, messages)
                nursery.start_soon(self._publish_loop)
                nursery.start_soon(self._announce_loop)
                nursery.start_soon(self._rounds_loop)
                nursery.start_soon(self._tend_loop)
                nursery.start_soon(self.backlog.run)
                nursery.start_soon(self.peers.run)
                task_status.started()

    async def close_all(self, why: Refused | None = None) -> None:
        """Ends all conversations, and lets no new conversation begin. If `why` is given, tells the
        peers first.

        Conversations run in tasks of the network, not of this mesh. Without this method, the
        conversations would go on after the mesh has ended.
        """
        self._is_closed = True
        for conversation in list(self._under_way):
            if why is not None:
                await conversation.say_goodbye(why)
            conversation.end()
        while self._under_way:
            self._conversation_ended = trio.Event()
            await self._conversation_ended.wait()

    def publish(self, record: Record) -> None:
        """Gossips a record of this home. The record must already be safely stored."""
        try:
            self._outgoing.send_nowait(record)
        except trio.WouldBlock:
            _LOG.info("too much to gossip at once; the rest follows by sync")
        self._note_growth([record.header.device])

    # -- conversations ----------------------------------------------------------------------------

    async def _answer(self, stream: Stream) -> None:
        keys = {door.door_key(self.inbox.state.neighbourhood): None}
        try:
            opened, _ = await answer_door(stream, self.network.peer_id, keys, self.random)
        except NetworkError as error:
            _LOG.info("peer %s at the door: %s", stream.peer, error)
            return
        await self._converse(opened.stream, stream.peer)

    async def _talk(self, stream: Stream) -> None:
        try:
            opened = await open_door(
                stream, self.network.peer_id, self.inbox.state.neighbourhood, self.random
            )
        except NetworkError:
            await stream.close()
            raise
        await self._converse(opened.stream, self.network.peer_id)

    async def _converse(self, stream: Stream, opener: str) -> None:
        if self._is_closed:
            return
        conversation = Conversation(stream, self.credentials, self, opener, self._verifier)
        peer = conversation.peer
        self._under_way.add(conversation)
        try:
            with log_disk_errors(f"the conversation with {peer} ends"):
                await conversation.run()
        except Exception:  # noqa: BLE001  # logged loudly, but the node goes on
            _LOG.exception("a conversation with %s is lost to a fault of ours", peer)
        finally:
            self._under_way.discard(conversation)
            self._conversation_ended.set()
            if self.conversations.get(peer) is conversation:
                del self.conversations[peer]
                del self.admitted_at[peer]
                self._share_topic()
            self.peers.conversation_ended(peer)

    def on_admitted(self, conversation: Conversation) -> None:
        """Registers a conversation whose peer has proved its membership.

        If there are two conversations with this peer, both nodes keep the same one of the two, and
        end the other.
        """
        peer = conversation.peer
        other = self.conversations.get(peer)
        if other is not None and other.opener < conversation.opener:
            conversation.end()
            return
        if other is not None:
            other.end()
        self.conversations[peer] = conversation
        self.admitted_at[peer] = self._now()
        self.peers.conversation_began()
        self._share_topic()
        address = self.network.peers().get(peer)
        if address and conversation.opener == self.network.peer_id:
            self.peers.book.note_meeting(address, self._now())
        conversation.tell_peers(self._addresses_to_tell()[: sync.MAX_PEERS])

    def on_keys_wanted(self, conversation: Conversation, ids: list[bytes]) -> None:
        """Does nothing: a relay has no group keys to give. At a home, `HomeMesh` gives keys."""

    def on_keys_given(self, sealed: bytes) -> None:
        """Does nothing: a relay keeps no group keys. At a home, `HomeMesh` keeps them."""

    def on_stored(self, records: list[Record]) -> None:
        """Notes that sync with a peer has brought new records. The other peers will hear soon which
        logs have grown.
        """
        self._note_growth(record.header.device for record in records)

    def on_settled(self) -> None:
        """Notes that a round of sync with another node has ended."""
        self.settled_at = self._now()
        self.settled.set()

    def on_peers(self, peer: str, statements: list[NodeAddresses]) -> None:
        """Learns the addresses of a peer and of further homes."""
        met_at = self.network.peers().get(peer, "")
        ip = find_ip(met_at)
        is_on_machine = ip is not None and ip.is_loopback and "/p2p-circuit/" not in met_at
        for statement in self.stated.take(peer, statements, self.home_peers()):
            is_own = statement.peer == peer
            self.peers.learn_stated(statement, is_on_machine=is_own and is_on_machine)

    def home_peers(self) -> Collection[str]:
        """Returns the peer ids that `home` records of members name. This class returns an empty
        tuple, because a relay cannot read these records.
        """
        return ()

    def on_keys(self, person: bytes | None, keys: list[bytes]) -> None:
        """Ignores the gossip keys that a peer sends, because a home derives gossip keys from its
        own group keys. At a relay, `RelayMesh` stores the keys.
        """

    def on_goodbye(self, peer: str, rule: str) -> None:
        """Does nothing, because a peer may leave at any time."""

    async def _rounds_loop(self) -> None:
        while True:
            await trio.sleep(ROUND_SECONDS)
            self._request_some_round()

    def _request_some_round(self) -> None:
        """Starts a round of sync with one of the connected peers, drawn at random."""
        if self.conversations:
            choice = int.from_bytes(self.random(4), "big") % len(self.conversations)
            _, conversation = sorted(self.conversations.items())[choice]
            conversation.request_round()

    # -- gossip -----------------------------------------------------------------------------------

    def _share_topic(self) -> None:
        """R-04.5: shares the gossip topic with the peers whose hello this node has accepted, and
        with no others.
        """
        self.network.share_topic(self._topic, set(self.conversations))

    def _is_valid(self, data: bytes) -> bool:
        state = self.inbox.state
        try:
            gossip.accept_frame(
                data, state.ring.gossip_keys, state.neighbourhood, self._is_plausible
            )
        except Refused:
            return False
        return True

    def _is_plausible(self, record: Record) -> bool:
        """R-04.4: returns whether a record from gossip may have a place in its log. The record's
        number must not lie beyond the end or the fork of the log, and not too far ahead.

        This check stops a member who floods the network with records. Without this check, every
        node would verify each such record and pass it on.
        """
        seq = record.header.seq
        log = self.inbox.store.logs.find(record.header.device)
        if log is None:
            return seq <= gossip.MAX_AHEAD
        is_beyond_end = log.ended is not None and seq > log.ended
        is_beyond_fork = log.fork is not None and seq >= log.fork
        return not is_beyond_end and not is_beyond_fork and seq <= log.head.seq + gossip.MAX_AHEAD

    async def _receive_gossip(self, messages: trio.MemoryReceiveChannel[bytes]) -> None:
        async with trio.open_nursery() as nursery:
            async for first in messages:
                burst = [first]
                while len(burst) < AT_ONCE:
                    try:
                        burst.append(messages.receive_nowait())
                    except trio.WouldBlock:
                        break
                result = self._ingest_gossip(burst)
                if result.devices_with_gaps:
                    nursery.start_soon(self._fill_gap, result)

    def _ingest_gossip(self, burst: list[bytes]) -> IngestResult:
        try:
            with log_disk_errors("gossip is lost, and comes again by sync"):
                return self.inbox.ingest_wires(message[gossip.WIRE_AT :] for message in burst)
        except Exception:  # noqa: BLE001  # logged loudly, but the node goes on
            _LOG.exception("gossip is lost to a fault of ours")
        return IngestResult()

    async def _fill_gap(self, result: IngestResult) -> None:
        """Waits a moment for gossip to bring missing records. If records are still missing then,
        starts a round of sync.

        Gossip loses records and changes their order, so many gaps fill without a round.
        """
        await trio.sleep(GAP_SECONDS)
        still_waiting = self.inbox.pool.devices() & result.devices_with_gaps
        if still_waiting or result.diverged_devices:  # a log has another history there
            self._request_some_round()

    async def _publish_loop(self) -> None:
        async for record in self._to_gossip:
            key = next(iter(self.inbox.state.epochs.gossip_keys()), None)
            if key is not None and record.content is not None:
                await self.network.publish(self._topic, gossip.encode_frame(record.wire, key))

    # -- announcing and tending -------------------------------------------------------------------

    def _note_growth(self, devices: Iterable[bytes]) -> None:
        self._grown.update(devices)
        if self._grown:
            self._has_grown.set()

    async def _announce_loop(self) -> None:
        while True:
            await self._has_grown.wait()
            self._has_grown = trio.Event()
            logs = [self.inbox.store.logs.find(device) for device in sorted(self._grown)]
            self._grown = set()
            heads = [(log.device, log.head.seq) for log in logs if log]
            for conversation in list(self.conversations.values()):
                conversation.announce(heads)
            await trio.sleep(ANNOUNCE_SECONDS)

    async def _tend_loop(self) -> None:
        while True:
            self.backlog.wake_if_due()
            self._end_strangers()
            self._learn_relays()
            self._tell_new_addresses()
            await trio.sleep(_TEND_SECONDS)

    def _tell_new_addresses(self) -> None:
        """Learns statements that waited for a `home` record. Sends the new statements to
        all peers.
        """
        for statement in self.stated.take_waiting(self.home_peers()):
            self.peers.learn_stated(statement)
        addresses = self._addresses_to_tell()
        new = [statement for statement in addresses if statement not in self._told_addresses]
        self._told_addresses = addresses
        for conversation in list(self.conversations.values()) if new else ():
            conversation.tell_peers(new)

    def _addresses_to_tell(self) -> list[NodeAddresses]:
        """Returns the address statements of this node and of other homes. If the addresses of this
        node have changed, makes a new statement for them.
        """
        addresses = self.network.addresses[:MAX_ADDRESSES]
        own = self._own_statement
        if own is None or own.addresses != addresses:
            # The time makes the number rise over restarts too.
            number = self._now() if own is None else max(self._now(), own.number + 1)
            own = self._own_statement = state_addresses(
                self.network.peer_id,
                self.network.sign,
                self.inbox.state.neighbourhood,
                number,
                addresses,
            )
        return [own, *self.stated.handed_on(self.home_peers())]

    def _learn_relays(self) -> None:
        """Learns the addresses of the neighbourhood's relays. If too few relays are connected, lets
        the peer manager dial relays, even if this node has enough links to other nodes.
        """
        authority = self.inbox.state.authority
        relays = {}
        if authority is not None:
            relays = {peer_id(key): relay for key, relay in authority.relays.items()}
        for peer, relay in relays.items():
            self.peers.learn(f"{address}/p2p/{peer}" for address in relay.addresses)
        has_enough = len(relays.keys() & self.conversations.keys()) >= RELAYS
        self.peers.want(set() if has_enough else set(relays))

    def _end_strangers(self) -> None:
        """Ends conversations with peers that no longer belong to the neighbourhood (R-05.3)."""
        for conversation in list(self.conversations.values()):
            if not self.credentials.belongs(conversation.device, conversation.chain):
                _LOG.info("peer %s belongs to nobody here any more", conversation.peer)
                conversation.end()
