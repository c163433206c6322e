"""The bench `feedback` measures costs at a home whose service has much feedback already.

It measures three costs: a piece of feedback arrives, a person here posts one, and somebody looks at
the service afterwards. All figures are milliseconds of processor time, not of the clock on the
wall.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, found_neighbourhood
from meshcoop.dev.bench.figure import Figure
from meshcoop.dev.bench.fixtures import CHARTER, STORE_KEY, admit_neighbour, now, sign_record
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.store.store import Store
from protocol.fold.kind import Kind
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import Proposal, Vote
from protocol.kinds.services.measures import Feedback, Measure
from protocol.kinds.services.services import Service
from protocol.loops.windows import format_day
from protocol.record.envelope import DAY_MS, Record
from protocol.record.log import LOG_START, Head

SIZES = (100, 1_000, 10_000, 50_000)

_CHARTER = {**CHARTER, "vouchers": 1, "room": 1000}
_PEOPLE = 40
_YEAR_MS = 365 * DAY_MS
_MORE = 20  # pieces of feedback that come one at a time
_FOLDED_WITHIN = 20.0  # ms
_POSTED_WITHIN = 50.0  # ms
_SHOWN_WITHIN = 100.0  # ms


class _Street:
    """A home, a service with a measure in use, and people who answer the measure for a year."""

    def __init__(self, path: Path) -> None:
        self.clock = now() - _YEAR_MS
        founder = Identity.new(os.urandom)
        self.author: Author = found_neighbourhood(
            Store(path, STORE_KEY), founder, _CHARTER, "Ada", lambda: self.clock, os.urandom
        )
        service = self._post(Service, None, title="The bins")
        question = {"question": "Were your bins taken?", "scale": "yes_no"}
        self.measure = self._post(Measure, service, **question)
        proposal = self._post(Proposal, None, title="?", change=f"adopt {self.measure.id.hex()}")
        self._post(Vote, proposal, choice="yes")  # before anybody else has a vote
        self._writers = [admit_neighbour(self.author) for _ in range(_PEOPLE)]
        self._heads = {writer.device: LOG_START for writer in self._writers}

    def _post(self, kind: type[Kind], about: Record | None, **fields: str) -> Record:
        name = declared_of(kind).name
        return self.author.post(
            name,
            fields,
            about=about and about.id,
            resolve=lambda _what, typed: bytes.fromhex(typed),
        )

    def post_answer(self) -> None:
        """Posts an answer at this home, as this home's person does."""
        self._post(Feedback, self.measure, value="yes")

    def answers(self, count: int) -> Iterator[Record]:
        """Signs answers of the people who do not belong to this home. The times of the answers are
        spread over the rest of the year.
        """
        step = (now() - self.clock) // (count + 1)
        for number in range(count):
            self.clock += step
            writer = self._writers[number % _PEOPLE]
            head = self._heads[writer.device]
            day = format_day(self.clock // DAY_MS)
            fields = {"value": int(number % 7 > 0), "on": day, "text": "The lorry came late."}
            name = declared_of(Feedback).name
            record = sign_record(self.author, writer, head, self.clock, name, fields, self.measure)
            self._heads[writer.device] = Head(record.header.seq, record.id, self.clock)
            yield record


def measure_feedback(records: int, folder: Path) -> list[Figure]:
    """Measures a home with different amounts of feedback, up to `records` pieces."""
    figures: list[Figure] = []
    for size in [size for size in SIZES if size < records] + [records]:
        street = _Street(folder / f"feedback {size}.db")
        inbox = street.author.inbox
        answers = list(street.answers(size + _MORE))
        inbox.ingest(answers[:size])
        loops = LoopCache(inbox.state)
        loops.loops_for(street.measure.id, now())
        folded: list[float] = []
        shown: list[float] = []
        posted: list[float] = []
        for record in answers[size:]:
            folded.append(_milliseconds(partial(inbox.ingest, [record])))
            shown.append(_milliseconds(partial(loops.loops_for, street.measure.id, now())))
            posted.append(_milliseconds(street.post_answer))
        assert inbox.state.views.count(Feedback) == size + 2 * _MORE, "every answer counts"
        followed = loops.loops_for(street.measure.id, now())
        assert followed is not None, "the measure is here"
        assert followed.loops, "the measure is in use"
        figures.append(_figure("feedback folded", size, folded, _FOLDED_WITHIN))
        figures.append(_figure("feedback posted", size, posted, _POSTED_WITHIN))
        figures.append(_figure("feedback shown", size, shown, _SHOWN_WITHIN))
        inbox.store.close()
    return figures


def _milliseconds(function: Callable[[], object]) -> float:
    began = time.process_time_ns()
    function()
    return (time.process_time_ns() - began) / 1_000_000


def _figure(name: str, size: int, times: list[float], limit: float) -> Figure:
    return {
        "name": name,
        "records": size,
        "figure": round(median(times), 2),
        "unit": "ms",
        "limit": limit,
        "ratio": round(limit / median(times), 3),
        "runs": [round(milliseconds, 2) for milliseconds in times],
        "slowest": round(max(times), 2),
    }
