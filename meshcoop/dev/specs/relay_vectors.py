"""Vectors of relays: a ticket, and the request with which a member's home shows it (specs/08)."""

from typing import Any

from meshcoop.dev.specs.vectors import keys, seed
from protocol.record import codec
from protocol.wire import membership_proof as hello
from protocol.wire import relay_ticket as ticket
from protocol.wire.relay_ticket import Request, Ticket


def generate() -> dict[str, Any]:
    """The vectors of this file, by name."""
    return {"ticket": _ticket()}


def _ticket() -> dict[str, Any]:
    ana, neighbourhood = keys("Ana"), seed("neighbourhood")
    addresses = ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001")
    one = Ticket(seed("relay"), seed("secret")[:16], addresses)
    member, relay = "12D3KooWMember", "12D3KooWRelay"
    shown = ticket.proof(one.secret, member, relay, neighbourhood)
    signature = hello.prove(ana.device_seed, neighbourhood, member, relay, ticket.DOMAIN)
    request = Request(one.id, shown, neighbourhood, ana.device, signature, [b"a record"])
    return {
        "peer": one.peer.hex(),
        "secret": one.secret.hex(),
        "addresses": list(addresses),
        "text": ticket.encode(one),
        "id": one.id.hex(),
        "request": {
            "member": member,
            "relay": relay,
            "neighbourhood": neighbourhood.hex(),
            "device_seed": ana.device_seed.hex(),
            "proof": shown.hex(),
            "signature": signature.hex(),
            "frame": codec.pack(request.frame()).hex(),
        },
    }
