"""The program that computes a rehearsal, in a process beside the node (R-06.20b).

The program reads one job from its standard input. It writes a line for each outcome as soon as the
outcome is there. This module imports few modules of the node, so that the process is small and
starts fast.
"""

import json
import os
import sys
from collections.abc import Iterator
from random import Random
from typing import NamedTuple, TextIO

from protocol.loops.points import Point
from protocol.loops.rehearsal import Case, Outcome, Process, rehearse_once, replay

_LOWER_PRIORITY = 10  # so that the node and the screen come first


class Job(NamedTuple):
    """What the program has to compute: the outcomes with the numbers from `first` to `end`. For
    each outcome, the program draws a row of made-up windows from the windows of `case`. The `seed`
    makes a rehearsal repeatable.
    """

    case: Case
    seed: str
    first: int
    end: int

    def pack(self) -> bytes:
        """Returns the job as the bytes that the program reads."""
        return json.dumps(self).encode()


def read_places(line: bytes) -> list[int]:
    """Reads the first line that the program writes. This line says in which windows the
    neighbourhood's own points would have opened matters.
    """
    places: list[int] = json.loads(line)
    return places


def read_outcome(line: bytes) -> Outcome:
    """Reads a line that the program writes. Every line after the program's first line has an
    outcome.
    """
    matters, delay = json.loads(line)
    return Outcome(tuple(matters), delay)


def _read_job(text: str) -> Job:
    (scale, aim, days, history, assumed), seed, first, end = json.loads(text)
    entries = tuple(Point(*pair) if pair else None for pair in history)
    process = Process(*assumed) if assumed else None
    return Job(Case(scale, aim, days, entries, process), seed, first, end)


def _work_out(job: Job) -> Iterator[object]:
    yield replay(job.case)
    for number in range(job.first, job.end):
        chance = Random(f"{job.seed} {number}")  # noqa: S311  # nobody gains by guessing it
        yield rehearse_once(job.case, chance)


def _answer(asked: TextIO, answers: TextIO) -> None:
    """Computes the job. Ends early if the node no longer reads the output."""
    try:
        for result in _work_out(_read_job(asked.read())):
            print(json.dumps(result), file=answers, flush=True)
    except BrokenPipeError:
        os._exit(0)  # the interpreter would complain at its end about what it could not write


if __name__ == "__main__":
    os.nice(_LOWER_PRIORITY)
    _answer(sys.stdin, sys.stdout)
