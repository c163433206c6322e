"""Node addresses. In a signed statement, a node says where it can be reached (specs/05-sync.md,
R-05.9). Other nodes hand the statement on unchanged.

The statement is signed with the key of the node's peer id. So nobody can name an address for
another node.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import codec
from protocol.record.peer_id import key_of_peer, peer_id
from protocol.record.signature import is_signed

ADDRESS_DOMAIN = b"meshcoop sync 2 addresses\0"
MAX_ADDRESSES = 8  # the most addresses of one node
MAX_ADDRESS = 200  # characters

_KEY_SIZE = 32


class NodeAddresses(NamedTuple):
    """A statement in which the node with the public key `key` names its addresses.

    A statement with a higher number replaces a statement with a lower number.
    """

    key: bytes
    number: int
    addresses: list[str]
    signature: bytes

    @property
    def peer(self) -> str:
        """The peer id of the node that makes the statement."""
        return peer_id(self.key)

    def is_genuine(self, neighbourhood: bytes) -> bool:
        """Returns True if the node itself has signed this statement for the neighbourhood."""
        message = _signed_message(neighbourhood, self.number, self.addresses)
        return is_signed(message, self.signature, self.key)


def state_addresses(
    peer: str,
    sign: Callable[[bytes], bytes],
    neighbourhood: bytes,
    number: int,
    addresses: list[str],
) -> NodeAddresses:
    """Makes the statement of the node `peer`. `sign` signs with the key of its peer id."""
    stated = addresses[:MAX_ADDRESSES]
    signature = sign(_signed_message(neighbourhood, number, stated))
    return NodeAddresses(key_of_peer(peer), number, stated, signature)


def read_addresses(parts: Any) -> NodeAddresses:
    """Reads a statement from a frame. Checks only its form, not its signature. Raises Refused
    (R-05.9).
    """
    if type(parts) is not list or list(map(type, parts)) != [bytes, int, list, bytes]:
        raise Refused("R-05.9", "a statement of addresses has four parts")
    statement = NodeAddresses(*parts)
    fit = all(type(text) is str and len(text) <= MAX_ADDRESS for text in statement.addresses)
    if not fit or len(statement.addresses) > MAX_ADDRESSES or len(statement.key) != _KEY_SIZE:
        raise Refused("R-05.9", "a node states at most {most} addresses", most=MAX_ADDRESSES)
    return statement


def _signed_message(neighbourhood: bytes, number: int, addresses: list[str]) -> bytes:
    return ADDRESS_DOMAIN + neighbourhood + codec.pack([number, addresses])
