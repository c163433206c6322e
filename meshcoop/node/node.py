"""The node: one process, one home. `run` wires everything in one nursery, top to bottom."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import msgpack
import trio

from meshcoop.api import server as api
from meshcoop.api.methods.records import Methods
from meshcoop.api.node_handle import Membership
from meshcoop.author import automatic as duties
from meshcoop.author import founding
from meshcoop.author.author import Author
from meshcoop.author.guests import Guests
from meshcoop.errors import NOWHERE, Mistake
from meshcoop.fold.loop_cache import Following
from meshcoop.fold.muted_people import Muted
from meshcoop.home import key_file as keystore
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Unlocked
from meshcoop.home.machine import own_addresses
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.matching.index import Index
from meshcoop.network.interface import Network, NetworkError, Starting
from meshcoop.network.libp2p.identity import peer_id_from_key, public_key_of
from meshcoop.relay.metrics import REFRESH_SECONDS, Metrics
from meshcoop.relay.relay import Relay
from meshcoop.store.disk_errors import enduring
from meshcoop.store.last_signed import Signed
from meshcoop.store.store import Store
from meshcoop.sync import joining
from meshcoop.sync.address_delivery import Giving
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk
from meshcoop.sync.joining import Admission, Joiner
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from protocol.record.envelope import device_key
from protocol.wire import address_gift as giving
from protocol.wire import invitation

_LOG = logging.getLogger(__name__)

OpenNetwork = Callable[[bytes, list[str]], AbstractAsyncContextManager[Network]]

ARRIVAL = "arrival"  # in the store: what shows this home to be a member's until it is synced

_ASK_AGAIN_SECONDS = 5
_ADDRESS_SECONDS = 3
_MOVING_IN_SECONDS = 5  # at least, once admitted


class Node:
    """One home's node. Network, clock (milliseconds) and randomness are handed in."""

    def __init__(
        self,
        home: Home,
        unlocked: Unlocked,
        open_network: OpenNetwork,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None = None,
        damage: Sequence[str] = (),
    ) -> None:
        self.home = home
        self.damage = list(damage)  # what was wrong with the store when the node started
        self.now, self.random, self._verifier = now, random, verifier
        self.member: Membership | None = None
        self.relay: Relay | None = None
        self._signed: Signed | None = None
        self.ready = False
        self.changed = trio.Event()  # replaced whenever something changed
        self._unlocked = unlocked
        self._open_network = open_network
        self._hub = api.Hub()
        self._stop = trio.Event()
        self.ended = trio.Event()

    async def run(self, *, task_status: Starting = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until `stop`. Started once programs and peers are answered."""
        settings = self.home.read_settings()
        listen = list(settings.listen) or self.home.default_listen()
        self.store = Store(self.home.store)
        try:
            async with self._open_network(self._unlocked.keys.network_seed, listen) as network:
                self.network = network
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    if settings.relay:
                        await self._serve_as_relay()
                    elif settings.neighbourhood:
                        await self._enter(bytes.fromhex(settings.neighbourhood))
                    elif settings.invitation:
                        nursery.start_soon(self._wait_at_the_door, settings.invitation)
                    methods = Methods(self).table()
                    await nursery.start(api.serve, self.home.socket, methods, self._hub)
                    nursery.start_soon(self._watch_addresses)
                    self.ready = True
                    task_status.started()
                    await self._stop.wait()
                    nursery.cancel_scope.cancel()
        finally:
            self.store.close()
            if self._signed is not None:
                self._signed.close()
            self.ended.set()

    async def _watch_addresses(self) -> None:
        """Notices that this machine has come into another network, or out of one."""
        before = own_addresses()
        while True:
            await trio.sleep(_ADDRESS_SECONDS)
            now = own_addresses()
            if now != before:
                _LOG.info("this machine's addresses are now %s", ", ".join(now))
                before = now
                listen = self.home.read_settings().listen or self.home.default_listen()
                await self.network.listen(list(listen))
                meshes = [self.member.mesh] if self.member else []
                for one in [*meshes, *(self.relay.meshes if self.relay else ())]:
                    one.peers.hurry()

    def stop(self) -> None:
        """Ends `run`."""
        self._stop.set()

    def change(self) -> None:
        """Tells whoever waits that something may be different now."""
        self.changed.set()
        self.changed = trio.Event()

    def belonging(self) -> Membership:
        """The membership. Raises Mistake while there is none."""
        if self.relay is not None:
            raise Mistake("This home is a relay: it carries records, and neither reads nor posts.")
        if self.member is None:
            raise Mistake(NOWHERE)
        return self.member

    async def may_sign(self) -> Membership:
        """The membership, once this home knows what it last signed. Raises Mistake."""
        member = self.belonging()
        await member.mesh.may_sign.wait()
        member.author.check()
        return member

    # -- joining ----------------------------------------------------------------------------------

    async def join(self, text: str, name: str, seconds: float) -> bool:
        """Knocks with an invitation; whether this home now belongs. Raises Refused, Mistake."""
        one = invitation.decode(text)
        if self.member is not None:
            if self.member.state.neighbourhood.startswith(one.neighbourhood):
                return True
            raise Mistake("This home already belongs to a neighbourhood; use another --home.")
        self.store.set_note("name", name)
        deadline = trio.current_time() + seconds
        try:
            admitted = await joining.keep_knocking(
                self.network, one, peer_id_from_key(one.peer), self._joiner(name), seconds
            )
        except NetworkError as error:
            raise Mistake(
                f"No neighbour could be reached within {seconds:g} s ({error}); ask the inviter to "
                "start their node, then join again."
            ) from None
        if admitted is None:
            self._remember(invitation=text)
            self._nursery.start_soon(self._wait_at_the_door, text)
            return False
        await self._move_in(admitted, one)
        with trio.move_on_after(max(deadline - trio.current_time(), _MOVING_IN_SECONDS)):
            await self._settled_in()
            return True
        raise Mistake("Admitted, but the neighbours' records have not all come; leave the node up.")

    async def _wait_at_the_door(self, text: str) -> None:
        """Knocks again and again until a voucher has opened."""
        one = invitation.decode(text)
        name = str(self.store.note("name"))
        peer = peer_id_from_key(one.peer)
        while self.member is None:
            await trio.sleep(_ASK_AGAIN_SECONDS)
            try:
                admitted = await joining.knock(self.network, one, peer, self._joiner(name))
            except (NetworkError, Refused) as error:
                _LOG.info("still waiting to be admitted: %s", error)
                continue
            if admitted is not None and self.member is None:
                await self._move_in(admitted, one)

    async def _move_in(self, admitted: Admission, one: invitation.Invitation) -> None:
        held = self._unlocked.keys.devices[0]
        wires = admitted.arrival(held.seed, held.statement, self.now())
        self.store.set_note(ARRIVAL, msgpack.packb(wires))
        self._remember(neighbourhood=admitted.neighbourhood.hex(), invitation=None)
        await self._enter(admitted.neighbourhood)
        assert self.member is not None
        peer = peer_id_from_key(one.peer)
        elsewhere = (f"{address}/p2p/{peer}" for address in one.addresses)
        self.member.mesh.peers.learn([admitted.address, *elsewhere])

    async def _settled_in(self) -> None:
        """Returns once what the neighbour offered is stored and this person has a name."""
        assert self.member is not None
        await self.member.mesh.settled.wait()
        while self.store.note("name") is not None:
            await self.changed.wait()

    # -- carrying ---------------------------------------------------------------------------------

    async def _serve_as_relay(self) -> None:
        """Starts what a relay does."""
        seed = self._unlocked.keys.network_seed
        self.relay = Relay(
            self.home,
            self.store,
            self.network,
            self._nursery,
            seed,
            self.now,
            self.random,
            self._verifier,
        )
        await self.relay.start()
        port = self.home.read_settings().metrics
        if port is not None:
            await self._nursery.start(self._show_metrics, self.relay, port)

    async def _show_metrics(
        self, relay: Relay, port: int, *, task_status: Starting = trio.TASK_STATUS_IGNORED
    ) -> None:
        metrics = Metrics(relay)
        with metrics.served_at(port):
            task_status.started()
            while True:
                await trio.sleep(REFRESH_SECONDS)
                with enduring("the metrics are old"):
                    metrics.refresh()

    def relaying(self) -> Relay:
        """What this node does as a relay. Raises Mistake where it is none."""
        if self.relay is None:
            raise Mistake(
                "This home is no relay; `meshcoop --home DIR relay found NAME` makes one."
            )
        return self.relay

    # -- belonging --------------------------------------------------------------------------------

    async def _enter(self, neighbourhood: bytes) -> None:
        """Starts the services of a neighbourhood."""
        keys = self._unlocked.keys
        devices = {device_key(one.seed): one.seed for one in keys.devices}
        state = founding.open_state(self.store, neighbourhood, devices, self.now, keys.boxes)
        inbox = Inbox(state)
        inbox.listeners.append(self._on_taken)
        here = keystore.machine_id()
        self._signed = Signed(self.home.signed)
        author = Author(
            inbox,
            devices,
            self.now,
            self.random,
            elsewhere=[device_key(one.seed) for one in keys.devices if one.machine != here],
            last_signed=self._signed,
        )
        arrival = self.store.note(ARRIVAL)
        wires: list[bytes] = msgpack.unpackb(arrival) if isinstance(arrival, bytes) else []
        inbox.take_wires(wires)
        mesh = HomeMesh(
            self.network,
            author,
            self.now,
            self.random,
            self._verifier,
            arrival=wires,
            neighbours=self.home.neighbours,
        )
        door = InvitationDesk(mesh, public_key_of(self.network.peer_id), self.now, self.random)
        self.network.serve(invitation.PROTOCOL, door.answer)
        hands = Giving(mesh, self.now, self.random)
        hands.listeners.append(self._on_address)
        self.network.serve(giving.PROTOCOL, hands.answer)
        guests, muted = Guests(author, self._unlocked), Muted(self.store)
        self.member = Membership(
            author, mesh, door, guests, muted, hands, Index(state.views), Following(state)
        )
        await self._nursery.start(mesh.run)
        self._nursery.start_soon(hands.run)
        self._nursery.start_soon(self._introduce)

    async def _introduce(self) -> None:
        """Posts a newcomer's name, as soon as this home can read and write."""
        assert self.member is not None
        mesh, author = self.member.mesh, self.member.author
        await mesh.may_sign.wait()
        if self.store.note("name") is not None:
            await mesh.settled.wait()  # who comes back has a name already
        while (name := self.store.note("name")) is not None:
            if self.member.state.ring.current() and author.able:
                with self.store.transaction():
                    duties.accept_charter(author)
                    named = self.member.state.views.latest("profile")
                    # Who came back with the words alone is called by their key, and may have a name.
                    if author.person not in named and name != author.person.hex()[:8]:
                        author.write(KINDS["profile"], {"name": name})
                    self.store.set_note("name", None)
                    self.store.set_note(ARRIVAL, None)
                self.change()
            else:
                await self.changed.wait()

    def _on_taken(self, taken: IngestResult) -> None:
        self._hub.publish("changed", {"stored": len(taken.stored)})
        self.change()

    def _on_address(self) -> None:
        self._hub.publish("changed", {"stored": 0})
        self.change()

    # -- keys and settings ------------------------------------------------------------------------

    def _remember(self, **values: Any) -> None:
        self.home.write_settings(replace(self.home.read_settings(), **values))

    def _joiner(self, name: str) -> Joiner:
        held = self._unlocked.keys.devices[0]
        return Joiner(held.seed, held.statement, name)
