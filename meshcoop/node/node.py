"""The node: one process that runs one home. `run_node` builds and connects all its parts."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import trio

from meshcoop.api import server as api
from meshcoop.api.event_hub import EventHub
from meshcoop.api.methods.method_table import READING, Methods
from meshcoop.api.node_handle import Membership
from meshcoop.api.params import Params
from meshcoop.api.server import Method
from meshcoop.author import automatic
from meshcoop.author.folding import fold_in_steps
from meshcoop.errors import IS_RELAY, NO_MEMBER, NO_NEIGHBOURHOOD, Mistake, Remark
from meshcoop.fold.slices import answer_in_slices
from meshcoop.home.folder import Home
from meshcoop.home.key_file import UnlockedKeys
from meshcoop.home.machine_id import own_addresses
from meshcoop.home.sealed_file import SealedFile
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, NetworkError, TaskStatus
from meshcoop.network.libp2p.identity import peer_id_from_key
from meshcoop.node.membership import open_membership
from meshcoop.relay.metrics import Metrics
from meshcoop.relay.relay import Relay, open_relay
from meshcoop.repair.examination import examine_stores
from meshcoop.store.last_signed import LastSigned
from meshcoop.store.store import Store
from meshcoop.sync import joining
from meshcoop.sync.credentials import keep_arrival, read_arrival
from meshcoop.sync.joining import Admission, Joiner, Visit
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds import FAULTS
from protocol.kinds.people import Profile
from protocol.wire import address_gift, invitation
from protocol.wire.invitation import Invitation

_SHORT_ID = 8  # hexadecimal digits
_LOG = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

OpenNetwork = Callable[[bytes, list[str]], AbstractAsyncContextManager[Network]]

# The store's notes about a newcomer. They stay until the home is synced and the name is posted.
_NAME = "name"

_AT_ONCE = frozenset({"status", "examine", "stop"})  # methods that wait for nothing
_ASK_AGAIN_SECONDS = 5
_ADDRESS_SECONDS = 3
_KEYS_SECONDS = 30  # a newcomer waits this long for the group keys before the first own record
_MOVING_IN_SECONDS = 5  # an admitted home waits at least this long for its records


async def run_node(
    home: Home,
    unlocked: UnlockedKeys,
    open_network: OpenNetwork,
    now: Callable[[], int],
    random: Callable[[int], bytes],
    verifier: Verifier | None = None,
    damage: Sequence[Remark] = (),
    *,
    stop: trio.Event,
    on_ready: "Callable[[Node], None]",
) -> None:
    """Runs the node of a home until `stop` is set.

    The caller provides the network, the clock (in milliseconds) and the randomness. `damage` has
    the faults that were repaired. `on_ready` is called when the node answers programs.
    """
    for package, fault in FAULTS.items():
        _LOG.warning("The kinds of %s are left out: %s.", package, fault)
    settings = home.read_settings()
    listen = list(settings.listen) or home.default_listen_addresses()
    keys = unlocked.keys

    def relay_of(network: Network) -> AbstractAsyncContextManager[Relay | None]:
        relay = open_relay(home, store, keys, network, now, random, verifier)
        return relay if settings.relay else nullcontext()

    with ExitStack() as files:
        store = files.enter_context(closing(Store(home.store_file, keys.store_key)))
        async with (
            open_network(keys.network_seed, listen) as network,
            relay_of(network) as relay,
            trio.open_nursery() as nursery,
        ):
            node = Node(
                home,
                unlocked,
                store,
                network,
                files,
                nursery,
                relay,
                now,
                random,
                verifier,
                damage,
                stop,
            )
            if relay is not None and settings.metrics is not None:
                await nursery.start(Metrics(relay).run, settings.metrics)
            elif keys.neighbourhood is not None:
                await node.enter(keys.neighbourhood)
            elif keys.invitation is not None:
                node.wait_for_admission(keys.invitation)
            await nursery.start(api.serve_api, home.api_socket, node.methods(), node.hub)
            nursery.start_soon(node.watch_addresses)
            node.is_ready = True
            on_ready(node)
            await stop.wait()
            nursery.cancel_scope.cancel()


class Node:
    """The node of one home, with everything that the process needs. Once the home belongs to a
    neighbourhood, the node also has the membership.

    `files` closes the files that the node opens. The node's tasks run in `nursery`.
    """

    def __init__(
        self,
        home: Home,
        unlocked: UnlockedKeys,
        store: Store,
        network: Network,
        files: ExitStack,
        nursery: trio.Nursery,
        relay: Relay | None,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None,
        damage: Sequence[Remark],
        stop: trio.Event,
    ) -> None:
        self.home = home
        self.network = network
        self.relay = relay
        self.now = now
        self.damage = list(damage)
        self.hub = EventHub()
        self.is_ready = False
        self.changed = trio.Event()  # set and replaced whenever something changes
        self.membership: Membership | None = None
        self._unlocked = unlocked
        self._store = store
        self._files = files
        self._nursery = nursery
        self._random = random
        self._verifier = verifier
        self._stop = stop
        self._waiting = trio.CancelScope()  # of the task that waits to be admitted

    @property
    def has_asked(self) -> bool:
        """Whether this home waits to be admitted to a neighbourhood."""
        return self._unlocked.keys.invitation is not None

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase locks the keys of this home."""
        return self._unlocked.has_passphrase

    @property
    def keeps_recovery_words(self) -> bool:
        """Whether this home still keeps the recovery words of its person."""
        if self._unlocked.keys.recovery_seed is not None:
            self._unlocked = self._unlocked.reread()  # a command may have erased them meanwhile
        return self._unlocked.keys.recovery_seed is not None

    async def examine(self) -> dict[str, object]:
        """Looks into the stores of this home for the doctor. Works in a thread beside the event
        loop.
        """
        key = self._unlocked.keys.store_key
        return {**await trio.to_thread.run_sync(examine_stores, self.home, key)}

    def stop(self) -> None:
        """Stops the node: `run_node` then returns."""
        self._stop.set()

    def methods(self) -> dict[str, Method]:
        """Returns the methods of the local API, by name.

        If some threads still have to be folded, most methods wait until this is done.
        """
        methods: dict[str, Method] = {**Methods(self).table()}
        sliced: dict[str, Method] = {
            name: partial(answer_in_slices, methods[name]) for name in READING
        }
        return {
            name: method if name in _AT_ONCE else self._after_backlog(method)
            for name, method in {**methods, **sliced}.items()
        }

    def _after_backlog(self, method: Method) -> Method:
        async def answer(params: Params) -> object:
            if self.membership is not None:
                await self.membership.mesh.backlog.settle()
            return await method(params)

        return answer

    def announce_change(self) -> None:
        """Wakes every task that waits for the event `changed`."""
        self.changed.set()
        self.changed = trio.Event()

    async def watch_addresses(self) -> None:
        """Notices when this machine joins or leaves a network.

        Then makes the node listen at the new addresses and dial its peers again.
        """
        before = own_addresses()
        while True:
            await trio.sleep(_ADDRESS_SECONDS)
            addresses = own_addresses()
            if addresses != before:
                _LOG.info("this machine's addresses are now %s", ", ".join(addresses))
                before = addresses
                listen = self.home.read_settings().listen or self.home.default_listen_addresses()
                await self.network.listen(list(listen))
                meshes = [self.membership.mesh] if self.membership else []
                for mesh in [*meshes, *(self.relay.meshes if self.relay else ())]:
                    mesh.peers.redial_now()

    # -- what the node has, or the reason why it has not ------------------------------------------

    def require_membership(self) -> Membership:
        """Returns the membership. Raises Mistake if this home belongs to no neighbourhood."""
        if self.relay is not None:
            raise Mistake(IS_RELAY)
        if self.membership is None:
            raise Mistake(NO_NEIGHBOURHOOD)
        return self.membership

    async def wait_to_sign(self) -> Membership:
        """Waits until this home has found out which record it signed last. Then returns the
        membership.

        Raises Mistake if this home belongs to no neighbourhood, and Refused if none of its devices
        may sign.
        """
        member = self.require_membership()
        await member.mesh.may_sign.wait()
        if member.state.authority is None:  # the store was lost, and nobody was met since
            raise Mistake(NO_MEMBER)
        member.author.check()
        return member

    def require_relay(self) -> Relay:
        """Returns the relay that this node runs. Raises Mistake if this home is no relay."""
        if self.relay is None:
            raise Mistake(
                "This home is no relay; `meshcoop --home DIR relay found NAME` makes one."
            )
        return self.relay

    # -- joining ----------------------------------------------------------------------------------

    async def join(self, text: str, name: str | None, seconds: float) -> bool:
        """Shows an invitation to the inviter's home and asks to be admitted. Returns True when this
        home belongs to the neighbourhood. Returns False if members must vouch first.

        If `name` is None, the start of the person's id is used as the name. Raises Refused if the
        inviter's home refuses. Raises Mistake if no neighbour answers, or if this home belongs to
        another neighbourhood. Also raises Mistake if this home is admitted but the neighbourhood's
        records do not come in time.
        """
        visit = self._visit(text)
        if self.membership is not None:
            if await self._is_from_here(visit, self.membership):
                return True
            raise Mistake("This home already belongs to a neighbourhood; use another --home.")
        self._unlocked = self._unlocked.reread()  # the command has certified the device meanwhile
        known_as = name or self._unlocked.keys.devices[0].person.hex()[:_SHORT_ID]
        self._store.set_note(_NAME, known_as)
        deadline = trio.current_time() + seconds
        admission = await _ask_neighbour(
            partial(joining.knock, visit, self._joiner(known_as)), seconds
        )
        if admission is None:
            self._remember(invitation=text)
            self.wait_for_admission(text)
            return False
        membership = await self._move_in(admission, visit.invite)
        with trio.move_on_after(max(deadline - trio.current_time(), _MOVING_IN_SECONDS)):
            await membership.mesh.settled.wait()
            while self._store.read_note(_NAME) is not None:  # until the name is posted
                await self.changed.wait()
            return True
        raise Mistake("Admitted, but the neighbours' records have not all come; leave the node up.")

    async def ask_place(self, text: str, seconds: float) -> bytes:
        """Asks the inviter's home for the place, which is the beginning of the neighbourhood's id.
        A newcomer's device has to be certified for this place.

        Raises Refused if the inviter's home does not know the invitation. Raises Mistake if no
        neighbour answers.
        """
        return await _ask_neighbour(partial(joining.ask_place, self._visit(text)), seconds)

    async def _is_from_here(self, visit: Visit, membership: Membership) -> bool:
        """Returns whether an invitation comes from this home, or from another home of this
        neighbourhood. To find out, asks the home that made the invitation. That home must answer
        now.
        """
        if visit.inviter == self.network.peer_id:
            return True
        try:
            place = await joining.ask_place(visit)
        except (NetworkError, Refused):
            return False
        return membership.state.neighbourhood.startswith(place)

    def _visit(self, text: str) -> Visit:
        invite = invitation.decode(text)
        return Visit(self.network, invite, peer_id_from_key(invite.peer), self._random)

    def wait_for_admission(self, text: str) -> None:
        """Shows the invitation again every few seconds until this home is admitted. If another
        invitation was shown until now, stops showing that one.
        """
        if self.membership is not None:
            return
        self._waiting.cancel()
        self._waiting = trio.CancelScope()
        self._nursery.start_soon(self._keep_asking, text, self._waiting)

    async def _keep_asking(self, text: str, scope: trio.CancelScope) -> None:
        with scope:
            await self._ask_until_admitted(text)

    async def _ask_until_admitted(self, text: str) -> None:
        visit = self._visit(text)
        joiner = self._joiner(str(self._store.read_note(_NAME)))
        while self.membership is None:
            await trio.sleep(_ASK_AGAIN_SECONDS)
            try:
                admission = await joining.knock(visit, joiner)
            except (NetworkError, Refused) as error:
                _LOG.info("still waiting to be admitted: %s", error)
                continue
            if admission is not None:
                await self._move_in(admission, visit.invite)

    async def enter(self, neighbourhood: bytes) -> Membership:
        """Builds the membership and starts its tasks. Returns when the node answers peers."""
        store_key = self._unlocked.keys.store_key
        signed = LastSigned(self.home.last_signed_file, store_key)
        membership = open_membership(
            self._store,
            neighbourhood,
            self.network,
            self._unlocked,
            self._files.enter_context(closing(signed)),
            self.now,
            self._random,
            self._verifier,
            neighbours=SealedFile(self.home.neighbours_file, store_key),
            arrival=read_arrival(self._store),
            on_change=self._on_change,
        )
        self.membership = membership
        await self._nursery.start(self._run_mesh, membership)
        self._nursery.start_soon(membership.address_delivery.run)
        self._nursery.start_soon(self._introduce, membership)
        return membership

    async def _run_mesh(self, membership: Membership, *, task_status: TaskStatus) -> None:
        """Runs the mesh of a membership. Meanwhile, answers newcomers, and homes that deliver a
        street address.
        """
        desk = membership.invitation_desk
        delivery = membership.address_delivery
        with (
            self.network.serve(invitation.PROTOCOL, desk.answer),
            self.network.serve(address_gift.PROTOCOL, delivery.answer),
        ):
            await membership.mesh.run(task_status=task_status)

    async def _move_in(self, admission: Admission, invite: Invitation) -> Membership:
        """Enters the neighbourhood that has admitted this home, and returns the membership."""
        if self.membership is not None:
            return self.membership  # another task was quicker; nobody enters twice
        device = self._unlocked.keys.devices[0]
        wires = admission.arrival(device.seed, device.statement, self.now())
        keep_arrival(self._store, wires)
        self._remember(neighbourhood=admission.neighbourhood, invitation=None)
        membership = await self.enter(admission.neighbourhood)
        inviter = peer_id_from_key(invite.peer)
        others = [f"{address}/p2p/{inviter}" for address in invite.addresses]
        membership.mesh.peers.learn_by_hand([admission.address, *others])
        return membership

    async def _introduce(self, membership: Membership) -> None:
        """Posts a newcomer's name as soon as this home can read and write records."""
        author = membership.author
        await membership.mesh.may_sign.wait()
        if self._store.read_note(_NAME) is not None:
            await membership.mesh.settled.wait()  # a person who comes back has a name already
        with trio.move_on_after(_KEYS_SECONDS):  # else this home makes a key of its own
            while not membership.state.ring:
                await self.changed.wait()
        while (name := self._store.read_note(_NAME)) is not None:
            if not author.can_sign:
                await self.changed.wait()
                continue
            await fold_in_steps(membership.state, automatic.accept_charter(author))
            with self._store.transaction():
                has_name = author.person in membership.state.views.latest_by_author(Profile)
                # If a person came back with the recovery words alone, the start of their key
                # stands in place of a name. It is not posted.
                if not has_name and name != author.person.hex()[:_SHORT_ID]:
                    author.write(declared_of(Profile), {"name": name})
                self._store.set_note(_NAME, None)
                keep_arrival(self._store, [])
            self.announce_change()

    def _on_change(self, stored: int) -> None:
        self.hub.publish("changed", {"stored": stored})
        self.announce_change()

    def _remember(self, **changes: Any) -> None:
        keys = self._unlocked.reread().keys  # a command may have changed the file
        self._unlocked = self._unlocked.save(replace(keys, **changes))

    def _joiner(self, name: str) -> Joiner:
        device = self._unlocked.keys.devices[0]
        return Joiner(device.seed, device.statement, name)


async def _ask_neighbour(ask: Callable[[], Awaitable[_Answer]], seconds: float) -> _Answer:
    """Asks the inviter's home, and repeats this until there is an answer. Raises Mistake if no
    neighbour has answered after `seconds`.
    """
    try:
        return await joining.keep_trying(ask, seconds)
    except NetworkError as error:
        raise Mistake(
            (
                "No neighbour could be reached within {seconds:g} s ({error}); compare the "
                "invitation letter by letter, ask the inviter to start their node, then join "
                "again."
            ),
            seconds=seconds,
            error=error,
        ) from None
