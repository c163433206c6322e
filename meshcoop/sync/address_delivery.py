"""Giving: an address goes from home to home, over a stream between the two (specs/18-addresses.md)."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from meshcoop.ingest.result import IngestResult
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.store.given_addresses import HeldAddress
from meshcoop.sync.address_store import Addresses
from meshcoop.sync.home_mesh import HomeMesh
from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.envelope import device_key
from protocol.wire import address_gift as giving
from protocol.wire import frames
from protocol.wire import membership_proof as hello
from protocol.wire.address_gift import Gift, Hello

_LOG = logging.getLogger(__name__)

SESSION_SECONDS = 10
AT_ONCE = 8  # sessions that others opened
VISITS_A_MINUTE = 20  # of one person

_LOOK_SECONDS = 2.0  # neighbours come and go without a record
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0
_MINUTE = 60.0


@dataclass
class _Attempt:
    pause: float = _FIRST_PAUSE
    next_at: float = 0.0


class Giving:
    """Hands over what people of this home give, as soon as the other home is there, and takes what
    they are given.
    """

    def __init__(
        self, mesh: HomeMesh, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        state = mesh.inbox.state
        self.addresses = Addresses(state.store, state)
        self.handed = trio.Event()  # replaced whenever something was handed over
        self.listeners: list[Callable[[], None]] = []  # told when what is held here has changed
        self._mesh, self._now, self._random = mesh, now, random
        self._attempts: dict[str, _Attempt] = {}
        self._visits: dict[bytes, deque[float]] = {}
        self._under_way = 0
        self._wake = trio.Event()
        mesh.inbox.listeners.append(self._on_taken)

    # -- what people do ---------------------------------------------------------------------------

    def give(
        self, agreement: bytes, text: str, seed: bytes, receiver: bytes, *, kept: bool = False
    ) -> HeldAddress:
        """Gives an address, in place of one given before; an empty text takes it back."""
        state, device = self._mesh.inbox.state, device_key(seed)
        assert state.authority is not None
        giver = state.authority.author(device)
        assert giver is not None
        before = self.addresses.of(agreement, giver=giver)
        time = max(self._now(), before.gift.time + 1 if before else 0)
        closed = self.addresses.seal(text, agreement, device, self._random(32)) if text else b""
        place = giving.Place(state.neighbourhood, self._mesh.network.peer_id)
        gift = Gift.sign(agreement, time, closed, seed=seed, place=place)
        held = HeldAddress(giver, receiver, here=True, kept=kept, gift=gift)
        self.addresses.put(held)
        self.tell()
        self.wake()
        return held

    async def settled(self, held: HeldAddress, seconds: float) -> bool:
        """Whether it is handed over; waits for that while the other home is connected."""
        with trio.move_on_after(seconds):
            while self._near(held.receiver) and not self.addresses.delivered(held):
                await self.handed.wait()
        return self.addresses.delivered(held)

    async def ask(self, seed: bytes) -> None:
        """Takes what is waiting, at the homes that are connected, for a guest with this device."""
        async with trio.open_nursery() as nursery:
            for peer in list(self._mesh.conversations):
                nursery.start_soon(self._visit, peer, seed)

    def wake(self) -> None:
        """Something may be over, or may be handed over."""
        self._wake.set()

    # -- in the background ------------------------------------------------------------------------

    async def run(self) -> None:
        """Forgets what is over and hands over what waits, until cancelled."""
        while True:
            self._wake = trio.Event()
            self.addresses.forget_ended()
            waiting = self.addresses.any_given
            if waiting:
                await self._go_round()
            with trio.move_on_after(_LOOK_SECONDS if waiting else float("inf")):
                await self._wake.wait()

    async def _go_round(self) -> None:
        known = self._mesh.conversations
        self._attempts = {peer: one for peer, one in self._attempts.items() if peer in known}
        async with trio.open_nursery() as nursery:
            for peer, one in list(known.items()):
                attempt = self._attempts.setdefault(peer, _Attempt())
                early = attempt.next_at > trio.current_time()
                if not early and one.person and self.addresses.due(one.person, one.device):
                    nursery.start_soon(self._attempt, peer, attempt)

    async def _attempt(self, peer: str, attempt: _Attempt) -> None:
        if await self._visit(peer, self._own_seed()):
            attempt.pause = _FIRST_PAUSE
        attempt.next_at = trio.current_time() + attempt.pause
        attempt.pause = min(2 * attempt.pause, _LAST_PAUSE)

    async def _visit(self, peer: str, seed: bytes) -> bool:
        """Opens a session; whether all that was due has been handed over."""
        try:
            stream = await self._mesh.network.open(peer, giving.PROTOCOL)
        except NetworkError:
            return False
        return await self._session(stream, seed, opened=True)

    async def answer(self, stream: Stream) -> None:
        """Answers one session."""
        if self._under_way >= AT_ONCE:
            return  # who has something to give comes again
        self._under_way += 1
        try:
            await self._session(stream, self._own_seed(), opened=False)
        finally:
            self._under_way -= 1

    async def _session(self, stream: Stream, seed: bytes, *, opened: bool) -> bool:
        handover = _Handover(self, self._mesh, stream, seed)
        try:
            with trio.move_on_after(SESSION_SECONDS):
                return await handover.run(opened=opened)
        except NetworkError:
            pass  # it has gone; there is nobody to tell
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()
        return False

    def admit(self, person: bytes) -> None:
        """R-18.8: counts somebody's visit. Raises Refused for one too many."""
        since = trio.current_time() - _MINUTE
        self._visits = {one: seen for one, seen in self._visits.items() if seen[-1] > since}
        seen = self._visits.setdefault(person, deque(maxlen=VISITS_A_MINUTE))
        if len(seen) == VISITS_A_MINUTE and seen[0] > since:
            raise Refused("R-18.8", f"one person comes at most {VISITS_A_MINUTE} times a minute")
        seen.append(trio.current_time())

    def has_handed(self, one: HeldAddress, device: bytes) -> None:
        """A device of who it is for has stored it."""
        self.addresses.hand(one, device)
        self.tell()
        self.handed.set()
        self.handed = trio.Event()

    def tell(self) -> None:
        """What is held here has changed."""
        for listener in self.listeners:
            listener()

    def _near(self, person: bytes) -> bool:
        return any(one.person == person for one in self._mesh.conversations.values())

    def _own_seed(self) -> bytes:
        return self._mesh.author.devices[self._mesh.credentials.device]

    def _on_taken(self, taken: IngestResult) -> None:
        del taken
        self.wake()


