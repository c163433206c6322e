"""A node tells every peer three things by libp2p's identify protocol: its key, the protocols that
it speaks (R-05.12a), and the address from which it sees the peer. The node tells no address of its
own (R-05.12).

libp2p's own code would tell all addresses of the node to everybody who connects, even addresses in
the home network. When the addresses change, libp2p would tell the new ones. Here, members' homes
get the addresses over sync instead.
"""

from libp2p.abc import INetStream
from libp2p.host.basic_host import BasicHost
from libp2p.identity.identify.identify import AGENT_VERSION, PROTOCOL_VERSION
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr

from meshcoop.network.libp2p.swarm import NodeSwarm


class NodeHost(BasicHost):
    """A libp2p host that tells its addresses to nobody, and takes addresses from nobody."""

    def __init__(self, swarm: NodeSwarm) -> None:
        # Any peer may say at which address it sees this node. The host does not record that
        # address, because it could be false. HolePuncher asks relays instead.
        super().__init__(swarm, disable_identify_address_discovery=True)
        self.set_stream_handler(IDENTIFY, self._answer_identify)
        self.remove_stream_handler(ID_PUSH)

    async def _push_identify_to_all_peers(self) -> None:
        """Does nothing. libp2p would push the node's addresses to every peer."""

    async def _answer_identify(self, stream: INetStream) -> None:
        protocols = sorted(str(protocol) for protocol in self.get_mux().get_protocols() if protocol)
        identity = Identify(
            protocol_version=PROTOCOL_VERSION,
            agent_version=AGENT_VERSION,
            public_key=self.get_public_key().serialize(),
            observed_addr=_observed_address(stream),
            protocols=protocols,
        )
        await stream.write(encode_varint_prefixed(identity.SerializeToString()))
        await stream.close()


def _observed_address(stream: INetStream) -> bytes:
    """Returns the address from which the peer has connected. Returns an empty value if the peer
    came through a relay.
    """
    remote = stream.get_remote_address()
    if remote is None:
        return b""
    ip, port = remote
    plain_ip = ip.removeprefix("::ffff:")
    version = "ip6" if ":" in plain_ip else "ip4"
    address: bytes = Multiaddr(f"/{version}/{plain_ip}/tcp/{port}").to_bytes()
    return address
