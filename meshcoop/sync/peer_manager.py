"""The peer manager: who to talk to, where they were seen, when to try again.

It keeps a few links, dials with a back-off, saves addresses that worked, and drops who proves
neither membership nor an invitation in time. libp2p's own connector is off (net/).
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import trio

from meshcoop.errors import Mistake
from meshcoop.home.private_files import write_private
from meshcoop.network.interface import Network, NetworkError, Stream
from meshcoop.store.disk_errors import enduring
from meshcoop.store.peer_addresses import PeerAddresses
from meshcoop.store.store import Store
from protocol.wire import sync_session as sync

LINKS = 8
LOOK_SECONDS = 60  # how often a home with enough links tries one more
PROOF_SECONDS = 12  # the hello's 10 and a little for the stream to open
GUEST_SECONDS = 120  # for somebody who has shown an invitation
MAX_SAVED = 1024
MAX_OF_ONE = 8  # addresses of one home, and as many through relays

_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0
_AGED_MS = 180 * 86_400_000  # after which an address where nobody was met is forgotten
_TICK = 0.5
_IDLE = 10.0
_CIRCUIT = "/p2p-circuit/"
_ADDRESS = re.compile(
    r"/ip[46]/[0-9a-fA-F.:]{2,45}/tcp/[0-9]{1,5}"
    r"(?:/p2p/[1-9A-HJ-NP-Za-km-z]{40,60}/p2p-circuit)?/p2p/([1-9A-HJ-NP-Za-km-z]{40,60})"
)


def remembered(store: Store) -> list[str]:
    """Addresses where homes have been met, latest first, for a backup."""
    return PeerAddresses(store).latest(MAX_SAVED)


def remember(store: Store, addresses: Iterable[str]) -> None:
    """The other way round: met long ago. What is no address of a home is passed over."""
    matches = (_ADDRESS.fullmatch(address) for address in addresses)
    PeerAddresses(store).restore((match[0], match[1]) for match in matches if match)


@dataclass
class _Attempt:
    failures: int = 0
    next_at: float = 0.0


class Peers:
    """Keeps connections. `talk(stream)` runs a sync session and returns when it is over;
    `talking()` names the peers with whom one is under way; `beside`: a file that keeps addresses
    beside the store, for they are what brings back the rest.
    """

    def __init__(
        self,
        network: Network,
        store: Store,
        *,
        talk: Callable[[Stream], Awaitable[None]],
        talking: Callable[[], set[str]],
        random: Callable[[int], bytes],
        beside: Path | None = None,
    ) -> None:
        self._network = network
        self._addresses = PeerAddresses(store)
        self._talk, self._talking, self._random = talk, talking, random
        self._attempts: dict[str, _Attempt] = {}
        self._dialling: dict[str, None] = {}  # and those then talked to, oldest first
        self._look_at = 0.0
        self._beside = beside
        self._written: list[str] = []
        self._stirred = trio.Event()  # there may be somebody to dial, or to drop
        self._guests: set[str] = set()
        self._visits: dict[str, object] = {}  # peer → its present connection
        self.wanted: set[str] = set()  # peers that are dialled however many links there are
        self._nursery: trio.Nursery | None = None
        self._book: dict[str, str] = {}
        self.learn(self._addresses.all())
        if beside is not None and beside.exists():
            self.learn(beside.read_text(errors="replace").splitlines())
        self._write_beside()

    @property
    def known(self) -> list[str]:
        """Addresses where a member's home has been met, latest first."""
        return self._addresses.met()

    def learn(self, addresses: Iterable[str]) -> None:
        """Notes where homes may be; what is no address of a home is passed over."""
        for address in addresses:
            match = _ADDRESS.fullmatch(address)
            if match and match[1] != self._network.peer_id and address not in self._book:
                if self._have(match[1], through=_CIRCUIT in address) >= MAX_OF_ONE:
                    continue
                self._make_room()
                self._book[address] = match[1]
                self._stirred.set()

    def _have(self, peer: str, *, through: bool) -> int:
        """How many addresses of a peer are known, directly or through relays."""
        return sum(
            one == peer and (_CIRCUIT in address) == through for address, one in self._book.items()
        )

    def _make_room(self) -> None:
        """A full book forgets the address that failed most: hostile entries cannot fill it."""
        while len(self._book) >= MAX_SAVED:
            tried = {one: self._attempts.get(one, _Attempt()).failures for one in self._book}
            worst = max(tried, key=lambda one: tried[one])
            del self._book[worst]
            self._attempts.pop(worst, None)

    def met(self, address: str, when: int) -> None:
        """A member's home answered at this address at `when` (milliseconds)."""
        # Whoever dialled us is seen at a passing port, where nobody can be dialled: not kept.
        peer = self._book.get(address)
        if peer is not None:
            with enduring("an address is not kept"):
                self._addresses.note_meeting(address, peer, when)
                self._addresses.forget_older(when - _AGED_MS)
            self._write_beside()

    def _write_beside(self) -> None:
        known = sorted(self.known)
        if self._beside is not None and known and known != self._written:
            with suppress(Mistake):  # a full disk; the store has them
                write_private(self._beside, "\n".join(known).encode())
                self._written = known

    def hurry(self) -> None:
        """Whoever is known is worth a try now: this machine's own addresses have changed."""
        for attempt in self._attempts.values():
            attempt.failures, attempt.next_at = 0, 0.0
        self._stirred.set()

    def welcome(self, peer: str) -> None:
        """The peer has shown an invitation and may stay a while longer."""
        self._guests.add(peer)

    def left(self, peer: str) -> None:
        """The conversation with this peer is over; it may begin another, or is dropped."""
        self._stirred.set()
        if peer in self._network.peers():
            self._visit(peer)

    async def run(self) -> None:
        """Dials and watches until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                nursery.start_soon(self._watch)
                for peer in self._network.peers():
                    self._visit(peer)
                await self._dial_due(nursery)
            finally:
                self._nursery = None  # conversations may end later than this

    async def _dial_due(self, nursery: trio.Nursery) -> None:
        while True:
            for address in self._due():
                nursery.start_soon(self._dial, address)
            talking = self._talking()
            opened = [one for one in self._dialling if one in talking]
            if len(talking) > LINKS and len(opened) > LINKS // 2:
                await self._network.drop(opened[0])
            await trio.sleep(_TICK)
            with trio.move_on_after(self._idle()):
                await self._stirred.wait()
            self._stirred = trio.Event()

    def _idle(self) -> float:
        """How long nobody is due, unless something stirs."""
        busy = self._talking().union(self._dialling)
        due = [
            self._attempts[address].next_at if address in self._attempts else 0.0
            for address, peer in self._book.items()
            if peer not in busy
        ]
        return min(max(0.0, min(due, default=_IDLE) - trio.current_time()), _IDLE)

    async def _watch(self) -> None:
        async for event in self._network.events:
            if event.what == "discovered":
                self.learn([event.address])
            elif event.what == "connected":
                self._visit(event.peer)
            else:
                self._guests.discard(event.peer)
                self._visits.pop(event.peer, None)

    def _visit(self, peer: str) -> None:
        if self._nursery is not None:
            self._visits[peer] = visit = object()
            self._nursery.start_soon(self._expect_proof, peer, visit)

    async def _expect_proof(self, peer: str, visit: object) -> None:
        await trio.sleep(PROOF_SECONDS)
        if peer in self._guests:
            await trio.sleep(GUEST_SECONDS)
            self._guests.discard(peer)
        # A later visit of the same peer has its own time.
        if self._visits.get(peer) is visit and peer not in self._talking():
            await self._network.drop(peer)

    def _due(self) -> list[str]:
        """Addresses to dial now: one a peer, while there are fewer links than wanted."""
        busy = self._talking().union(self._dialling)
        now = trio.current_time()
        due: dict[str, str] = {}
        for address, peer in self._book.items():
            attempt = self._attempts.setdefault(address, _Attempt())
            if peer not in busy and attempt.next_at <= now:
                known = due.get(peer)
                if known is None or self._rank(address) < self._rank(known):
                    due[peer] = address
        room = max(0, LINKS - len(busy))
        if due and not room and now >= self._look_at:
            # Otherwise two halves that were long apart, each with links enough, never meet again.
            self._look_at, room = now + LOOK_SECONDS, 1
        found = sorted(due.values(), key=lambda one: self._attempts[one].failures)
        return found[:room] + [one for one in found[room:] if self._book[one] in self.wanted]

    def _rank(self, address: str) -> tuple[int, bool]:
        """The address that failed least is the likeliest; a direct one comes before a circuit."""
        return self._attempts[address].failures, _CIRCUIT in address

    async def _dial(self, address: str) -> None:
        peer, attempt = self._book[address], self._attempts[address]
        self._dialling[peer] = None
        began = trio.current_time()
        try:
            await self._network.connect(address)
            stream = await self._network.open(peer, sync.PROTOCOL)
            await self._talk(stream)
        except NetworkError:
            pass  # asleep, or gone; the pause says when to look again
        finally:
            del self._dialling[peer]
            self._stirred.set()
        lasted = trio.current_time() - began > _LAST_PAUSE
        attempt.failures = 0 if lasted else attempt.failures + 1
        pause = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt.failures, 10))
        attempt.next_at = trio.current_time() + pause * (0.5 + self._random(1)[0] / 512)
