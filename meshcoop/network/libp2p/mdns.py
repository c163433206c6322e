"""mDNS: announces this node's addresses in the home network, and discovers other nodes there.

This module dials nobody. It uses the `zeroconf` package directly, in a thread of its own. libp2p's
wrapper is not used: it keeps one handler for the whole process, and leaves a system task behind. If
a node listens at 0.0.0.0, the wrapper announces that address, which nobody can dial. The
announcement follows libp2p's mDNS specification, so other implementations find the node.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from multiaddr import Multiaddr
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.address import parse_peer_address

log = logging.getLogger(__name__)

SERVICE = "_p2p._udp.local."
KEY = b"dnsaddr="
TXT_BYTES = 255  # the most that one string in a TXT record may have
MAX_ADDRESSES = 8  # the most addresses that are read from one announcement
ANSWER_WITHIN = 3000  # milliseconds
CLOSE_WITHIN = 5.0  # seconds

OnDiscovered = Callable[[str, str], None]  # peer id, address


@asynccontextmanager
async def announce(
    peer_id: str, addresses: list[str], on_discovered: OnDiscovered
) -> AsyncIterator[None]:
    """While the block runs, announces `addresses`, and listens for the addresses that other nodes
    announce.

    Calls `on_discovered` for each address of another node, in Trio's thread. Without multicast, the
    node still works, and the log says so.
    """
    token = trio.lowlevel.current_trio_token()

    def hand_over(peer: str, address: str) -> None:
        if peer != peer_id:
            token.run_sync_soon(on_discovered, peer, address)

    async with trio.open_nursery() as nursery:
        # This is not awaited. zeroconf takes 1.6 s to check that its name is free, and the node can
        # start meanwhile.
        nursery.start_soon(_run_station, addresses, hand_over)
        try:
            yield
        finally:
            nursery.cancel_scope.cancel()


async def _run_station(addresses: list[str], hand_over: OnDiscovered) -> None:
    try:
        station = await trio.to_thread.run_sync(_Station, addresses, hand_over)
    except Exception as error:  # noqa: BLE001 -- no multicast, no interface, a firewall …
        log.warning("no discovery in the home network: %r", error)
        return
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(CLOSE_WITHIN) as limit:
            limit.shield = True
            await trio.to_thread.run_sync(
                station.close,
                abandon_on_cancel=True,  # type: ignore[call-arg]  # trio-typing is behind Trio
            )


class _Station(ServiceListener):
    """Announces this node, and looks for other nodes. All methods run in the threads of the library
    zeroconf.
    """

    def __init__(self, addresses: list[str], hand_over: OnDiscovered) -> None:
        self._hand_over = hand_over
        hosts = sorted({_host_of(address) for address in addresses})
        self._zeroconf = Zeroconf(interfaces=hosts)
        try:
            # The name is random, because it must not show which household this is.
            info = ServiceInfo(
                SERVICE,
                f"{secrets.token_hex(16)}.{SERVICE}",
                port=_port_of(addresses[0]),
                parsed_addresses=hosts,
                properties=encode_txt(addresses),
            )
            self._zeroconf.register_service(info)
            self._browser = ServiceBrowser(self._zeroconf, SERVICE, self)
        except BaseException:
            self._zeroconf.close()
            raise

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Called when another node announces itself. Asks that node for its addresses, and reports
        them.
        """
        info = zc.get_service_info(type_, name, timeout=ANSWER_WITHIN)
        if info is None or not info.text:
            return
        for peer, address in decode_txt(info.text):
            self._hand_over(peer, address)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Asks a node for its addresses again, because its announcement has changed."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Does nothing. A node may still be connected after its announcement has ended."""

    def close(self) -> None:
        """Withdraws the announcement and ends zeroconf's threads."""
        self._browser.cancel()
        self._zeroconf.close()


def encode_txt(addresses: list[str]) -> bytes:
    """Makes the TXT record (DNS text) for `addresses`: one string dnsaddr=… for each address.

    Leaves out an address that is too long.
    """
    strings = [KEY + address.encode() for address in addresses]
    fitting = (string for string in strings if len(string) <= TXT_BYTES)
    return b"".join(bytes([len(string)]) + string for string in fitting)


def decode_txt(text: bytes) -> list[tuple[str, str]]:
    """Reads pairs (peer id, address) from the TXT record (DNS text) of a stranger.

    Skips strings that are not addresses.
    """
    announced: list[tuple[str, str]] = []
    position = 0
    while position < len(text) and len(announced) < MAX_ADDRESSES:
        length = text[position]
        string = text[position + 1 : position + 1 + length]
        position += 1 + length
        if not string.startswith(KEY):
            continue
        try:
            address = string[len(KEY) :].decode("ascii")
            _, peer = parse_peer_address(address)
            announced.append((peer.to_base58(), address))
        except (UnicodeDecodeError, NetworkError):
            continue
    return announced


def _host_of(address: str) -> str:
    tcp_address, _ = parse_peer_address(address)
    name = next(iter(tcp_address.protocols())).name
    return str(tcp_address.value_for_protocol(name))


def _port_of(address: str) -> int:
    return int(Multiaddr(address).value_for_protocol("tcp") or 0)
