import logging
import socket

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from meshcoop.network.libp2p import mdns as discovery
from meshcoop.network.libp2p.host import open_host
from meshcoop.network.libp2p.identity import peer_id_from_seed
from meshcoop.network.libp2p.mdns import decode_txt, encode_txt
from tests.support.libp2p_nodes import ANYWHERE, seed, until

PEER = peer_id_from_seed(seed(1))


def multicast_works() -> bool:
    """Returns whether a multicast datagram that was sent on loopback comes back."""
    group = "224.0.0.251"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ears:
        try:
            ears.bind(("", 0))
            membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            ears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            ears.settimeout(1)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
                mouth.setsockopt(
                    socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
                )
                mouth.sendto(b"?", (group, ears.getsockname()[1]))
            return ears.recv(8) == b"?"
        except OSError:
            return False


async def test_two_nodes_discover_each_other_and_do_not_dial():
    if not multicast_works():
        pytest.skip("no multicast on the loopback interface")
    async with (
        open_host(seed(1), [ANYWHERE], log=None, mdns=True) as one,
        open_host(seed(2), [ANYWHERE], log=None, mdns=True) as two,
    ):
        with trio.fail_after(60):
            for ears, other in ((one, two), (two, one)):
                while True:
                    event = await ears.events.receive()
                    if event.peer == other.peer_id:
                        break
                assert event.change == "discovered"
                assert event.address in other.addresses
        assert not one.peers()
        assert not two.peers()


async def test_a_node_without_multicast_works_all_the_same(monkeypatch, tmp_path):
    def broken(*_arguments, **_options):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(discovery, "Zeroconf", broken)
    log_file = tmp_path / "net.log"
    async with open_host(seed(1), [ANYWHERE], log=logging.FileHandler(log_file), mdns=True) as one:
        assert one.addresses
        await until(lambda: log_file.exists() and "no discovery" in log_file.read_text())


def test_an_announcement_is_read_back():
    addresses = [f"/ip4/192.0.2.{number}/tcp/4001/p2p/{PEER}" for number in range(3)]
    assert decode_txt(encode_txt(addresses)) == [(PEER, address) for address in addresses]


@pytest.mark.parametrize(
    "string",
    [
        b"other=/ip4/192.0.2.1/tcp/1",
        b"dnsaddr=",
        b"dnsaddr=\xff\xff",
        b"dnsaddr=/ip4/192.0.2.1/tcp/4001",
        b"dnsaddr=/ip4/192.0.2.1/udp/4001/quic-v1/p2p/" + PEER.encode(),
        b"dnsaddr=/ip4/192.0.2.1/tcp/4001/p2p/nobody",
    ],
)
def test_what_makes_no_sense_is_left_out(string):
    good = encode_txt([f"/ip4/192.0.2.9/tcp/4001/p2p/{PEER}"])
    assert len(decode_txt(bytes([len(string)]) + string + good)) == 1


def test_a_strangers_list_is_bounded():
    assert len(decode_txt(encode_txt([f"/ip4/192.0.2.1/tcp/1/p2p/{PEER}"] * 99))) == 8


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(text):
    decode_txt(text)
