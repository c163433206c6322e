"""Stated addresses: a node signs a statement about its own addresses. Other nodes believe such
statements, and pass them on (R-05.9a to R-05.9c).
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable

from protocol.wire.node_addresses import NodeAddresses

MAX_KEPT = 1024
MAX_WAITING = 128


class StatedAddresses:
    """Keeps the latest address statement of each node.

    A statement is signed with the node's key. The statement counts if a member's `home` record
    names this key, or if the statement comes over a connection that this key secures. Other
    statements wait, because a `home` record may come a moment later.
    """

    def __init__(self, neighbourhood: bytes) -> None:
        self._neighbourhood = neighbourhood
        self._latest: OrderedDict[str, NodeAddresses] = OrderedDict()
        self._waiting: OrderedDict[str, NodeAddresses] = OrderedDict()

    def take(
        self, sender: str, statements: Iterable[NodeAddresses], homes: Collection[str]
    ) -> list[NodeAddresses]:
        """Takes statements from a peer, and returns those that count and are new. `homes` are the
        peer ids that `home` records of members name.
        """
        counting = []
        for statement in statements:
            peer = statement.peer
            if peer == sender or peer in homes:
                if self._replaces(statement, peer):
                    counting.append(statement)
            else:
                self._wait(statement, peer)
        return counting

    def take_waiting(self, homes: Collection[str]) -> list[NodeAddresses]:
        """Takes the waiting statements whose keys a `home` record now names. Returns those that
        count and are new.
        """
        arrived = [peer for peer in self._waiting if peer in homes]
        return self.take("", [self._waiting.pop(peer) for peer in arrived], homes)

    def handed_on(self, homes: Collection[str]) -> list[NodeAddresses]:
        """Returns the statements of the `homes`, to be passed on. The latest statement
        comes first.
        """
        stated = [statement for peer, statement in self._latest.items() if peer in homes]
        return sorted(stated, key=lambda statement: statement.number, reverse=True)

    def _replaces(self, statement: NodeAddresses, peer: str) -> bool:
        earlier = self._latest.get(peer)
        if earlier is not None and statement.number <= earlier.number:
            return False
        if not statement.is_genuine(self._neighbourhood):
            return False
        self._latest[peer] = statement
        self._latest.move_to_end(peer)
        if len(self._latest) > MAX_KEPT:
            self._latest.popitem(last=False)
        return True

    def _wait(self, statement: NodeAddresses, peer: str) -> None:
        self._waiting[peer] = statement
        self._waiting.move_to_end(peer)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
