"""The pipeline verifies one batch of records while the inbox stores the previous batch.

Verifying takes most of the time that a record needs. So `meshcoop.ingest.verifier_process` verifies
in another process. The inbox stores batches in the order in which they came.
"""

from collections.abc import Awaitable, Callable

import trio

from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.signatures import Verified
from protocol.record.envelope import Record

Verifier = Callable[[list[Record], bytes], Awaitable[Verified]]

_DEPTH = 4  # batches at once: one is being stored, one waits to be stored, two are being verified


class VerifyPipeline:
    """Takes batches of records into an inbox. If there is no verifier, `put` verifies and stores
    each batch itself.
    """

    def __init__(self, inbox: Inbox, verifier: Verifier | None) -> None:
        self._inbox = inbox
        self._verifier = verifier
        self._slots = trio.Semaphore(_DEPTH)
        self._last: trio.Event | None = None  # set when the last batch is in the inbox

    async def put(
        self, nursery: trio.Nursery, wires: list[bytes], then: Callable[[IngestResult], None]
    ) -> None:
        """Takes in a batch of records and calls `then` with the result.

        While too many batches are under way, waits before it takes this one.
        """
        if self._verifier is None:
            then(self._inbox.ingest_wires(wires))
            return
        await self._slots.acquire()
        before = self._last
        self._last = trio.Event()
        nursery.start_soon(self._take, self._verifier, wires, then, before, self._last)

    async def drained(self) -> None:
        """Waits until the inbox has stored every batch that was put in so far."""
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
