"""The verifier: a second process that checks the signatures of records from peers.

A thread would not help. After every signature, a thread needs Python's global lock again. A node
that is busy storing records seldom releases this lock (specs/decisions/0020).
"""

import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from subprocess import PIPE

import trio

from meshcoop.ingest.signatures import Verified, claims, pack_claims, part_by_verdict, verify
from protocol.record.envelope import Record

_LOG = logging.getLogger(__name__)

_FEW = 8  # fewer signatures are checked faster here than in the process


class VerifyingProcess:
    """The verifier process. It starts when the first large batch comes, and runs until `end` is
    called.
    """

    def __init__(self) -> None:
        self._process: trio.Process | None = None
        # Trio's locks are fair, so tasks read answers in the order in which they sent their claims.
        self._writing = trio.Lock()
        self._reading = trio.Lock()

    async def __call__(self, records: list[Record], neighbourhood: bytes) -> Verified:
        """Verifies the records' signatures. Returns the same result as `signatures.verify`."""
        if len(records) < _FEW:
            return verify(records, neighbourhood)
        # A cancelled task must still read its answer. Otherwise the next task would read it.
        with trio.CancelScope(shield=True):
            async with self._writing:
                process = self._process = self._process or await _start()
                is_asked = await _ask(process, pack_claims(claims(records, neighbourhood)))
            async with self._reading:
                verdicts = await _read_verdicts(process, len(records)) if is_asked else b""
            if len(verdicts) == len(records):
                return part_by_verdict(records, map(bool, verdicts))
            _LOG.error("the process that verifies has ended; another one takes its place")
            if self._process is process:
                await self.end()
        return verify(records, neighbourhood)

    async def end(self) -> None:
        """Ends the process."""
        process = self._process
        self._process = None
        if process is not None and process.stdin and process.stdout:
            await process.stdin.aclose()
            await process.stdout.aclose()
            await process.wait()


@asynccontextmanager
async def open_verifier() -> AsyncIterator[VerifyingProcess]:
    """Opens the verifier that nodes use. After the block, ends the verifier's process."""
    process = VerifyingProcess()
    try:
        yield process
    finally:
        with trio.CancelScope(shield=True):
            await process.end()


async def _start() -> trio.Process:
    # In its own session, Ctrl-C does not reach the process: the node needs its last answers.
    return await trio.lowlevel.open_process(
        [sys.executable, "-P", "-m", "meshcoop.ingest.signatures"],
        stdin=PIPE, stdout=PIPE, start_new_session=True,
    )  # fmt: skip


async def _ask(process: trio.Process, asked: bytes) -> bool:
    """Sends claims to the process. Returns False if the process has ended."""
    assert process.stdin is not None
    try:
        await process.stdin.send_all(asked)
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        return False
    return True


async def _read_verdicts(process: trio.Process, count: int) -> bytes:
    """Returns the next `count` verdicts. Returns fewer if the process has ended."""
    assert process.stdout is not None
    verdicts = b""
    with suppress(trio.ClosedResourceError):
        while missing := count - len(verdicts):
            more = await process.stdout.receive_some(missing)
            if not more:
                break
            verdicts += more
    return verdicts
