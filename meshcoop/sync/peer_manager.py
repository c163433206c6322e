"""The peer manager chooses which peers to dial and when, and drops peers that prove nothing.

The peer manager keeps a few links to other nodes. After each failure at an address, the peer
manager waits longer before it dials the address again. A peer that does not show membership or an
invitation in time is dropped. libp2p has a connector of its own, which is switched off
(meshcoop.network.libp2p).
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable

import trio

from meshcoop.network.dial_rules import is_on_link, may_dial
from meshcoop.network.interface import Network, NetworkError, Stream
from meshcoop.sync.address_book import AddressBook, KnownAddress
from protocol.wire import sync_session as sync
from protocol.wire.node_addresses import NodeAddresses

LINKS = 8
LOOK_SECONDS = 60  # how often a node with enough links dials one more peer
PROOF_SECONDS = 12  # 10 for the hello, and a little for the stream to open
GUEST_SECONDS = 120  # more time, for a peer that has shown an invitation

ATTEMPTS_A_MINUTE = 30

_FIRST_PAUSE = 0.5  # seconds before an address that failed is dialled again, at the least
_LAST_PAUSE = 40.0
# At an address at which its key never answered there are three tries a day, after these seconds.
_PAUSES_BEFORE_ANSWER = (5.0, 600.0, 86_400.0)
_MINUTE = 60.0
_TICK = 0.5
_IDLE = 10.0


class PeerManager:
    """Keeps connections to homes whose addresses are in the address book.

    `talk(stream)` runs a sync session, and returns when the session ends. `talking()` returns the
    peers with a session under way.
    """

    def __init__(
        self,
        network: Network,
        book: AddressBook,
        *,
        talk: Callable[[Stream], Awaitable[None]],
        talking: Callable[[], set[str]],
        random: Callable[[int], bytes],
    ) -> None:
        self.book = book
        self._network = network
        self._talk = talk
        self._talking = talking
        self._random = random
        self._attempts: deque[float] = deque()  # the times of the last minute's attempts
        self._dialling: dict[str, None] = {}  # peers dialled, until they hang up; oldest first
        self._wanted: set[str] = set()  # peers to dial even if there are enough links
        self._look_at = 0.0
        self._stirred = trio.Event()  # set when there may be a peer to dial or to drop
        self._guests: set[str] = set()
        self._visits: dict[str, object] = {}  # peer → its present connection
        self._nursery: trio.Nursery | None = None  # set while `run` runs
        if book.entries:
            self._stirred.set()

    def learn(self, addresses: Iterable[str]) -> None:
        """Learns the addresses of homes from a list of texts. Skips texts that are no address of a
        home, and addresses that this node must not dial (R-05.9d).
        """
        subnets = self._network.subnets
        if self.book.learn(address for address in addresses if may_dial(address, subnets)):
            self._stirred.set()

    def learn_by_hand(self, addresses: Iterable[str]) -> None:
        """Learns addresses of homes from an invitation that a person has typed."""
        if self.book.learn(addresses):
            self._stirred.set()

    def learn_stated(self, statement: NodeAddresses, *, is_on_machine: bool = False) -> None:
        """Learns the addresses that a node states as its own. `is_on_machine` says whether the node
        was met on this same machine.
        """
        subnets = self._network.subnets
        addresses = [
            address
            for address in statement.addresses
            if may_dial(address, subnets, is_on_machine=is_on_machine)
        ]
        if self.book.learn_stated(statement.peer, addresses):
            self._stirred.set()

    def want(self, peers: set[str]) -> None:
        """Sets which peers this node dials even if it has enough connections."""
        if peers - self._wanted:
            self._stirred.set()
        self._wanted = peers

    def redial_now(self) -> None:
        """Allows every known address to be dialled now. Called when this machine's own addresses
        have changed.
        """
        self.book.forget_failures()
        self._stirred.set()

    def welcome(self, peer: str) -> None:
        """Gives a peer that has shown an invitation more time to prove its membership."""
        self._guests.add(peer)

    def conversation_began(self) -> None:
        """Notes that a conversation with a peer has begun, so that there may be too many links."""
        self._stirred.set()

    def conversation_ended(self, peer: str) -> None:
        """Notes that a conversation with a peer has ended. The peer is dropped if it begins no new
        conversation in time.
        """
        self._stirred.set()
        if peer in self._network.peers():
            self._begin_visit(peer)

    async def run(self) -> None:
        """Runs until cancelled: dials peers, and drops connections whose peers have not proved
        their membership.
        """
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                nursery.start_soon(self._watch)
                for peer in self._network.peers():
                    self._begin_visit(peer)
                await self._dial_loop(nursery)
            finally:
                self._nursery = None  # conversations may end later than this

    # -- dialling ---------------------------------------------------------------------------------

    async def _dial_loop(self, nursery: trio.Nursery) -> None:
        while True:
            for entry in self._due_addresses()[: self._attempts_left()]:
                self._attempts.append(trio.current_time())
                nursery.start_soon(self._dial, entry)
            talking = self._talking()
            opened = [peer for peer in self._dialling if peer in talking]
            # If there are too many links, the oldest link that this node opened is closed. So other
            # homes get their turn.
            if len(talking) > LINKS and len(opened) > LINKS // 2:
                await self._network.drop(opened[0])
            await trio.sleep(_TICK)
            with trio.move_on_after(self._seconds_idle()):
                await self._stirred.wait()
            self._stirred = trio.Event()

    def _attempts_left(self) -> int:
        """Returns how many addresses may be dialled now, for all peers together (R-05.9h)."""
        while self._attempts and self._attempts[0] <= trio.current_time() - _MINUTE:
            self._attempts.popleft()
        return ATTEMPTS_A_MINUTE - len(self._attempts)

    def _seconds_idle(self) -> float:
        """Returns how many seconds the dial loop may sleep before the next address may be
        dialled. If nothing can be dialled, returns the longest time of sleep.
        """
        now = trio.current_time()
        if self._attempts_left() <= 0:
            return self._attempts[0] + _MINUTE - now
        busy = self._talking().union(self._dialling)
        # Without room, only wanted peers are dialled before the next look at one more peer.
        others_at = now if len(busy) < LINKS else self._look_at
        times = [
            entry.next_at if entry.peer in self._wanted else max(entry.next_at, others_at)
            for entry in self.book.entries
            if entry.peer not in busy
        ]
        return max(0.0, min([*times, now + _IDLE]) - now)

    def _due_addresses(self) -> list[KnownAddress]:
        """Returns the addresses to dial now, at most one for each peer.

        If there are enough links, returns only addresses of wanted peers. From time to time, adds
        one address of another peer.
        """
        busy = self._talking().union(self._dialling)
        now = trio.current_time()
        best: dict[str, KnownAddress] = {}
        for entry in self.book.entries:
            if entry.peer not in busy and entry.next_at <= now:
                other = best.get(entry.peer)
                if other is None or entry.rank < other.rank:
                    best[entry.peer] = entry
        room = max(0, LINKS - len(busy))
        if best and not room and now >= self._look_at:
            # Dials one more peer now and then. After a long split of the neighbourhood, each half
            # has enough links, and without this the two halves would never meet again.
            self._look_at = now + LOOK_SECONDS
            room = 1
        due = sorted(best.values(), key=lambda entry: entry.failures)
        return due[:room] + [entry for entry in due[room:] if entry.peer in self._wanted]

    async def _dial(self, entry: KnownAddress) -> None:
        self._dialling[entry.peer] = None
        began = trio.current_time()
        try:
            await self._network.connect(entry.address)
            entry.has_answered = True
            stream = await self._network.open_stream(entry.peer, sync.PROTOCOL)
            await self._talk(stream)
        except NetworkError:
            pass  # the peer is off or has gone; it is dialled again after a pause
        finally:
            del self._dialling[entry.peer]
            self._stirred.set()
        has_lasted = trio.current_time() - began > _MINUTE
        entry.failures = 0 if has_lasted else entry.failures + 1
        # A random part of the pause comes on top. So homes do not all dial at once.
        pause = _pause_after(entry) * (1 + self._random(1)[0] / 256)
        entry.next_at = trio.current_time() + pause

    # -- peers that have to prove who they are ----------------------------------------------------

    async def _watch(self) -> None:
        async for event in self._network.events:
            if event.change == "discovered":
                # Who announces an address there is on the same link (R-05.9d).
                if is_on_link(event.address, self._network.subnets):
                    self.learn([event.address])
            elif event.change == "connected":
                self._begin_visit(event.peer)
            else:
                self._guests.discard(event.peer)
                self._visits.pop(event.peer, None)

    def _begin_visit(self, peer: str) -> None:
        if self._nursery is not None:
            visit = object()
            self._visits[peer] = visit
            self._nursery.start_soon(self._expect_proof, peer, visit)

    async def _expect_proof(self, peer: str, visit: object) -> None:
        await trio.sleep(PROOF_SECONDS)
        if peer in self._guests:
            await trio.sleep(GUEST_SECONDS)
            self._guests.discard(peer)
        # A later visit of the same peer has a time limit of its own.
        if self._visits.get(peer) is visit and peer not in self._talking():
            await self._network.drop(peer)


def _pause_after(entry: KnownAddress) -> float:
    """Returns for how many seconds a node must wait before it dials an address again (R-05.9g)."""
    if entry.has_answered:
        return min(_LAST_PAUSE, _FIRST_PAUSE * 2.0 ** min(entry.failures, 10))
    return _PAUSES_BEFORE_ANSWER[(entry.failures - 1) % len(_PAUSES_BEFORE_ANSWER)]
