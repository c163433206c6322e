"""Finds the records that another home lacks. Their order lets that home take in each record as soon
as it arrives.
"""

from collections.abc import Iterator

from meshcoop.store.store import Store
from protocol.record.envelope import Record

_PAGE = 200  # how many records are read at once


def missing_pages(
    store: Store, logs: list[tuple[bytes, int, bytes]], forks: list[bytes]
) -> Iterator[list[Record]]:
    """Yields, in pages, the records that another home lacks, in the order of R-05.6.

    `logs` and `forks` say what the other home lacks. Both come from `HaveMap.find_missing`.

    Logs come in the order in which this home first met them. So the record that admits a person
    comes before that person's records. The records at or beyond the fork of a log come last. Homes
    keep such records only because earlier records name them.
    """
    order = {log.device: log.n for log in store.logs.all()}
    for device, seq, head in sorted(logs, key=lambda lacked: order.get(lacked[0], 0)):
        ours = store.records.id_at(device, seq)
        has_same_head = ours is not None and head != b"" and ours.startswith(head)
        yield from _pages_before_fork(store, device, seq + 1 if has_same_head else 1)
    for device in forks:
        log = store.logs.find(device)
        if log is not None and log.fork is not None:
            yield from _pages(store, device, log.fork)


def _pages_before_fork(store: Store, device: bytes, start: int) -> Iterator[list[Record]]:
    for page in _pages(store, device, start):
        log = store.logs.find(device)  # the log may become forked while pages are sent
        fork = log.fork if log else None
        before = [record for record in page if fork is None or record.header.seq < fork]
        if before:
            yield before
        if len(before) < len(page):
            return


def _pages(store: Store, device: bytes, seq: int) -> Iterator[list[Record]]:
    after = b""
    while page := store.records.of_log(device, seq, _PAGE, after):
        yield page
        seq = page[-1].header.seq
        after = page[-1].id
