"""Computes rehearsals in a process beside the node, and keeps the results (R-06.20b). A rehearsal
shows, before people vote on a measure, how often it would open a matter.

A thread would share Python's lock with the node's loop, and could not be stopped.
"""

import hashlib
import sys
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from subprocess import PIPE

import trio

from meshcoop.api.beside.rehearsal_program import Job, read_outcome, read_places
from meshcoop.errors import Mistake
from protocol.loops.rehearsal import Case, Outcome

_MOST_KEPT = 16  # rehearsals
_CHUNK = 64 * 1024  # bytes read at once


@dataclass
class Rehearsal:
    """The results of one case so far. A case is a measure with the windows from which made-up
    windows are drawn.
    """

    places: list[int] = field(default_factory=list)  # where the own points open matters
    outcomes: list[Outcome] = field(default_factory=list)


class RehearsalProcess:
    """Computes one rehearsal at a time. Keeps the results, so that the same case is not computed
    again.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Rehearsal] = OrderedDict()
        self._turn = trio.Lock()

    async def work_out(self, case: Case, resamplings: int) -> Rehearsal:
        """Returns the rehearsal of a case. The rehearsal has at least `resamplings` outcomes: one
        for each made-up row of windows.

        If the caller is cancelled, the process ends. The outcomes that the process had written are
        kept.
        """
        seed = hashlib.sha256(repr(case).encode()).hexdigest()
        rehearsal = self._kept.setdefault(seed, Rehearsal())
        self._kept.move_to_end(seed)
        if len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        async with self._turn:
            first = len(rehearsal.outcomes)
            if first < resamplings:
                await _extend(rehearsal, Job(case, seed, first, resamplings))
        return rehearsal


async def _extend(rehearsal: Rehearsal, job: Job) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-P", "-m", "meshcoop.api.beside.rehearsal_program"],
        stdin=PIPE, stdout=PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        lines = _exchange(process, job)
        rehearsal.places = read_places(await anext(lines, b"[]"))
        async for line in lines:
            rehearsal.outcomes.append(read_outcome(line))
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
    if len(rehearsal.outcomes) < job.end:
        raise Mistake("The rehearsal has ended early; ask for it again.")


async def _exchange(process: trio.Process, job: Job) -> AsyncIterator[bytes]:
    """Gives the job to the process, and yields the lines of its answer."""
    assert process.stdin is not None, "the process reads its job"
    assert process.stdout is not None, "the process writes its answer"
    async with process.stdin, process.stdout:
        try:
            await process.stdin.send_all(job.pack())
        except trio.BrokenResourceError:
            return
        await process.stdin.aclose()
        rest = b""
        while data := await process.stdout.receive_some(_CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line
