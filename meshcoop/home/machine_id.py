"""Facts about the machine on which a home is stored: its IPv4 addresses, and a free port."""

import socket

import ifaddr


def own_addresses() -> list[str]:
    """Returns the present IPv4 addresses of this machine, with the loopback address first."""
    addresses = [
        str(address.ip)
        for adapter in ifaddr.get_adapters()
        for address in adapter.ips
        if address.is_IPv4
    ]
    return list(dict.fromkeys(["127.0.0.1", *addresses]))


def free_port() -> int:
    """Returns a TCP port that no program uses at the moment."""
    with socket.create_server(("", 0)) as server:
        port: int = server.getsockname()[1]
    return port
