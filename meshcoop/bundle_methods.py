"""The methods of the local API about bundles (specs/06-local-api.md)."""

from typing import TYPE_CHECKING

from meshcoop.api import Method
from meshcoop.errors import Mistake
from meshcoop.inbox import Taken
from meshcoop.params import USAGE, Params
from protocol.record import Record

if TYPE_CHECKING:
    from meshcoop.node import Member, Node


class BundleMethods:
    """Answers for one node."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {"take": self.take}

    async def take(self, params: Params) -> Params:
        """Takes records that came on a stick, like a peer's; how many are new, known, refused, and
        wait for others before them.
        """
        member = self._node.belonging()
        wires = params.get("wires")
        if type(wires) is not list or not all(type(one) is bytes for one in wires):
            raise Mistake("`wires` is a list of records as bytes.", USAGE)
        inbox = member.mesh.inbox
        records = inbox.parse(wires, Taken())
        held = inbox.store.held([one.id for one in records])
        taken = inbox.take_wires(wires)
        member.mesh.on_stored(taken.stored)
        self._fill(member, [one for one in records if one.id in held])
        waiting = sum(one.id in inbox.pool for one in records)
        new = len({one.id for one in taken.stored} & {one.id for one in records})
        return {
            "new": new,
            "refused": len(taken.refused),
            "waiting": waiting,
            "known": len(wires) - new - len(taken.refused) - waiting,
        }

    def _fill(self, member: "Member", known: list[Record]) -> None:
        """R-09.7: content of records that are held without theirs, and were not taken back."""
        store = member.mesh.inbox.store
        lacking = [
            (one.id, one.content)
            for one in known
            if one.content is not None
            and (row := store.get(one.id)) is not None
            and row.record.content is None
        ]
        if lacking:
            member.mesh.inbox.take_contents(lacking)
