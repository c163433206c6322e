"""The method of the local API that takes what a stick has brought (specs/09-bundles.md)."""

import logging

from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import USAGE, Params
from meshcoop.api.server import Method
from meshcoop.errors import Mistake
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from protocol.record.envelope import Record

_LOG = logging.getLogger(__name__)


class BundleMethods:
    """Answers for one node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {"take": self.take}

    async def take(self, params: Params) -> Params:
        """Takes records that came without a network, checked like any peer's."""
        mesh = self._node.belonging().mesh
        taken, inbox = IngestResult(), mesh.inbox
        records = inbox.parse(_wires(params), taken)
        known = inbox.store.records.find_held([one.id for one in records])
        filled = inbox.take_contents(_bare(inbox, records, known))
        fresh = inbox.take(records)
        stored = [*filled.stored, *fresh.stored]
        mesh.on_stored(stored)
        refused = [*taken.refused, *fresh.refused]
        if refused:
            _LOG.info("a stick brought what is refused: %s", refused[0])
        return {
            "new": len(stored),
            "known": sum(one.id in known for one in records),
            "refused": len(refused),
            "waiting": len(inbox.pool),
        }


def _bare(inbox: Inbox, records: list[Record], known: set[bytes]) -> list[tuple[bytes, bytes]]:
    """R-09.9: content that came for records that are held without it."""
    found = []
    for one in records:
        held = (
            inbox.store.records.find(one.id)
            if one.id in known and one.content is not None
            else None
        )
        if held is not None and one.content is not None and held.record.content is None:
            found.append((one.id, one.content))
    return found


def _wires(params: Params) -> list[bytes]:
    wires = params.get("wires")
    if type(wires) is not list or not all(type(one) is bytes for one in wires):
        raise Mistake("`wires` is a list of records, as bytes.", USAGE)
    return wires
