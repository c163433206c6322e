"""The method of the local API that stores records from a bundle file (specs/09-bundles.md)."""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeVar

import trio

from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import NodeHandle
from meshcoop.api.params import Params
from meshcoop.ingest.inbox import AT_ONCE, Inbox
from meshcoop.ingest.result import IngestResult
from protocol.record.envelope import Record
from protocol.wire import calls

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


class BundleMethods:
    """Stores records from a file, for example from a memory stick."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Take, self.ingest_records),
        )

    async def ingest_records(self, call: calls.Take) -> Params:
        """Stores records that came in a file. First checks them, as if a peer had sent them."""
        mesh = self._node.require_membership().mesh
        inbox = mesh.inbox
        parsed = IngestResult()
        records: list[Record] = []
        held_ids: set[bytes] = set()
        results = [parsed]
        for wires in _parts(call.wires):
            read = inbox.parse(wires, parsed)
            records += read
            held_ids.update(inbox.store.records.find_held([record.id for record in read]))
            await trio.lowlevel.checkpoint()
        # Contents come first: one of them may be an admission that the new records need.
        for part in _parts(records):
            contents = _missing_contents(inbox, part, held_ids)
            if contents:
                results.append(inbox.ingest_contents(contents))
            await trio.lowlevel.checkpoint()
        for part in _parts(records):
            results.append(inbox.ingest(part))
            await trio.lowlevel.checkpoint()
        stored = [record for result in results for record in result.stored]
        refused = [refusal for result in results for refusal in result.refused]
        mesh.on_stored(stored)
        if refused:
            _LOG.info("a stick brought what is refused: %s", refused[0])
        return {
            "new": len(stored),
            "known": sum(record.id in held_ids for record in records),
            "refused": len(refused),
            "waiting": len(inbox.pool),
        }


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Divides records into parts. Each part is small enough for one step of the node's loop."""
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))


def _missing_contents(
    inbox: Inbox, records: Sequence[Record], held_ids: Collection[bytes]
) -> list[tuple[bytes, bytes]]:
    """Returns contents from the bundle that this home lacks, although this home has their records
    (R-09.9).

    Each item is a pair: the id of the record, and the content.
    """
    contents = []
    for record in records:
        if record.id not in held_ids or record.content is None:
            continue
        row = inbox.store.records.find(record.id)
        if row is not None and row.record.content is None:
            contents.append((record.id, record.content))
    return contents
