"""A member's home enrols a relay, or ends the enrolment (specs/08-relays.md)."""

import trio

from meshcoop.author import automatic
from meshcoop.errors import Mistake
from meshcoop.network.doorway import DoorStaysShut, open_door
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.network.single_reply import read_reply
from meshcoop.sync.home_mesh import HomeMesh
from protocol.authority.relays import ENDED, SERVING, Relay
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.record.peer_id import peer_id
from protocol.wire import frames, membership_proof, relay_ticket
from protocol.wire.relay_ticket import EnrolRequest, Ticket

_ANSWER_SECONDS = 10


async def enrol(mesh: HomeMesh, text: str) -> Record:
    """Asks a relay to serve the neighbourhood. `text` is the relay's ticket.

    If the relay agrees, writes and returns a record that announces the relay to the neighbourhood.
    Raises Refused if the relay refuses. Raises Mistake if the relay cannot be reached.
    """
    ticket = relay_ticket.decode(text)
    automatic.check_may_enrol(mesh.author, ticket.peer)
    relay = peer_id(ticket.peer)
    try:
        stream = await _open_stream(mesh, ticket, relay)
        try:
            with trio.fail_after(_ANSWER_SECONDS):
                own_peer = mesh.network.peer_id
                opened = await open_door(stream, own_peer, ticket.secret, mesh.random)
                for frame in _request(mesh, relay).frames():
                    await opened.stream.write(frames.encode(frame))
                answer = await read_reply(opened.stream)
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()
    except DoorStaysShut:
        raise Refused("R-08.6", "the relay knows no such ticket; ask for a new one") from None
    except trio.TooSlowError:
        raise Mistake(
            "The relay does not answer; ask its technician whether it is up, then try again."
        ) from None
    except NetworkError as error:
        raise Mistake(
            "The relay could not be reached ({error}); ask its technician whether it is up, then "
            "try again.",
            error=error,
        ) from None
    is_refusal = answer[0] == relay_ticket.REFUSAL
    if is_refusal and [type(field) for field in answer] == [int, str, str]:
        raise Refused(answer[1][:16], answer[2][:500])
    if answer[0] != relay_ticket.ENROLLED:
        raise Refused("R-08.6", "the relay answers something else than expected")
    return automatic.post_relay(mesh.author, ticket.peer, ticket.addresses, SERVING)


def end_enrolment(mesh: HomeMesh, relay: Relay) -> Record | None:
    """Writes a record that ends this person's enrolment of a relay, and returns the record. Returns
    None if this home's person has not enrolled the relay.
    """
    if mesh.author.person not in relay.people:
        return None
    return automatic.post_relay(mesh.author, relay.key, relay.addresses, ENDED)


def _request(mesh: HomeMesh, relay: str) -> EnrolRequest:
    neighbourhood = mesh.inbox.state.neighbourhood
    own_peer = mesh.network.peer_id
    device = mesh.credentials.device
    seed = mesh.author.devices[device]
    return EnrolRequest(
        neighbourhood,
        device,
        membership_proof.prove_membership(
            seed, neighbourhood, own_peer, relay, relay_ticket.HELLO_DOMAIN
        ),
        mesh.credentials.chain(device),
    )


async def _open_stream(mesh: HomeMesh, ticket: Ticket, relay: str) -> Stream:
    """Opens a stream to the relay. Uses the first address of the ticket that works.

    Raises NetworkError if no address works.
    """
    failure = NetworkError("the ticket names no address")
    for address in ticket.addresses:
        try:
            await mesh.network.connect(f"{address}/p2p/{relay}")
            return await mesh.network.open_stream(relay, relay_ticket.PROTOCOL)
        except NetworkError as error:
            failure = error
    raise failure
