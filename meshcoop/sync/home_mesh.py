"""The mesh of a home: connects the home with the other nodes of the neighbourhood. Also signs the
records that the home's software makes by itself.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from functools import partial

import trio

from meshcoop.author import automatic, key_giving, renewal
from meshcoop.author.author import Author
from meshcoop.author.folding import Folding, fold_in_steps
from meshcoop.author.witness_writer import WitnessWriter
from meshcoop.fold.slices import answer_in_slices
from meshcoop.home.sealed_file import SealedFile
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, TaskStatus
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.sync.conversation import Conversation
from meshcoop.sync.credentials import Credentials
from meshcoop.sync.mesh import Mesh
from meshcoop.sync.relay_reservations import Reach
from protocol.errors import Refused
from protocol.kinds.people import Home
from protocol.record.key_bundle import MAX_KEYS_GIVEN
from protocol.record.peer_id import peer_id
from protocol.wire import sync_session

_LOG = logging.getLogger(__name__)

OWN_HEAD_SECONDS = 5  # before it signs, a home waits at most this long for the head of its log

_NOT_SERVED = "R-08.7"
_AUTOMATIC_SECONDS = 2
_LOOK_AGAIN_MS = 10_000  # the software looks at least this often for records to sign
_ASK_BY_RECORD_MS = 3_600_000  # a device that met only relays for this long asks by record
_ASK_AFTER_MS = 60_000  # and has been up for this long
_AGAIN_MS = 600_000  # how often a meeting is noted
_KEY_ASKS = 3  # a home asks all others so often for a new key: some get its record a little later
_MET = "met_home"  # the store's note of the time when another member's home was last met (ms)


class HomeMesh(Mesh):
    """A mesh with an `author`, who signs records.

    `arrival` has records that show that this home belongs to a member. The home uses these records
    until sync has brought them into its store. The file `neighbours` keeps the addresses of other
    homes beside the store.
    """

    def __init__(
        self,
        network: Network,
        author: Author,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        verifier: Verifier | None = None,
        *,
        arrival: Sequence[bytes] = (),
        neighbours: SealedFile | None = None,
    ) -> None:
        device, seed = next(iter(author.devices.items()))
        credentials = Credentials(author.inbox, network.peer_id, device, seed, arrival)
        super().__init__(network, author.inbox, credentials, now, random, verifier, neighbours)
        self.author = author
        self.may_sign = trio.Event()  # set when `_learn_own_head` has ended
        self._countersigner = automatic.Countersigner(author)
        self._witness_writer = WitnessWriter(author)
        self._began_at = now()  # milliseconds
        # A home that has met no other home yet waits for one from its first start on.
        met_at = self.inbox.store.read_note(_MET)
        self._home_met_at = self._began_at if met_at is None else int(str(met_at))
        self._relay_refusals: dict[str, int] = {}  # relay → when it refused to serve us
        self._homes: frozenset[str] = frozenset()
        self._homes_at: int | None = None  # the count of changes when the homes were read
        self._handed_keys: list[bytes] = []  # the gossip keys last sent to relays
        self._lacked_keys: dict[bytes, int] = {}  # the id of a key → how often this home noticed
        self._keys_at: int | None = None  # the count of changes when this home looked last
        self.reach = Reach(self, author)
        author.signed.append(self.publish)

    async def run(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled. Reports that the mesh has started, as soon as it answers peers and
        receives gossip.
        """
        async with trio.open_nursery() as nursery:
            await nursery.start(super().run)
            nursery.start_soon(self._learn_own_head)
            nursery.start_soon(self._automatic_loop)
            nursery.start_soon(self.reach.run)
            task_status.started()

    def on_admitted(self, conversation: Conversation) -> None:
        """Sends the gossip keys to the peer if the peer is a relay.

        These keys do not open records. With them, the relay can tell which gossip comes from
        members.
        """
        super().on_admitted(conversation)
        self.reach.on_admitted(conversation)
        if conversation.person is None:
            conversation.hand_keys(self.inbox.state.epochs.gossip_keys())

    def on_keys_wanted(self, conversation: Conversation, ids: list[bytes]) -> None:
        """R-03.39: gives group keys to a member's home that asks for them."""
        sealed = key_giving.seal_wanted(self.author, conversation.device, ids)
        if conversation.person is not None and sealed is not None:
            conversation.give_keys(sealed)

    def on_keys_given(self, sealed: bytes) -> None:
        """Keeps the group keys that another home gives to this home."""
        key_giving.take_bundle(self.author, self.credentials.device, sealed)

    def home_peers(self) -> Collection[str]:
        """Returns the peer ids of other homes. The `home` records of members name these ids."""
        state = self.inbox.state
        if self._homes_at != state.store.change_count:
            self._homes_at = state.store.change_count
            members = state.authority.members if state.authority else ()
            keys = {view.key for view in state.views.of_kind(Home) if view.author in members}
            self._homes = frozenset(map(peer_id, keys)) - {self.network.peer_id}
        return self._homes

    def on_goodbye(self, peer: str, rule: str) -> None:
        """Notes the time if a relay says that it no longer serves the neighbourhood. A relay may
        also say that it does not know the neighbourhood; then the relay's enrolment stays
        (R-08.7g).
        """
        if rule == _NOT_SERVED:
            self._relay_refusals[peer] = self._now()

    async def _learn_own_head(self) -> None:
        """Waits until another home has told this home the last record of this home's own log. Then
        lets this home sign.

        If the disk was restored from an old copy, this home lacks its own latest records. The home
        could then sign two records with one number. If no home answers in time, this home may sign
        too, because homes are often alone.
        """
        if self.peers.book.met:
            with trio.move_on_after(OWN_HEAD_SECONDS):
                await self.settled.wait()
        self.may_sign.set()

    async def _automatic_loop(self) -> None:
        """Runs until cancelled: at intervals, signs the records that the software makes by
        itself.
        """
        await self.may_sign.wait()
        self.inbox.store.set_note(_MET, self._home_met_at)  # it counts on over restarts
        seen = None
        again = self._now()
        while True:
            self._note_meetings()
            # If none of these has changed, only the passing of time can make a record due.
            facts = (
                self.inbox.store.change_count,
                self.author.can_sign,
                dict(self._relay_refusals),
            )
            if facts != seen or self._now() >= again:
                with log_disk_errors("what is due to be signed waits"):
                    await self._sign_what_is_due()
                    await self._countersign()
                    await self._witness()
                    await self._tend_epochs()
                seen = facts
                again = self._now() + _LOOK_AGAIN_MS
            self._hand_keys_to_relays()
            self._ask_for_new_keys()
            await trio.sleep(_AUTOMATIC_SECONDS)

    def _note_meetings(self) -> None:
        has_met = any(conversation.person for conversation in self.conversations.values())
        if has_met and self._now() - self._home_met_at >= _AGAIN_MS:
            self._home_met_at = self._now()
            self.inbox.store.set_note(_MET, self._home_met_at)

    def _ask_by_record(self) -> None:
        """R-03.39c: asks for group keys in a record if this home meets no other homes, only
        relays.
        """
        now = self._now()
        is_alone = now - self._home_met_at >= _ASK_BY_RECORD_MS
        if self.conversations and is_alone and now - self._began_at >= _ASK_AFTER_MS:
            key_giving.ask_by_record(self.author)

    async def _sign_what_is_due(self) -> None:
        signing: tuple[Callable[[], Folding[None] | None], ...] = (
            partial(automatic.accept_charter, self.author),
            self._ask_by_record,
            partial(key_giving.answer_requests, self.author),
            partial(renewal.decide, self.author),
            partial(automatic.end_relays, self.author, self._relay_refusals),
            self.reach.post_home_record,
        )
        for sign in signing:
            try:
                folding = sign() if self.author.can_sign else None
                if folding is not None:
                    await fold_in_steps(self.inbox.state, folding)
            except Refused as refusal:  # for example, the quota is used up: the record stays due
                _LOG.warning("put off until later: %s", refusal)
            await trio.lowlevel.checkpoint()

    async def _countersign(self) -> None:
        """R-13.15: countersigns the `confirm` records that have arrived. Other tasks may run
        meanwhile.
        """
        if not self.author.can_sign:
            return
        try:
            for look in self._countersigner.looks():
                await fold_in_steps(self.inbox.state, look)
                await trio.lowlevel.checkpoint()
        except Refused as refusal:
            _LOG.warning("put off until later: %s", refusal)

    async def _witness(self) -> None:
        """R-24.2: signs `witness` records if this home's person is a witness."""
        for _ in self._witness_writer.looks():
            await trio.lowlevel.checkpoint()
        if not self.author.can_sign or not self._witness_writer.may_sign():
            return
        await answer_in_slices(self._note_matters, self._now())
        try:
            await fold_in_steps(self.inbox.state, self._witness_writer.sign_due())
        except Refused as refusal:
            _LOG.warning("put off until later: %s", refusal)

    async def _note_matters(self, now: int) -> None:
        self._witness_writer.note_matters(now)

    async def _tend_epochs(self) -> None:
        """Checks the sealed keys in other homes' epochs. Also completes the epochs of this home.
        Works in steps.
        """
        epochs = self.inbox.state.epochs
        while epochs.check_slots():
            await trio.lowlevel.checkpoint()
        while self.author.can_sign and self.author.epoch_maker.complete():
            await trio.lowlevel.checkpoint()

    def _hand_keys_to_relays(self) -> None:
        """R-08.4: sends all gossip keys of this home to the connected relays, if one of the keys is
        new.
        """
        keys = self.inbox.state.epochs.gossip_keys()[: sync_session.MAX_KEYS]
        if keys == self._handed_keys:
            return
        self._handed_keys = keys
        for conversation in list(self.conversations.values()):
            if conversation.person is None:
                conversation.hand_keys(keys)

    def _ask_for_new_keys(self) -> None:
        """R-03.39g: asks all connected homes for the group keys that this home began to miss in the
        last few seconds. The next rounds of sync ask for the other missing keys.
        """
        if self._keys_at != self.inbox.store.change_count:
            self._keys_at = self.inbox.store.change_count
            missing = self.inbox.state.epochs.named_missing(MAX_KEYS_GIVEN)
            self._lacked_keys = {key_id: self._lacked_keys.get(key_id, 0) for key_id in missing}
        new = [key_id for key_id, times in self._lacked_keys.items() if times < _KEY_ASKS]
        for conversation in list(self.conversations.values()) if new else ():
            conversation.ask_keys(new)
        self._lacked_keys.update((key_id, self._lacked_keys[key_id] + 1) for key_id in new)
