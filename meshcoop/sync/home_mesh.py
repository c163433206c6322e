"""The mesh of a home: it also signs what a home's software owes the neighbourhood."""

import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import trio

from meshcoop.author import automatic, renewal
from meshcoop.author.author import Author
from meshcoop.author.epoch_rotation import Rotation
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.network.interface import Network, TaskStatus
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.sync.conversation import Conversation
from meshcoop.sync.credentials import Credentials
from meshcoop.sync.mesh import Mesh
from meshcoop.sync.relay_reservations import Reach
from protocol.errors import Refused

_LOG = logging.getLogger(__name__)

OWN_HEAD_SECONDS = 5  # how long others are asked for this home's own head before it signs

_NOT_SERVED = "R-08.7"
_AUTOMATIC_SECONDS = 2
_LOOK_AGAIN_MS = 10_000  # what software signs by itself is gone through at least so often
_SEAL_AFTER_MS = 10_000


class HomeMesh(Mesh):
    """A mesh whose `author` signs.

    `arrival`: records that show this home to be a member's before it is synced; `neighbours`: a
    file where the addresses of other homes are kept beside the store.
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
        neighbours: Path | None = None,
    ) -> None:
        device, seed = next(iter(author.devices.items()))
        credentials = Credentials(author.inbox, network.peer_id, device, seed, arrival)
        super().__init__(network, author.inbox, credentials, now, random, verifier, neighbours)
        self.author = author
        self.may_sign = trio.Event()  # this home knows what it last signed
        self._expected: set[bytes] = set()  # people who came by an invitation of this home
        self._countersigner = automatic.Countersigner(author)
        self._rotation = Rotation(author, now)
        self._relay_refusals: dict[str, int] = {}  # peer → when it said that it does not serve us
        self._handed_keys: list[bytes] = []  # the gossip keys that relays were last handed
        self.reach = Reach(self, author)
        author.signed.append(self.publish)

    async def run(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Runs until cancelled; started once peers are answered and gossip is heard."""
        async with trio.open_nursery() as nursery:
            await nursery.start(super().run)
            nursery.start_soon(self._learn_own_head)
            nursery.start_soon(self._automatic_loop)
            nursery.start_soon(self.reach.run)
            task_status.started()

    def expect(self, person: bytes) -> None:
        """Notes that somebody came by an invitation of this home, which then gives them the keys at
        once.
        """
        self._expected.add(person)

    def on_admitted(self, conversation: Conversation) -> None:
        """Gives a relay, which cannot read, the keys that tell members' gossip from others'."""
        super().on_admitted(conversation)
        self.reach.on_admitted(conversation)
        if conversation.person is None:
            conversation.hand_keys(self.inbox.state.ring.gossip_keys)

    def on_goodbye(self, peer: str, rule: str) -> None:
        """Notes that a relay may have stopped serving."""
        if rule == _NOT_SERVED:
            self._relay_refusals[peer] = self._now()

    async def _learn_own_head(self) -> None:
        """Before it signs, a home asks others how far its own log is: a disk that was restored
        must not sign twice with one number. Where nobody is there it goes on: homes are often alone.
        """
        if self.peers.book.met:
            with trio.move_on_after(OWN_HEAD_SECONDS):
                await self.settled.wait()
        self.may_sign.set()

    async def _automatic_loop(self) -> None:
        """Signs what software signs by itself, whenever something may have made it due."""
        await self.may_sign.wait()
        seen = None
        again = self._now()
        while True:
            people = self._people_met() | self._expected
            # A home where nothing has happened has nothing to do, but for what a clock makes due.
            facts = (
                self.inbox.store.change_count,
                people,
                self.author.can_sign,
                dict(self._relay_refusals),
            )
            if facts != seen or self._now() >= again:
                with log_disk_errors("what is due to be signed waits"):
                    self._sign_what_is_due(people)
                seen = facts
                again = self._now() + _LOOK_AGAIN_MS
            self._hand_keys_to_relays()
            await trio.sleep(_AUTOMATIC_SECONDS)

    def _people_met(self) -> set[bytes]:
        """The people whose homes have been connected for a while."""
        # Not at once: mostly their voucher's home has given them the keys by then.
        late = self._now() - _SEAL_AFTER_MS
        return {
            conversation.person
            for peer, conversation in self.conversations.items()
            if conversation.person and self.admitted_at[peer] < late
        }

    def _sign_what_is_due(self, people: set[bytes]) -> None:
        for sign in (
            partial(automatic.accept_charter, self.author),
            self._rotation.run,
            partial(automatic.seal_epochs, self.author, people),
            partial(renewal.decide, self.author),
            self._countersigner.run,
            partial(automatic.end_relays, self.author, self._relay_refusals),
            self.reach.post_home_record,
        ):
            try:
                if self.author.can_sign:
                    sign()
            except Refused as refusal:  # such as the day's quota: it stays due
                _LOG.warning("put off until later: %s", refusal)

    def _hand_keys_to_relays(self) -> None:
        """R-08.4: hands a new epoch's gossip key to the relays that are connected."""
        keys = self.inbox.state.ring.gossip_keys
        if keys == self._handed_keys:
            return
        self._handed_keys = list(keys)
        for conversation in list(self.conversations.values()):
            if conversation.person is None:
                conversation.hand_keys(keys)
