"""Joining: invitations, knocks at the door, and who opens it (specs/07-joining.md)."""

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import trio

from meshcoop.author import automatic as duties
from meshcoop.author.founding import introduction
from meshcoop.errors import Mistake
from meshcoop.network.interface import AnotherNode, Network, NetworkError, Stream
from meshcoop.network.single_reply import first_frame
from meshcoop.store.invitations import Invitations
from meshcoop.sync.home_mesh import HomeMesh
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.wire import frames, invitation
from protocol.wire import membership_proof as hello
from protocol.wire.invitation import Invitation, Knock

_LOG = logging.getLogger(__name__)

_ANSWER_SECONDS = 10
_RETRY_SECONDS = 1


class Knocked(NamedTuple):
    """Somebody who showed an invitation and waits for a voucher. `since` in milliseconds."""

    person: bytes
    name: str
    since: int


class Door:
    """Gives out invitations and answers those who come with one."""

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
        self._now, self._random = now, random

    def invite(self, *, approve: bool) -> tuple[str, int]:
        """A new invitation and when it ends (milliseconds). `approve`: this home vouches at once."""
        one = Invitation(
            self._mesh.inbox.state.neighbourhood[: invitation.PREFIX],
            self._public_key,
            self._random(invitation.SECRET),
            tuple(_in_order(self._mesh.network.addresses, self._mesh.reach.relays)),
        )
        expires = self._now() + invitation.LIFETIME_MS
        self._invitations.add(one.id, one.secret, expires, approves=approve, now=self._now())
        return invitation.encode(one), expires

    def knocks(self) -> list[Knocked]:
        """Those who knocked here and are no members yet."""
        knocks = self._invitations.knocks()
        return [Knocked(*knock) for knock in knocks if not self._is_member(knock[0])]

    def approve(self, person: bytes) -> bool:
        """Vouches for a person who knocked or for whom others vouched; whether they now belong."""
        certificate = self._invitations.statement_of(person)
        if certificate is None:
            certificate = self._mesh.inbox.state.authority_fold.statement(person)
        if certificate is None:
            raise Mistake("Nobody with this id has knocked; `meshcoop status` shows who waits.")
        return self.vouch(person, certificate)

    def vouch(self, person: bytes, certificate: bytes) -> bool:
        """Vouches for a person with their first device; whether they now belong."""
        if not self._is_member(person):
            self._vouch(person, certificate)
        return self._is_member(person)

    async def answer(self, stream: Stream) -> None:
        """Answers knocks on one stream."""
        decoder = frames.Decoder()
        with trio.move_on_after(_ANSWER_SECONDS):
            await self._mesh.may_sign.wait()
            while data := await stream.read():
                for frame in decoder.feed(data):
                    await stream.write(frames.encode(self._reply(stream.peer, frame)))

    def _reply(self, peer: str, frame: list[Any]) -> list[Any]:
        try:
            return self._knock(peer, Knock.read(frame))
        except Refused as refusal:
            _LOG.info("a knock from %s: %s", peer, refusal)
            return [invitation.REFUSAL, refusal.rule, refusal.reason]

    def _knock(self, peer: str, knock: Knock) -> list[Any]:
        certified = self._certified(peer, knock)
        self._mesh.peers.welcome(peer)
        given = self._invitations.find(knock.invitation)
        assert given is not None, "the knock was checked against an invitation that is here"
        if given.approves and not self._is_member(certified.person):
            self._vouch(certified.person, knock.statement)
        if not self._is_member(certified.person):
            return [invitation.ANSWER, invitation.WAITING, []]
        self._mesh.expect(certified.person)
        return [invitation.ANSWER, invitation.ADMITTED, self._chain(certified)]

    def _chain(self, certified: statement.Certified) -> list[bytes]:
        """R-07.5, R-07.6: what shows the person to be a member, by this device or an earlier one."""
        authority = self._mesh.inbox.state.authority
        assert authority is not None
        known = [one.key for one in authority.devices_of(certified.person)]
        device = certified.device if certified.device in known or not known else known[0]
        return self._mesh.credentials.chain(device)

    def _certified(self, peer: str, knock: Knock) -> statement.Certified:
        """R-07.3, R-07.4: the invitation is ours, valid, proved, and this person's alone."""
        given = self._invitations.find(knock.invitation)
        if given is None:
            raise Refused(
                "R-07.3", "the inviter's home knows no such invitation; ask for a new one"
            )
        certified = statement.read(knock.statement)
        if not isinstance(certified, statement.Certified):
            raise Refused("R-07.2", "a knock certifies a device")
        own = self._mesh.network.peer_id
        expected = invitation.proof(given.secret, peer, own, certified.person)
        if not hmac.compare_digest(expected, knock.proof):
            raise Refused("R-07.3", "the knock does not prove the invitation's secret")
        knock.check(certified.device)
        place = self._mesh.inbox.state.neighbourhood[: statement.PLACE]
        if certified.place != place:
            raise Refused("R-07.2", "the statement is for another neighbourhood")
        if given.person not in {None, certified.person}:
            raise Refused("R-07.4", "somebody else has used this invitation; ask for a new one")
        if given.person is None and given.expires < self._now():
            raise Refused("R-07.4", "this invitation has expired; ask for a new one")
        if given.person is None:
            self._invitations.note_knock(
                knock.invitation, certified.person, knock.statement, knock.name, self._now()
            )
        return certified

    def _vouch(self, person: bytes, certificate: bytes) -> None:
        author = self._mesh.author
        authority, voucher = author.state.authority, author.person
        assert authority is not None
        if voucher in authority.waiting.get(person, frozenset()):
            return  # vouched already; somebody else is to
        if not authority.may_vouch(voucher, self._now()):
            most = authority.charter["admissions_a_month"]
            raise Refused("R-03.7", f"one voucher admits {most} people a month; ask another member")
        author.write(KINDS["admit"], {"person": person, "statement": certificate})
        duties.seal_epochs(author, {person})

    def _is_member(self, person: bytes) -> bool:
        authority = self._mesh.inbox.state.authority
        return authority is not None and person in authority.members