class _Handover:
    """One session: both prove who they are, then each gives what it has for the other."""

    def __init__(self, home: Giving, mesh: HomeMesh, stream: Stream, seed: bytes) -> None:
        self._home, self._mesh, self._stream, self._seed = home, mesh, stream, seed
        self._device = device_key(seed)
        self._decoder = frames.Decoder()
        self._coming: deque[list[Any]] = deque()

    async def run(self, *, opened: bool) -> bool:
        """Whether all that this side gave has been taken."""
        try:
            if opened:
                await self._greet()
            first = await self._next()
            if first[0] == giving.REFUSED:
                _LOG.info("peer %s takes no address from this home now", self._stream.peer)
                return False
            greeting = Hello.read(first)
            person = self._judge(greeting)
            if not opened:
                self._home.admit(person)
                await self._greet()
            gifts = self._home.addresses.due(person, greeting.device)
            await self._say(*(one.gift.frame() for one in gifts), [giving.END])
            return await self._hear(gifts, greeting.device)
        except Refused as refusal:
            _LOG.info("an address stream of %s: %s", self._stream.peer, refusal)
            await self._say([giving.REFUSED, refusal.rule, refusal.reason])
            return False

    async def _greet(self) -> None:
        place, peers = self._mesh.inbox.state.neighbourhood, (self._own, self._stream.peer)
        signature = hello.prove(self._seed, place, *peers, domain=giving.HELLO_DOMAIN)
        await self._say(Hello(place, self._device, signature).frame())

    def _judge(self, greeting: Hello) -> bytes:
        """R-18.3: the member whose live device is at the other end. Raises Refused."""
        state = self._mesh.inbox.state
        if greeting.neighbourhood != state.neighbourhood:
            raise Refused("R-18.3", "this home belongs to another neighbourhood")
        hello.check(
            greeting.device,
            greeting.signature,
            state.neighbourhood,
            sender=self._stream.peer,
            receiver=self._own,
            domain=giving.HELLO_DOMAIN,
        )
        known = state.authority
        person = known.author(greeting.device) if known else None
        if known is None or person is None or known.devices[greeting.device].revoked is not None:
            raise Refused("R-18.3", "this home knows no live device of a member by this key")
        return person

    async def _hear(self, gifts: list[HeldAddress], device: bytes) -> bool:
        """Until the other side has given all and answered all."""
        answers: list[bool] = []
        given, ended = 0, False
        while not ended or len(answers) < len(gifts):
            frame = await self._next()
            if frame[0] == giving.GIFT and given < giving.MAX_GIFTS and not ended:
                given += 1
                await self._take(frame)
            elif frame == [giving.STORED] and len(answers) < len(gifts):
                self._home.has_handed(gifts[len(answers)], device)
                answers.append(True)
            elif frame[0] == giving.REFUSED and len(answers) < len(gifts):
                answers.append(False)
            elif frame == [giving.END] and not ended:
                ended = True
            else:
                raise Refused("R-18.2", "this frame is not expected here")
        return all(answers)

    async def _take(self, frame: list[Any]) -> None:
        state = self._mesh.inbox.state
        try:
            gift = Gift.read(frame)
            receiver = state.authority.author(self._device) if state.authority else None
            boxes = [seal.box_key(self._seed)]
            self._home.addresses.take(gift, self._stream.peer, receiver or b"", boxes)
        except Refused as refusal:
            _LOG.info("an address from %s: %s", self._stream.peer, refusal)
            await self._say([giving.REFUSED, refusal.rule, refusal.reason])
        else:
            self._home.tell()
            await self._say([giving.STORED])

    async def _say(self, *said: list[Any]) -> None:
        await self._stream.write(b"".join(frames.encode(frame) for frame in said))

    async def _next(self) -> list[Any]:
        while not self._coming:
            data = await self._stream.read()
            if not data:
                raise NetworkError("the other home hung up")
            self._coming.extend(self._decoder.feed(data))
        return self._coming.popleft()

    @property
    def _own(self) -> str:
        return self._mesh.network.peer_id
