"""Private threads are folded a few at a time. Then a thread is folded again only after it has
changed.
"""

import pytest

from meshcoop.fold.thread_fold import ThreadFold
from protocol.kinds.circles import Message
from tests.support.private_letters import circle, letter, said
from tests.support.street_in_memory import HOUR, settle, street
from tests.support.work import count_calls, most_in_one_step

FEW, MANY = 20, 100
AT_ONCE = 50


def written(ada, ben, count):
    """Lets Ada write many messages to Ben, as many to one circle as count in a day."""
    for number in range(count):
        if number % 10 == 0:
            knitters = circle(ada, ben)
        ada.post("message", knitters, text=str(number))
    settle(ada, ben)
    return knitters


def test_one_more_message_costs_no_more_among_many():
    work = []
    for count in (FEW, MANY):
        with street(quota_records=10_000) as (ada, ben):
            knitters = written(ada, ben, count)
            assert len(said(ben)) == count
            ada.post("message", knitters, text="one more")
            ben.feed(ada.wires())
            work.append(count_calls(ben.author.private.threads))
            assert len(said(ben)) == count + 1

    assert work[1] < 2 * work[0]


@pytest.fixture
def entries_read(monkeypatch):
    """Counts the entries that were read so far."""
    read = ThreadFold.entry
    rows = []

    def note(thread_fold, row):
        rows.append(row)
        return read(thread_fold, row)

    monkeypatch.setattr(ThreadFold, "entry", note)
    return rows


async def test_one_step_folds_a_few_of_many_messages(entries_read):
    with street(quota_records=10_000) as (ada, ben):
        written(ada, ben, MANY)
        entries_read.clear()

        with most_in_one_step(lambda: len(entries_read)) as most:
            await ben.author.private.prepare()

        assert len(entries_read) >= MANY
        assert most.count <= AT_ONCE
        entries_read.clear()
        assert len(ben.author.private.of_kind(Message)) == MANY
        assert entries_read == []


def test_a_message_ahead_of_the_clock_is_read_when_it_is_due():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        settle(ada, ben)
        ada.skew = HOUR
        letter(ada, [ada, ben], "message", knitters, text="from tomorrow")
        settle(ada, ben)
        assert said(ben) == []

        ada.street.clock += HOUR

        assert said(ben) == ["from tomorrow"]