@dataclass(frozen=True)
class Admitted:
    """The door is open: `neighbourhood` is the id, `chain` the records that show it (R-07.5), `since`
    when the person is a member, `where` the address at which the inviter's home was met; `known`: the chain certifies the device, which otherwise brings
    itself (R-07.6).
    """

    neighbourhood: bytes
    chain: list[bytes]
    since: int
    where: str
    known: bool

    def arrival(self, seed: bytes, certificate: bytes, now: int) -> list[bytes]:
        """The records that show this device to be a member's, wherever it greets first."""
        if self.known:
            return self.chain
        time = max(now, self.since)
        return [*self.chain, introduction(seed, certificate, self.neighbourhood, time).wire]


class Joiner(NamedTuple):
    """Who knocks: their device's seed, the statement that certifies it, and their name."""

    seed: bytes
    statement: bytes
    name: str


async def knock(network: Network, one: Invitation, inviter: str, joiner: Joiner) -> Admitted | None:
    """Knocks once at the inviter's home: admitted, or None while a voucher is waited for.

    Raises Refused when the door stays shut, NetworkError when nobody is there.
    """
    certified = statement.read(joiner.statement)
    assert isinstance(certified, statement.Certified)
    proof = invitation.proof(one.secret, network.peer_id, inviter, certified.person)
    signature = invitation.signed(proof, joiner.seed)
    request = Knock(one.id, proof, signature, joiner.statement, joiner.name)
    where, stream = await _reach(network, one, inviter)
    try:
        with trio.fail_after(_ANSWER_SECONDS):
            await stream.write(frames.encode(request.frame()))
            answer = await first_frame(stream)
    except trio.TooSlowError:
        raise NetworkError("the inviter's home does not answer") from None
    finally:
        with trio.CancelScope(shield=True):
            await stream.close()
    return _read_answer(answer, one, certified, where)


async def keep_knocking(
    network: Network, one: Invitation, inviter: str, joiner: Joiner, seconds: float
) -> Admitted | None:
    """The same until somebody is there. Raises NetworkError once `seconds` are over."""
    deadline = trio.current_time() + seconds
    while True:
        try:
            return await knock(network, one, inviter, joiner)
        except NetworkError:
            if trio.current_time() + _RETRY_SECONDS > deadline:
                raise
        await trio.sleep(_RETRY_SECONDS)


async def _reach(network: Network, one: Invitation, inviter: str) -> tuple[str, Stream]:
    """The address that leads to the inviter's home, and a stream to it."""
    failure = NetworkError("the invitation names no address; ask for a new one")
    for address in one.addresses:
        try:
            where = await _meet(network, address, inviter)
            return where, await network.open(inviter, invitation.PROTOCOL)
        except NetworkError as error:
            failure = error
    raise failure


async def _meet(network: Network, address: str, inviter: str) -> str:
    """R-07.7: dials the inviter's home; who answers instead may be a relay that passes on to it."""
    try:
        await network.connect(f"{address}/p2p/{inviter}")
    except AnotherNode as other:
        circuit = f"{address}/p2p/{other.peer}/p2p-circuit/p2p/{inviter}"
        await network.connect(circuit)
        return circuit
    return f"{address}/p2p/{inviter}"


def _read_answer(
    frame: list[Any], one: Invitation, certified: statement.Certified, where: str
) -> Admitted | None:
    types = [type(item) for item in frame]
    if frame[0] == invitation.REFUSAL and types == [int, str, str]:
        raise Refused(frame[1][:16], frame[2][:500])
    if frame[0] != invitation.ANSWER or types != [int, int, list]:
        raise Refused("R-07.5", "the inviter's home answers something else than expected")
    if frame[1] == invitation.WAITING:
        return None
    chain = frame[2]
    if not chain or not all(type(wire) is bytes for wire in chain):
        raise Refused("R-07.5", "the inviter's home shows no charter")
    charter = record.parse(chain[0])
    if not charter.id.startswith(one.neighbourhood):
        raise Refused(
            "R-07.5",
            "the inviter's home shows another neighbourhood than the invitation; ask for a new one",
        )
    known = hello.shown(chain, charter.id)
    if certified.person not in known.members:
        raise Refused("R-07.5", "the records shown do not make you a member")
    since = known.members[certified.person].since
    return Admitted(charter.id, chain, since, where, known=certified.device in known.devices)


def _in_order(addresses: list[str], relays: list[str]) -> list[str]:
    """Addresses that other machines can dial, the relays that pass newcomers on, then addresses
    that only this machine can dial.
    """
    own = sorted(addresses, key=_only_here)
    first = [one for one in own if not _only_here(one)][: 2 if relays else None]
    return [*first, *relays, *(one for one in own if one not in first)]


def _only_here(address: str) -> bool:
    return address.startswith(("/ip4/127.", "/ip6/::1/"))
