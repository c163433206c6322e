"""Enrolling a relay from a member's home (specs/08-relays.md)."""

import trio

from meshcoop.author import automatic
from meshcoop.errors import Mistake
from meshcoop.network.interface import NetworkError, Stream
from meshcoop.network.single_reply import first_frame
from meshcoop.sync.home_mesh import HomeMesh
from protocol.authority.relays import ENDED, SERVING, Relay
from protocol.errors import Refused
from protocol.record.envelope import Record
from protocol.record.peer_id import peer_id
from protocol.wire import frames
from protocol.wire import membership_proof as hello
from protocol.wire import relay_ticket as ticket
from protocol.wire.relay_ticket import Request, Ticket

_ANSWER_SECONDS = 10


async def enrol(mesh: HomeMesh, text: str) -> Record:
    """Asks the relay of a ticket to serve the neighbourhood, and tells the neighbourhood; the record
    that does. Raises Refused, and Mistake where nobody is there.
    """
    one = ticket.decode(text)
    relay = peer_id(one.peer)
    try:
        stream = await _reach(mesh, one, relay)
        try:
            with trio.fail_after(_ANSWER_SECONDS):
                await stream.write(frames.encode(_request(mesh, one, relay).frame()))
                answer = await first_frame(stream)
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()
    except (NetworkError, trio.TooSlowError) as error:
        raise Mistake(
            f"The relay could not be reached ({error or 'it does not answer'}); ask its technician"
            " whether it is up, then try again."
        ) from None
    if answer[0] == ticket.REFUSAL and [type(item) for item in answer] == [int, str, str]:
        raise Refused(answer[1][:16], answer[2][:500])
    if answer[0] != ticket.TAKEN:
        raise Refused("R-08.6", "the relay answers something else than expected")
    return automatic.post_relay(mesh.author, one.peer, one.addresses, SERVING)


def end(mesh: HomeMesh, relay: Relay) -> Record | None:
    """Ends what this home's person said of a relay; None where they never enrolled it."""
    if mesh.author.person not in relay.people:
        return None
    return automatic.post_relay(mesh.author, relay.key, relay.addresses, ENDED)


def _request(mesh: HomeMesh, one: Ticket, relay: str) -> Request:
    neighbourhood, own = mesh.inbox.state.neighbourhood, mesh.network.peer_id
    device = mesh.credentials.device
    return Request(
        one.id,
        ticket.proof(one.secret, own, relay, neighbourhood),
        neighbourhood,
        device,
        hello.prove(mesh.author.devices[device], neighbourhood, own, relay, ticket.DOMAIN),
        mesh.credentials.chain(device),
    )


async def _reach(mesh: HomeMesh, one: Ticket, relay: str) -> Stream:
    failure = NetworkError("the ticket names no address")
    for address in one.addresses:
        try:
            await mesh.network.connect(f"{address}/p2p/{relay}")
            return await mesh.network.open(relay, ticket.PROTOCOL)
        except NetworkError as error:
            failure = error
    raise failure
