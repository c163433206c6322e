"""The invitation desk of a home: gives out invitations, and answers people who knock. To knock
means to come with an invitation (specs/07-joining.md).
"""

import logging
from collections.abc import Callable
from typing import Any, NamedTuple

import trio

from meshcoop.author.newcomers import find_short, has_vouched
from meshcoop.errors import Mistake
from meshcoop.network.doorway import answer_door
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.store.invitations import Invitations, StoredInvitation
from meshcoop.sync.home_mesh import HomeMesh
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Admit
from protocol.record import root_statement as statement
from protocol.wire import door, frames, invitation
from protocol.wire.door import Ends
from protocol.wire.invitation import Invitation, Knock
from protocol.wire.paged_chain import split_chain

_LOG = logging.getLogger(__name__)

_ANSWER_SECONDS = 10


class WaitingPerson(NamedTuple):
    """A person who showed an invitation here and waits until members vouch. `since` is the time of
    the knock (milliseconds).
    """

    person: bytes
    name: str
    since: int


class InvitationDesk:
    """Gives out the invitations of a home, and answers people who come with an invitation."""

    def __init__(
        self,
        mesh: HomeMesh,
        public_key: bytes,
        now: Callable[[], int],
        random: Callable[[int], bytes],
    ) -> None:
        self._mesh = mesh
        self._invitations = Invitations(mesh.inbox.store)
        self._public_key = public_key
        self._now = now
        self._random = random

    def invite(self, *, approve: bool) -> tuple[str, int]:
        """Makes an invitation. Returns its text, and the time when the invitation expires
        (milliseconds).

        If `approve` is True, this home vouches for the first person who comes with the invitation.
        Raises Refused if the person of this home may vouch for nobody now (R-07.1g).
        """
        self._must_be_able_to_vouch()
        invite = Invitation(
            self._public_key,
            self._random(invitation.SECRET_SIZE),
            tuple(_in_order(self._mesh.network.addresses, self._mesh.reach.relays)),
        )
        expires = self._now() + invitation.LIFETIME_MS
        self._invitations.add(invite.id, invite.secret, expires, approves=approve, now=self._now())
        return invitation.encode(invite), expires

    def knocks(self) -> list[WaitingPerson]:
        """Returns the people who knocked here and are not members yet. The earliest knock comes
        first.
        """
        knocks = [WaitingPerson(*columns) for columns in self._invitations.knocks()]
        return [knock for knock in knocks if not self._is_member(knock.person)]

    def approve(self, person: bytes) -> bool:
        """Vouches for a person who has knocked here, or for whom other members have vouched.

        Returns True if the person is a member now. Raises Mistake if nobody with this id waits.
        Raises Refused if this home is not allowed to vouch.
        """
        certificate = self._invitations.statement_of(person)
        if certificate is None:
            certificate = self._mesh.inbox.state.authority_fold.statement(person)
        if certificate is None:
            raise Mistake("Nobody with this id has knocked; `meshcoop status` shows who waits.")
        return self.vouch(person, certificate)

    def vouch(self, person: bytes, certificate: bytes) -> bool:
        """Vouches for a person. `certificate` certifies the person's first device.

        Returns True if the person is a member now.
        """
        if not self._is_member(person) or person in find_short(self._mesh.author.state):
            self._vouch(person, certificate)
        return self._is_member(person)

    async def answer(self, stream: Stream) -> None:
        """Answers the knocks that come on one stream. The peer must first prove that it knows the
        secret of an invitation of this home.
        """
        own_peer = self._mesh.network.peer_id
        guarded = {
            door.door_key(secret): invitation_id
            for invitation_id, secret in self._invitations.secrets(door.MAX_SECRETS)
        }
        try:
            opened, shown = await answer_door(stream, own_peer, guarded, self._random)
        except NetworkError as error:
            _LOG.info("a knock from %s: %s", stream.peer, error)
            return
        decoder = frames.Decoder()
        with trio.move_on_after(_ANSWER_SECONDS):
            await opened.stream.write(frames.encode([invitation.PLACE, self._place]))
            await self._mesh.may_sign.wait()
            while data := await opened.stream.read():
                for frame in decoder.feed(data):
                    for reply in self._replies(opened.ends, shown, frame):
                        await opened.stream.write(frames.encode(reply))

    @property
    def _place(self) -> bytes:
        return self._mesh.inbox.state.neighbourhood[: statement.PLACE_SIZE]

    def _replies(self, ends: Ends, shown: bytes, frame: list[Any]) -> list[list[Any]]:
        """Returns the frames that answer a knock. The answer itself comes last. If the answer has
        too many records for one frame, pages with records come before it (R-05.3g).
        """
        try:
            return self._knock(ends, shown, Knock.read(frame))
        except Refused as refusal:
            _LOG.info("a knock from %s: %s", ends.opener, refusal)
            return [[invitation.REFUSAL, refusal.rule, refusal.reason]]

    def _knock(self, ends: Ends, shown: bytes, knock: Knock) -> list[list[Any]]:
        """Answers a knock. The joiner has proved to have the invitation with the id `shown`."""
        given = self._invitations.find(shown)
        certified = self._certified(ends, given, knock)
        self._mesh.peers.welcome(ends.opener)
        if given.approves and not self._is_member(certified.person):
            self._vouch(certified.person, knock.statement)
        # This comes last: if the vouch is refused, the invitation stays usable.
        if given.person is None:
            self._invitations.note_knock(
                shown, certified.person, knock.statement, knock.name, self._now()
            )
        if not self._is_member(certified.person):
            return [[invitation.ANSWER, invitation.WAITING, []]]
        pages, last = split_chain(self._chain(certified))
        return [*pages, [invitation.ANSWER, invitation.ADMITTED, last]]

    def _chain(self, certified: statement.Certificate) -> list[bytes]:
        """Returns the records that show two things: the person is a member, and the device of the
        knock belongs to this person.

        If no record certifies that device yet, the records show that an earlier device belongs to
        the person (R-07.5, R-07.6).
        """
        authority = self._mesh.inbox.state.authority
        assert authority is not None, "the person is a member by it"
        devices = [device.key for device in authority.devices_of(certified.person)]
        is_shown = certified.device in devices or not devices
        return self._mesh.credentials.chain(certified.device if is_shown else devices[0])

    def _certified(
        self, ends: Ends, given: StoredInvitation, knock: Knock
    ) -> statement.Certificate:
        """Checks a knock, and returns the certificate of the device that knocked (R-07.3, R-07.4).

        An invitation is not valid if another person has used it, or if it expired before its first
        use. Raises Refused if a check fails.
        """
        certified = statement.read_statement(knock.statement)
        if not isinstance(certified, statement.Certificate):
            raise Refused("R-07.2", "a knock certifies a device")
        knock.check(ends, certified.device)
        if certified.place != self._place:
            raise Refused("R-07.2", "the device is certified for another neighbourhood")
        if given.person not in {None, certified.person}:
            raise Refused("R-07.4", "somebody else has used this invitation; ask for a new one")
        if given.person is None and given.expires < self._now():
            raise Refused("R-07.4", "this invitation has expired; ask for a new one")
        return certified

    def _vouch(self, person: bytes, certificate: bytes) -> None:
        author = self._mesh.author
        authority = author.state.authority
        voucher = author.person
        assert authority is not None, "who signs here is a member by it"
        if has_vouched(author.state, voucher, person):
            return  # this home's person has vouched already; another member must vouch too
        self._must_be_able_to_vouch()
        author.write(declared_of(Admit), {"person": person, "statement": certificate})

    def _must_be_able_to_vouch(self) -> None:
        """Raises Refused if the person of this home has vouched for as many newcomers as the
        charter allows.
        """
        authority = self._mesh.author.state.authority
        assert authority is not None, "who signs here is a member by it"
        if not authority.has_room(self._mesh.author.person):
            raise Refused(
                "R-03.7b",
                "one voucher has room for {room} newcomers until a renewal lists them; ask another "
                "voter, or propose a renewal",
                room=authority.charter["room"],
            )

    def _is_member(self, person: bytes) -> bool:
        authority = self._mesh.inbox.state.authority
        return authority is not None and person in authority.members


def _in_order(addresses: list[str], relays: list[str]) -> list[str]:
    """Sorts the addresses for an invitation. The most useful addresses for a newcomer come first.

    First come addresses of this home that other machines can dial. Then come relays that lead
    newcomers here. Last come addresses that only this machine can dial.
    """
    own = sorted(addresses, key=_is_loopback)
    # An invitation has little room. If it names relays, two addresses of the home are enough.
    first = [address for address in own if not _is_loopback(address)][: 2 if relays else None]
    return [*first, *relays, *(address for address in own if address not in first)]


def _is_loopback(address: str) -> bool:
    return address.startswith(("/ip4/127.", "/ip6/::1/"))
