"""Bundles of a home's store: what goes into one (specs/09-bundles.md)."""

from collections.abc import Callable, Iterator

from meshcoop.rows import Row
from meshcoop.store import Store
from protocol.bundle import HaveReader

Choice = Callable[[Row], bool]

_PAGE = 500


def wires(store: Store, chosen: Choice) -> Iterator[bytes]:
    """The records that are chosen, in the order in which they came: who was let in before what they
    wrote, and each log from its beginning.
    """
    after = 0
    while rows := store.page(after, _PAGE):
        yield from (row.record.wire for row in rows if chosen(row))
        after = rows[-1].n


def everything(row: Row) -> bool:
    """All records."""
    del row
    return True


def since(moment: int) -> Choice:
    """R-09.6: those with a time from `moment` (milliseconds) on."""
    return lambda row: row.record.fields.time >= moment


def lacking(store: Store, reader: HaveReader) -> Choice:
    """R-09.5: what the home lacks whose have-file was read."""
    logs, forks = reader.lacks()
    first: dict[bytes, int] = {}
    for device, seq, head in logs:
        ours = store.id_at(device, seq)
        first[device] = seq + 1 if ours and head and ours.startswith(head) else 1
    for device in forks:
        known = store.log(device)
        if known is not None and known.fork is not None:
            first[device] = min(known.fork, first.get(device, known.fork))

    def chosen(row: Row) -> bool:
        fields = row.record.fields
        return fields.seq >= first.get(fields.device, fields.seq + 1)

    return chosen
