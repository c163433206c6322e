"""Nothing but Refused comes out of the code of kinds, whatever people write.

The records are of every kind, with each field at its bounds and beyond, in every order.
`HOSTILE=127` replays one thread.
"""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from protocol.fold.registry import KINDS
from protocol.fold.thread import Mark
from tests.support.hostile_threads import HostileThread

THREADS = 2000  # 10 s of the processor
MANY = 10_000
MANIES = int(os.environ.get("HOSTILES", "17"))  # quarter of an hour
NUMBERS = [int(os.environ["HOSTILE"])] if "HOSTILE" in os.environ else range(THREADS)


def check_threads(numbers: Iterable[int]) -> Counter[str]:
    """Checks threads. Returns how many records of each kind count. Says which thread fails."""
    counted: Counter[str] = Counter()
    for number in numbers:
        try:
            thread = HostileThread(number).check()
        except Exception as error:
            error.add_note(f"replay it with HOSTILE={number}")
            raise
        counted.update(line.entry.kind for line in thread.history if line.refusal is None)
    return counted


def test_nothing_but_refused_comes_out_of_a_fold():
    counted = check_threads(NUMBERS)

    assert len(NUMBERS) < THREADS or counted.keys() == KINDS.keys(), "records of every kind count"


@pytest.mark.long
@pytest.mark.parametrize("part", range(1, MANIES + 1))
def test_nothing_but_refused_comes_out_of_many_folds(part):
    check_threads(range(MANY * part, MANY * (part + 1)))


# -- faults that are put in by hand ---------------------------------------------------------------


def add_unchecked(attendance, thread):
    """Forgets that an attendance may name a role which its activity lacks."""
    thread.add_view(attendance)


def settle_late(receipt, thread):
    """Forgets that there is no day after the last one."""
    date.fromisoformat(receipt.on[:10]) + timedelta(days=1)


def countersign_first(agreement, thread, target):
    """Forgets that a record may be about nothing."""
    return thread.entries[target.about].person == agreement.author


def complete_by_mark(close, thread):
    """Forgets that a word may be missing."""
    Mark(close.as_state or "")


@pytest.mark.parametrize(
    ("kind", "method", "fault", "error"),
    [
        ("attendance", "fold_entry", add_unchecked, KeyError),
        pytest.param("receipt", "settle", settle_late, OverflowError, marks=pytest.mark.long),
        ("agreement", "countersigns", countersign_first, KeyError),
        ("close", "complete", complete_by_mark, ValueError),
    ],
)
def test_a_fault_that_is_put_in_by_hand_is_found(monkeypatch, kind, method, fault, error):
    monkeypatch.setattr(KINDS[kind].view_type, method, fault)

    with pytest.raises(error):
        check_threads(range(THREADS))
