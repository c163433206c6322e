"""Multiaddrs: where to listen, and whom a dialled address names."""

import socket

from libp2p.peer.id import ID
from multiaddr import Multiaddr

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.identity import parse_peer_id

ADDRESS_CHARS = 512


def parse(address: str) -> Multiaddr:
    """The multiaddr written as `address`. Raises NetworkError."""
    if len(address) > ADDRESS_CHARS:
        raise NetworkError("This address is too long to be one.")
    try:
        return Multiaddr(address)
    except Exception as error:  # multiaddr raises several kinds of error, ValueError among them
        raise NetworkError(
            f"{address!r} is no address; one looks like /ip4/192.0.2.7/tcp/4001."
        ) from error


def parse_peer(address: str) -> tuple[Multiaddr, ID]:
    """A dialable address: the TCP address without /p2p/…, and the peer it names.

    Raises NetworkError for an address without a peer id, without TCP, or through a relay.
    """
    parsed = parse(address)
    names = [protocol.name for protocol in parsed.protocols()]
    if "p2p-circuit" in names:
        raise NetworkError(f"{address} goes through more than one relay.")
    if len(names) != 3 or names[1:] != ["tcp", "p2p"]:  # noqa: PLR2004 -- where, port and peer
        raise NetworkError(f"{address} must name a host, a TCP port and a peer (/p2p/…).")
    where, _, peer = address.strip().rstrip("/").rpartition("/p2p/")
    return Multiaddr(where), parse_peer_id(peer)


def parse_circuit(address: str) -> tuple[str, ID, ID] | None:
    """An address through a relay: the relay's own, its peer and the peer behind it; None for an
    address without a relay. Raises NetworkError.
    """
    relay, through, peer = address.partition("/p2p-circuit/p2p/")
    if not through:
        return None
    return relay, parse_peer(relay)[1], parse_peer_id(peer)


def check_listen(address: str) -> Multiaddr:
    """A concrete TCP address that can be bound right now. Raises NetworkError otherwise.

    libp2p itself would not notice a taken port: it listens with SO_REUSEPORT, and the system then
    hands half of the connections to the other process.
    """
    parsed = parse(address)
    names = [protocol.name for protocol in parsed.protocols()]
    if names not in (["ip4", "tcp"], ["ip6", "tcp"]):
        raise NetworkError(f"A node listens on /ip4/…/tcp/… or /ip6/…/tcp/…, not on {address}.")
    family = socket.AF_INET if names[0] == "ip4" else socket.AF_INET6
    host, port = parsed.value_for_protocol(names[0]), parsed.value_for_protocol("tcp")
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port or 0)))
    except OSError as error:
        raise NetworkError(
            f"Cannot listen on {address} ({error.strerror}): choose another port, stop the program"
            " that uses this one, or use an address of this computer."
        ) from error
    return parsed
