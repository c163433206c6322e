"""Address delivery: one home sends street addresses to another over a stream
(specs/18-addresses.md).
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

from meshcoop.network.doorway import answer_door, open_door
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.store.given_addresses import HeldAddress
from meshcoop.sync.address_store import HeldAddresses
from meshcoop.sync.home_mesh import HomeMesh
from protocol.errors import Refused
from protocol.record import sealing as seal
from protocol.record.envelope import device_key
from protocol.wire import address_gift, door, frames, membership_proof
from protocol.wire.address_gift import Gift, Hello

_LOG = logging.getLogger(__name__)

SESSION_SECONDS = 10
AT_ONCE = 8  # sessions that others opened
VISITS_A_MINUTE = 20  # from one person

_LOOK_SECONDS = 2.0  # no record says that a neighbour's home has come or gone
_FIRST_PAUSE = 1.0
_LAST_PAUSE = 60.0
_MINUTE = 60.0


@dataclass
class _Attempt:
    """Says when to visit a peer again. The last visit to this peer did not deliver every
    address.
    """

    pause: float = _FIRST_PAUSE
    next_at: float = 0.0


class AddressDelivery:
    """Delivers the street addresses that people of this home give, and receives addresses for these
    people.

    An address is delivered as soon as the receiver's home is connected.
    """

    def __init__(
        self, mesh: HomeMesh, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        state = mesh.inbox.state
        self.addresses = HeldAddresses(state.store, state)
        self.handed = trio.Event()  # set at each delivery, then replaced by a new event
        self.listeners: list[Callable[[], None]] = []  # called when the held addresses change
        self._mesh = mesh
        self._now = now
        self._random = random
        self._attempts: dict[str, _Attempt] = {}
        self._visits: dict[bytes, deque[float]] = {}  # person → when their homes visited
        self._under_way = 0
        self._wake = trio.Event()
        mesh.inbox.listeners.append(lambda _result: self.wake())

    # -- what people do ---------------------------------------------------------------------------

    def give(
        self, agreement: bytes, text: str, seed: bytes, receiver: bytes, *, kept: bool = False
    ) -> HeldAddress:
        """Gives an address to the receiver, in place of an earlier one for the same agreement.

        If `text` is empty, the giver takes the earlier address back.
        """
        state = self._mesh.inbox.state
        device = device_key(seed)
        giver = state.authority.member_of_device(device) if state.authority else None
        assert giver is not None, "the device may sign"
        before = self.addresses.find(agreement, giver=giver)
        time = max(self._now(), before.gift.time + 1 if before else 0)
        sealed = self.addresses.seal(text, agreement, device, self._random(32)) if text else b""
        place = address_gift.GiftOrigin(state.neighbourhood, self._mesh.network.peer_id)
        gift = Gift.sign(agreement, time, sealed, seed=seed, origin=place)
        held = HeldAddress(giver, receiver, here=True, kept=kept, gift=gift)
        self.addresses.put(held)
        self.tell_listeners()
        self.wake()
        return held

    async def wait_until_handed(self, held: HeldAddress, seconds: float) -> bool:
        """Waits until an address is delivered, but at most `seconds`. Returns True if the address
        is delivered.

        If the connection to the receiver's home ends, stops waiting.
        """
        with trio.move_on_after(seconds):
            while self._is_near(held.receiver) and not self.addresses.is_delivered(held):
                await self.handed.wait()
        return self.addresses.is_delivered(held)

    async def fetch_pending(self, seed: bytes) -> None:
        """Fetches the addresses that wait at the connected homes for a guest of this home.

        `seed` is the seed of the guest's device.
        """
        async with trio.open_nursery() as nursery:
            for peer in list(self._mesh.conversations):
                nursery.start_soon(self._visit, peer, seed)

    def wake(self) -> None:
        """Makes `run` work at once: `run` looks for agreements that have ended and for addresses to
        deliver.
        """
        self._wake.set()

    # -- in the background ------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled: erases the addresses of ended agreements, and delivers waiting
        addresses.
        """
        while True:
            self._wake = trio.Event()
            self.addresses.forget_ended()
            has_given = self.addresses.has_given()
            if has_given:
                await self._visit_due()
            with trio.move_on_after(_LOOK_SECONDS if has_given else float("inf")):
                await self._wake.wait()

    async def answer(self, stream: Stream) -> None:
        """Serves one session that another home opened."""
        if self._under_way >= AT_ONCE:
            return  # the other home tries again later
        self._under_way += 1
        try:
            await self._run_session(stream, self._own_seed(), opened=False)
        finally:
            self._under_way -= 1

    def admit_visit(self, person: bytes) -> None:
        """R-18.8: counts a session that a home of this person opened. Raises Refused if there were
        too many sessions.
        """
        since = trio.current_time() - _MINUTE
        self._visits = {other: times for other, times in self._visits.items() if times[-1] > since}
        times = self._visits.setdefault(person, deque(maxlen=VISITS_A_MINUTE))
        if len(times) == VISITS_A_MINUTE and times[0] > since:
            raise Refused(
                "R-18.8",
                "one person comes at most {visits_a_minute} times a minute",
                visits_a_minute=VISITS_A_MINUTE,
            )
        times.append(trio.current_time())

    def note_handed(self, address: HeldAddress, device: bytes) -> None:
        """Notes that a device of the receiver has stored the address, and tells the listeners."""
        self.addresses.note_handed(address, device)
        self.tell_listeners()
        self.handed.set()
        self.handed = trio.Event()

    def tell_listeners(self) -> None:
        """Tells the listeners that the held addresses have changed."""
        for listener in self.listeners:
            listener()

    async def _visit_due(self) -> None:
        """Visits each connected home for which an address waits. After a visit that has failed,
        leaves the home out for a while.
        """
        conversations = self._mesh.conversations
        for peer in self._attempts.keys() - conversations.keys():
            del self._attempts[peer]
        async with trio.open_nursery() as nursery:
            for peer, conversation in list(conversations.items()):
                attempt = self._attempts.setdefault(peer, _Attempt())
                person = conversation.person
                if person is None or attempt.next_at > trio.current_time():
                    continue
                if self.addresses.due(person, conversation.device):
                    nursery.start_soon(self._attempt, peer, attempt)

    async def _attempt(self, peer: str, attempt: _Attempt) -> None:
        if await self._visit(peer, self._own_seed()):
            attempt.pause = _FIRST_PAUSE
        attempt.next_at = trio.current_time() + attempt.pause
        attempt.pause = min(2 * attempt.pause, _LAST_PAUSE)

    async def _visit(self, peer: str, seed: bytes) -> bool:
        """Opens a session with a peer. Returns True if every address for that peer was
        delivered.
        """
        try:
            stream = await self._mesh.network.open_stream(peer, address_gift.PROTOCOL)
        except NetworkError:
            return False
        return await self._run_session(stream, seed, opened=True)

    async def _run_session(self, stream: Stream, seed: bytes, *, opened: bool) -> bool:
        place = self._mesh.inbox.state.neighbourhood
        own_peer = self._mesh.network.peer_id
        try:
            with trio.move_on_after(SESSION_SECONDS):
                if opened:
                    beyond = await open_door(stream, own_peer, place, self._random)
                else:
                    guarded = {door.door_key(place): None}
                    beyond, _ = await answer_door(stream, own_peer, guarded, self._random)
                handover = _Handover(self, self._mesh, beyond.stream, seed)
                return await handover.run(opened=opened)
        except NetworkError:
            pass  # the peer has gone, or does not belong here; there is nobody to tell
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()
        return False

    def _is_near(self, person: bytes) -> bool:
        conversations = self._mesh.conversations.values()
        return any(conversation.person == person for conversation in conversations)

    def _own_seed(self) -> bytes:
        return self._mesh.author.devices[self._mesh.credentials.device]


