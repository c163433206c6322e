"""Joining: a newcomer's home knocks at the inviter's home, that is, shows the invitation there
(specs/07-joining.md).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import trio

from meshcoop.author.founding import sign_introduction
from meshcoop.network.doorway import DoorStaysShut, OpenDoor, open_door
from meshcoop.network.interface import Network, NetworkError, Stream, UnexpectedPeer
from meshcoop.network.single_reply import read_reply
from meshcoop.sync.judged_chains import read_chain_in_steps
from protocol.errors import Refused
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.wire import frames, invitation
from protocol.wire import membership_proof as hello
from protocol.wire.invitation import Invitation, Knock
from protocol.wire.paged_chain import PageReader

_UNKNOWN_INVITATION = Refused(
    "R-07.3",
    "the inviter's home knows no such invitation; compare it letter by letter, or ask for a new one",
)
_ANSWER_SECONDS = 10
_RETRY_SECONDS = 1

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Admission:
    """The answer of the inviter's home when the newcomer is a member. The answer has the records
    that show the membership.
    """

    neighbourhood: bytes  # the neighbourhood's id
    chain: list[bytes]  # the records that show the membership
    since: int  # when the membership began, milliseconds
    address: str  # where the inviter's home answered
    certifies_device: bool  # whether the chain certifies this device; if not

    def arrival(self, seed: bytes, certificate: bytes, now: int) -> list[bytes]:
        """Returns the records with which this device proves its membership to the first home that
        it meets.

        If none of the received records certifies the device, adds a record by the device itself.
        That record carries `certificate`.
        """
        if self.certifies_device:
            return self.chain
        time = max(now, self.since)
        return [*self.chain, sign_introduction(seed, certificate, self.neighbourhood, time).wire]


class Joiner(NamedTuple):
    """The person who knocks.

    `seed` is the seed of the person's device. `statement` certifies the device. `name` is the name
    under which the person comes.
    """

    seed: bytes
    statement: bytes
    name: str


class Visit(NamedTuple):
    """Everything that is needed to visit the inviter's home: this node's `network`, the invitation,
    and the peer id of that home. `random(n)` returns n random bytes.
    """

    network: Network
    invite: Invitation
    inviter: str
    random: Callable[[int], bytes]


async def ask_place(visit: Visit) -> bytes:
    """Asks the inviter's home for the place, which is the beginning of the neighbourhood's id. A
    newcomer's device has to be certified for this place.

    Raises Refused if the inviter's home does not know the invitation. Raises NetworkError if no
    home answers.
    """
    async with _at_inviter(visit) as (_, _, place):
        return place


async def knock(visit: Visit, joiner: Joiner) -> Admission | None:
    """Shows the invitation to the inviter's home, once.

    Returns None while the person waits for members to vouch. Raises Refused if the home does not
    admit the person. Raises NetworkError if no home answers.
    """
    certified = statement.read_statement(joiner.statement)
    assert isinstance(certified, statement.Certificate)
    async with _at_inviter(visit) as (address, opened, place):
        if certified.place != place:
            raise Refused("R-07.2", "this home is certified for another neighbourhood; join again")
        request = Knock.sign(opened.ends, joiner.seed, joiner.statement, joiner.name)
        await opened.stream.write(frames.encode(request.frame()))
        pages = PageReader()
        answer = await read_reply(opened.stream, pages)
    return await _read_answer(answer, pages.wires, place, certified, address)


async def keep_trying(ask: Callable[[], Awaitable[_Answer]], seconds: float) -> _Answer:
    """Calls `ask` until a home answers, and returns the result. Raises NetworkError if no home has
    answered after `seconds`.
    """
    deadline = trio.current_time() + seconds
    while True:
        try:
            return await ask()
        except NetworkError:
            if trio.current_time() + _RETRY_SECONDS > deadline:
                raise
        await trio.sleep(_RETRY_SECONDS)


@asynccontextmanager
async def _at_inviter(visit: Visit) -> AsyncIterator[tuple[str, OpenDoor, bytes]]:
    """Opens a stream to the inviter's home for an `async with` block, and shows the invitation
    there. The block gets three values: the address at which the home answered, the stream, and the
    place (the beginning of the neighbourhood's id).

    Raises Refused if the home does not know the invitation. Raises NetworkError if the home cannot
    be reached, or if the block takes too long.
    """
    own_peer = visit.network.peer_id
    address, stream = await _reach(visit.network, visit.invite, visit.inviter)
    try:
        with trio.fail_after(_ANSWER_SECONDS):
            opened = await open_door(stream, own_peer, visit.invite.secret, visit.random)
            yield address, opened, invitation.read_place(await read_reply(opened.stream))
    except DoorStaysShut:
        raise _UNKNOWN_INVITATION from None
    except trio.TooSlowError:
        raise NetworkError("the inviter's home does not answer") from None
    finally:
        with trio.CancelScope(shield=True):
            await stream.close()


async def _reach(network: Network, invite: Invitation, inviter: str) -> tuple[str, Stream]:
    """Connects to the inviter's home. Returns the address at which the home answered, and a stream
    to the home.

    Raises NetworkError if no address of the invitation leads there.
    """
    failure = NetworkError("the invitation names no address; ask for a new one")
    for address in invite.addresses:
        try:
            reached = await _dial(network, address, inviter)
            return reached, await network.open_stream(inviter, invitation.PROTOCOL)
        except NetworkError as error:
            failure = error
    raise failure


async def _dial(network: Network, address: str, inviter: str) -> str:
    """Dials the inviter's home at `address`. Returns the full address at which the home answered.

    Another node may answer at this address, such as a relay. If so, dials the home through that
    node (R-07.7).
    """
    try:
        await network.connect(f"{address}/p2p/{inviter}")
    except UnexpectedPeer as other:
        circuit = f"{address}/p2p/{other.peer}/p2p-circuit/p2p/{inviter}"
        await network.connect(circuit)
        return circuit
    return f"{address}/p2p/{inviter}"


async def _read_answer(
    frame: list[Any],
    earlier: list[bytes],
    place: bytes,
    certified: statement.Certificate,
    address: str,
) -> Admission | None:
    """Reads the answer to a knock. `earlier` are the records from the pages that came before the
    answer.
    """
    types = [type(field) for field in frame]
    if frame[0] == invitation.REFUSAL and types == [int, str, str]:
        raise Refused(frame[1][:16], frame[2][:500])
    if frame[0] != invitation.ANSWER or types != [int, int, list]:
        raise Refused("R-07.5", "the inviter's home answers something else than expected")
    if frame[1] == invitation.WAITING:
        return None
    chain = [*earlier, *frame[2]]
    if not chain or not all(type(wire) is bytes for wire in chain):
        raise Refused("R-07.5", "the inviter's home shows no charter")
    charter = record.parse(chain[0])
    if not charter.id.startswith(place):
        raise Refused(
            "R-07.5", "the inviter's home shows another neighbourhood than it named before"
        )
    records = await read_chain_in_steps(chain, charter.id)
    authority = hello.fold_records(records, charter.id)
    if certified.person not in authority.members:
        raise Refused("R-07.5", "the records shown do not make you a member")
    since = authority.members[certified.person].since
    is_certified = certified.device in authority.devices
    return Admission(charter.id, chain, since, address, certifies_device=is_certified)
