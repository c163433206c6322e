"""mDNS: tells the home network where this node listens, and hears of others. Dials nobody.

The `zeroconf` package is used directly, in its own thread: libp2p's wrapper keeps one handler for
the whole process, announces 0.0.0.0 as it is and leaves a system task behind. The announcement
itself follows libp2p's mDNS specification, so that other implementations find the node.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio
from multiaddr import Multiaddr
from zeroconf import ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.address import parse_peer

log = logging.getLogger(__name__)

SERVICE = "_p2p._udp.local."
KEY = b"dnsaddr="
TXT_BYTES = 255  # of one string in a TXT record
ADDRESSES = 8  # taken from one announcement
ANSWER_WITHIN = 3000  # milliseconds
CLOSE_WITHIN = 5.0  # seconds

Found = Callable[[str, str], None]  # peer id, address


@asynccontextmanager
async def announced(peer_id: str, addresses: list[str], found: Found) -> AsyncIterator[None]:
    """While inside, `addresses` are announced and `found` hears of the others', in Trio's thread.

    Without multicast the node works all the same; the log says so.
    """
    token = trio.lowlevel.current_trio_token()

    def hand_over(peer: str, address: str) -> None:
        if peer != peer_id:
            token.run_sync_soon(found, peer, address)

    async with trio.open_nursery() as nursery:
        # Beside the node's start: zeroconf takes 1.6 s to make sure of its name.
        nursery.start_soon(_run_station, addresses, hand_over)
        try:
            yield
        finally:
            nursery.cancel_scope.cancel()


async def _run_station(addresses: list[str], hand_over: Found) -> None:
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
    """One announcement and one browser. Everything here runs in zeroconf's threads."""

    def __init__(self, addresses: list[str], hand_over: Found) -> None:
        self._hand_over = hand_over
        hosts = sorted({_host_of(address) for address in addresses})
        self._zeroconf = Zeroconf(interfaces=hosts)
        try:
            # The name is random: it must not tell which household this is.
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
        """Somebody announces a node: asks for its addresses and hands them over."""
        info = zc.get_service_info(type_, name, timeout=ANSWER_WITHIN)
        for peer, address in decode_txt(info.text) if info is not None and info.text else []:
            self._hand_over(peer, address)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """An announcement has changed."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Nothing: that an announcement ends says nothing about a connection."""

    def close(self) -> None:
        """Withdraws the announcement and ends zeroconf's threads."""
        self._browser.cancel()
        self._zeroconf.close()


def encode_txt(addresses: list[str]) -> bytes:
    """The TXT record for `addresses`: one dnsaddr=… string each."""
    strings = [KEY + address.encode() for address in addresses]
    return b"".join(bytes([len(each)]) + each for each in strings if len(each) <= TXT_BYTES)


def decode_txt(text: bytes) -> list[tuple[str, str]]:
    """The peers and addresses of a stranger's TXT record; what makes no sense is left out."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text) and len(found) < ADDRESSES:
        string = text[at + 1 : at + 1 + text[at]]
        at += 1 + text[at]
        if not string.startswith(KEY):
            continue
        try:
            address = string[len(KEY) :].decode("ascii")
            found.append((parse_peer(address)[1].to_base58(), address))
        except (UnicodeDecodeError, NetworkError):
            continue
    return found


def _host_of(address: str) -> str:
    where, _ = parse_peer(address)
    name = next(iter(where.protocols())).name
    return str(where.value_for_protocol(name))


def _port_of(address: str) -> int:
    return int(Multiaddr(address).value_for_protocol("tcp") or 0)
