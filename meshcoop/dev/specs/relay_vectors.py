"""Makes the test vectors of relays: a ticket, and a request that shows this ticket (specs/08)."""

from meshcoop.dev.specs.vectors import Document, keys_of, seed_of
from protocol.record import codec
from protocol.wire import membership_proof, relay_ticket
from protocol.wire.relay_ticket import EnrolRequest, Ticket


def make_documents() -> Document:
    """Makes the vector file of relays. Returns a map from the file's name in specs/vectors/ to the
    file's content.
    """
    return {"ticket": _make_ticket()}


def _make_ticket() -> Document:
    ana = keys_of("Ana")
    neighbourhood = seed_of("neighbourhood")
    addresses = ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001")
    ticket = Ticket(seed_of("relay"), seed_of("secret")[:16], addresses)
    member = "12D3KooWMember"
    relay = "12D3KooWRelay"
    signature = membership_proof.prove_membership(
        ana.device_seed, neighbourhood, member, relay, relay_ticket.HELLO_DOMAIN
    )
    request = EnrolRequest(neighbourhood, ana.device, signature, [b"a record"])
    return {
        "peer": ticket.peer.hex(),
        "secret": ticket.secret.hex(),
        "addresses": list(addresses),
        "text": relay_ticket.encode(ticket),
        "request": {
            "member": member,
            "relay": relay,
            "neighbourhood": neighbourhood.hex(),
            "device_seed": ana.device_seed.hex(),
            "signature": signature.hex(),
            "frame": codec.pack(request.frames()[-1]).hex(),
        },
    }
