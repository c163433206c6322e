"""The pipeline verifies one batch of records while the inbox stores the previous batch.

Verifying takes most of the time that a record needs. So `meshcoop.ingest.verifier_process` verifies
in another process. The inbox stores batches in the order in which they came. A peer chooses how
many records are in a batch. So the inbox stores only a few records in each step of the loop.
"""

from collections.abc import Awaitable, Callable

import trio

from meshcoop.ingest.inbox import AT_ONCE, Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.ingest.signatures import Verified, verify
from protocol.record.envelope import Record

Verifier = Callable[[list[Record], bytes], Awaitable[Verified]]

_DEPTH = 4  # batches at once: one is being stored, one waits to be stored, two are being verified


class VerifyPipeline:
    """Takes batches of records into an inbox. If there is no verifier, `put` itself verifies and
    stores each batch.
    """

    def __init__(self, inbox: Inbox, verifier: Verifier | None) -> None:
        self._inbox = inbox
        self._verifier = verifier
        self._slots = trio.Semaphore(_DEPTH)
        self._last: trio.Event | None = None  # set when the last batch is in the inbox

    async def put(
        self, nursery: trio.Nursery, wires: list[bytes], then: Callable[[IngestResult], None]
    ) -> None:
        """Takes in a batch of records. Calls `then` with the result when the batch is stored.

        If too many batches are under way, first waits until one of them is done.
        """
        if self._verifier is None:
            result, records = self._read(wires)
            await self._store(verify(records, self._inbox.state.neighbourhood), result)
            then(result)
            return
        await self._slots.acquire()
        before = self._last
        self._last = trio.Event()
        nursery.start_soon(self._take, self._verifier, wires, then, before, self._last)

    async def drained(self) -> None:
        """Waits until the inbox has stored all batches that were put in before."""
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
        result, records = self._read(wires)
        verified = await verifier(records, self._inbox.state.neighbourhood)
        if before is not None:
            await before.wait()
        await self._store(verified, result)
        then(result)
        self._slots.release()
        done.set()

    def _read(self, wires: list[bytes]) -> tuple[IngestResult, list[Record]]:
        """Parses a batch. Returns the records that are new here, and a result with the refusals."""
        result = IngestResult()
        return result, self._inbox.select_unknown(self._inbox.parse(wires, result))

    async def _store(self, verified: Verified, result: IngestResult) -> None:
        """Stores a batch in steps, and adds the result of each step to `result`."""
        result.refused += verified.refused
        # Even an empty batch goes to the inbox once, because records may wait there.
        for start in range(0, max(1, len(verified.genuine)), AT_ONCE):
            part = Verified(verified.genuine[start : start + AT_ONCE], [])
            result.add(self._inbox.ingest_verified(part, IngestResult()))
            await trio.lowlevel.checkpoint()