class _Handover:
    """One session of two homes. First both homes prove who they are. Then each home sends its
    addresses for people of the other home.
    """

    def __init__(
        self, giving: AddressDelivery, mesh: HomeMesh, stream: Stream, seed: bytes
    ) -> None:
        self._giving = giving
        self._state = mesh.inbox.state
        self._own_peer = mesh.network.peer_id
        self._stream = stream
        self._seed = seed
        self._device = device_key(seed)
        self._decoder = frames.Decoder()
        self._incoming: deque[list[Any]] = deque()

    async def run(self, *, opened: bool) -> bool:
        """Sends and receives addresses. Returns True if the other home has stored all addresses
        that this home sent.

        If `opened` is True, this home opened the stream, and this home's hello comes first.
        """
        try:
            if opened:
                await self._greet()
            first = await self._next_frame()
            if first[0] == address_gift.REFUSED:
                _LOG.info("peer %s takes no address from this home now", self._stream.peer)
                return False
            greeting = Hello.read(first)
            person = self._check(greeting)
            if not opened:
                self._giving.admit_visit(person)
                await self._greet()
            gifts = self._giving.addresses.due(person, greeting.device)
            await self._send(*(address.gift.frame() for address in gifts), [address_gift.END])
            return await self._exchange(gifts, greeting.device)
        except Refused as refusal:
            _LOG.info("an address stream of %s: %s", self._stream.peer, refusal)
            await self._send([address_gift.REFUSED, refusal.rule, refusal.reason])
            return False

    async def _greet(self) -> None:
        place = self._state.neighbourhood
        signature = membership_proof.prove_membership(
            self._seed, place, self._own_peer, self._stream.peer, domain=address_gift.HELLO_DOMAIN
        )
        await self._send(Hello(self._device, signature).frame())

    def _check(self, greeting: Hello) -> bytes:
        """R-18.3: returns the member whose device sent the greeting. Raises Refused if the sender
        is not a live device of a member.
        """
        membership_proof.check_proof(
            greeting.device,
            greeting.signature,
            self._state.neighbourhood,
            sender=self._stream.peer,
            receiver=self._own_peer,
            domain=address_gift.HELLO_DOMAIN,
        )
        authority = self._state.authority
        person = authority.member_of_device(greeting.device) if authority else None
        if authority is None or person is None or not authority.is_live(greeting.device):
            raise Refused("R-18.3", "this home knows no live device of a member by this key")
        return person

    async def _exchange(self, gifts: list[HeldAddress], device: bytes) -> bool:
        """Receives frames until the other home has sent all its gifts and has answered all gifts of
        this home.

        A gift is a frame with one address. Returns True if the other home has stored all gifts of
        this home. Raises Refused for an unexpected frame.
        """
        answers: list[bool] = []
        received = 0
        has_ended = False
        while not has_ended or len(answers) < len(gifts):
            frame = await self._next_frame()
            if (
                frame[0] == address_gift.GIFT
                and received < address_gift.MAX_GIFTS
                and not has_ended
            ):
                received += 1
                await self._receive(frame)
            elif frame == [address_gift.STORED] and len(answers) < len(gifts):
                self._giving.note_handed(gifts[len(answers)], device)
                answers.append(True)
            elif frame[0] == address_gift.REFUSED and len(answers) < len(gifts):
                answers.append(False)
            elif frame == [address_gift.END] and not has_ended:
                has_ended = True
            else:
                raise Refused("R-18.2", "this frame is not expected here")
        return all(answers)

    async def _receive(self, frame: list[Any]) -> None:
        authority = self._state.authority
        try:
            gift = Gift.read(frame)
            receiver = authority.member_of_device(self._device) if authority else None
            boxes = [seal.device_box_key(self._seed)]
            self._giving.addresses.receive(gift, self._stream.peer, receiver or b"", boxes)
        except Refused as refusal:
            _LOG.info("an address from %s: %s", self._stream.peer, refusal)
            await self._send([address_gift.REFUSED, refusal.rule, refusal.reason])
        else:
            self._giving.tell_listeners()
            await self._send([address_gift.STORED])

    async def _send(self, *frames_to_send: list[Any]) -> None:
        await self._stream.write(b"".join(map(frames.encode, frames_to_send)))

    async def _next_frame(self) -> list[Any]:
        while not self._incoming:
            data = await self._stream.read()
            if not data:
                raise NetworkError("the other home hung up")
            self._incoming.extend(self._decoder.feed(data))
        return self._incoming.popleft()
