"""Parses multiaddrs. A multiaddr says where a node listens, or at which address a peer can be
dialled.
"""

import socket

from libp2p.peer.id import ID
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.identity import parse_peer_id

MAX_ADDRESS_CHARS = 512


def parse_multiaddr(address: str) -> Multiaddr:
    """Parses a multiaddr of any kind. Raises NetworkError if the text is not an address."""
    if len(address) > MAX_ADDRESS_CHARS:
        raise NetworkError(
            "This address is too long: it has more than {most} characters.", most=MAX_ADDRESS_CHARS
        )
    try:
        return Multiaddr(address)
    except Exception as error:  # multiaddr raises several kinds of error, ValueError among them
        raise NetworkError(
            "{address!r} is not an address. An address looks like /ip4/192.0.2.7/tcp/4001.",
            address=address,
        ) from error


def parse_peer_address(address: str) -> tuple[Multiaddr, ID]:
    """Parses an address to dial. Returns its TCP address, without /p2p/…, and the peer id.

    Raises NetworkError if the address has no peer id or no TCP port, or leads through a relay.
    """
    parsed = parse_multiaddr(address)
    names = [protocol.name for protocol in parsed.protocols()]
    if "p2p-circuit" in names:
        raise NetworkError("{address} goes through more than one relay.", address=address)
    if len(names) != 3 or names[1:] != ["tcp", "p2p"]:  # noqa: PLR2004 -- host, port and peer
        raise NetworkError(
            "{address} must name a host, a TCP port and a peer (/p2p/…).", address=address
        )
    tcp_address, _, peer = address.strip().rstrip("/").rpartition("/p2p/")
    return Multiaddr(tcp_address), parse_peer_id(peer)


def parse_circuit_address(address: str) -> tuple[str, ID, ID] | None:
    """Parses an address that leads through a relay. Returns the relay's address, the relay's id,
    and the id of the peer behind the relay.

    Returns None if the address does not lead through a relay. Raises NetworkError if the address is
    not valid.
    """
    relay_address, circuit, peer = address.partition("/p2p-circuit/p2p/")
    if not circuit:
        return None
    _, relay = parse_peer_address(relay_address)
    return relay_address, relay, parse_peer_id(peer)


def check_listen(address: str) -> Multiaddr:
    """Parses a TCP address, and checks that this node can listen there now. Raises NetworkError if
    it cannot.

    libp2p itself does not notice that another process has taken a port. libp2p listens with
    SO_REUSEPORT, and the system then gives half of the connections to that process.
    """
    parsed = parse_multiaddr(address)
    names = [protocol.name for protocol in parsed.protocols()]
    if names not in (["ip4", "tcp"], ["ip6", "tcp"]):
        raise NetworkError(
            "A node listens on /ip4/…/tcp/… or /ip6/…/tcp/…, not on {address}.", address=address
        )
    family = socket.AF_INET if names[0] == "ip4" else socket.AF_INET6
    host = parsed.value_for_protocol(names[0])
    port = int(parsed.value_for_protocol("tcp") or 0)
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # Servers set this. With it, the port of a node that has just stopped counts as free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise NetworkError(
            "Cannot listen on {address} ({reason}): choose another port, stop the program that uses this one, or use an address of this computer.",
            address=address,
            reason=error.strerror,
        ) from error
    return parsed
