"""The intake: batches from a peer are verified beside the store's work, and taken in order.

Verifying is most of what a record costs; `meshcoop.ingest.verifier_process` does it while the batch before is
stored.
"""

from collections.abc import Awaitable, Callable

import trio

from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.signatures import Verified
from protocol.record.envelope import Record

Verifier = Callable[[list[Record], bytes], Awaitable[Verified]]

_DEPTH = 4  # batches on their way: one is stored, one waits for that, two are with the verifier


class VerifyPipeline:
    """Takes batches into an inbox. Without a verifier each is verified and stored in `put`."""

    def __init__(self, inbox: Inbox, verifier: Verifier | None) -> None:
        self._inbox = inbox
        self._verifier = verifier
        self._slots = trio.Semaphore(_DEPTH)
        self._last: trio.Event | None = None  # set once the last batch has been taken

    async def put(
        self, nursery: trio.Nursery, wires: list[bytes], then: Callable[[IngestResult], None]
    ) -> None:
        """Takes a batch, then tells `then`; waits while too many are on their way."""
        if self._verifier is None:
            then(self._inbox.ingest_wires(wires))
            return
        await self._slots.acquire()
        before = self._last
        self._last = trio.Event()
        nursery.start_soon(self._take, self._verifier, wires, then, before, self._last)

    async def drained(self) -> None:
        """Waits until all that was put in so far has been taken."""
        if self._last is not None:
            await self._last.wait()

    async def _take(
        self,
        verifier: Verifier,
        wires: list[bytes],
        then: Callable[[IngestResult], None],
        before: trio.Event | None,
        done: trio.Event,
    ) -> None:
        result = IngestResult()
        records = self._inbox.select_unknown(self._inbox.parse(wires, result))
        verified = await verifier(records, self._inbox.state.neighbourhood)
        if before is not None:
            await before.wait()
        then(self._inbox.ingest_verified(verified, result))
        self._slots.release()
        done.set()
