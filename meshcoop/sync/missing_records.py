"""What another home lacks, read from the store so that it can place each record when it comes."""

from collections.abc import Iterator

from meshcoop.store.store import Store
from protocol.record.envelope import Record

_PAGE = 200  # records read at once


def pages(
    store: Store, logs: list[tuple[bytes, int, bytes]], forks: list[bytes]
) -> Iterator[list[Record]]:
    """What `HaveMap.lacks` tells, in the order of R-05.6.

    Logs come as this home learned of them: an admission before the records of who was admitted.
    What is kept of forks comes last: it is kept for what names it.
    """
    order = {one.device: one.n for one in store.logs.all()}
    for device, seq, head in sorted(logs, key=lambda one: order.get(one[0], 0)):
        ours = store.records.id_at(device, seq)
        start = seq + 1 if ours and ours.startswith(head) and head else 1
        yield from _before_a_fork(store, device, start)
    for device in forks:
        known = store.logs.find(device)
        if known is not None and known.fork is not None:
            yield from _paged(store, device, known.fork)


def _before_a_fork(store: Store, device: bytes, start: int) -> Iterator[list[Record]]:
    for page in _paged(store, device, start):
        known = store.logs.find(device)
        fork = known.fork if known else None
        before = [one for one in page if fork is None or one.fields.seq < fork]
        if before:
            yield before
        if len(before) < len(page):
            return


def _paged(store: Store, device: bytes, seq: int) -> Iterator[list[Record]]:
    after = b""
    while page := store.records.of_log(device, seq, _PAGE, after):
        yield page
        seq, after = page[-1].fields.seq, page[-1].id
