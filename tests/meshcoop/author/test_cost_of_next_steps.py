"""What it costs to find the steps of a thread, and which steps a long thread has."""

from collections import Counter
from functools import partial

import pytest

from meshcoop.author import next_steps
from meshcoop.author.next_steps import find_steps
from tests.attacks.test_costs import flood
from tests.bench.test_crowded import long_thread
from tests.support.street_in_memory import Street, settle, street
from tests.support.work import count_calls

FOLDS = 2  # one without candidates and one with them, however many there are
CALLS = 33_000  # of functions; they take about 10 ms


@pytest.fixture(scope="module")
def fifty_records():
    """Makes a thread of 50 records. Returns an author, the thread and the two people in it."""
    with Street(1) as here:
        yield long_thread(here)


def test_next_steps_of_fifty_records_make_few_calls_and_folds(fifty_records, monkeypatch):
    author, thread, *people = fifty_records
    for person in people:
        find = partial(find_steps, author, author.signer_of(person), thread)
        find()  # loads tables
        assert count_calls(find) <= CALLS

        folds = Counter()
        beside = next_steps.run_beside

        def count(function, *arguments, folds=folds, beside=beside):
            folds[function.__name__] += 1
            return beside(function, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(next_steps, "run_beside", count)
            find()
        assert folds.total() <= FOLDS


def test_wanted_steps_are_the_same_as_among_all_steps_and_cost_less(fifty_records):
    author, thread, *people = fifty_records
    for person in people:
        find = partial(find_steps, author, author.signer_of(person), thread)
        steps = find()
        kinds = {step.kind: (step.kind, step.about) for step in steps}
        for wanted in kinds.values():
            alone = [step[:-1] for step in find({wanted})]  # views are compared by identity

            assert alone == [step[:-1] for step in steps if (step.kind, step.about) == wanted]
            assert count_calls(partial(find, {wanted})) <= CALLS * 3 / 5


def test_steps_take_no_room_from_each_other_in_the_limit_of_a_day(fifty_records):
    """A device may sign 50 records a day in a thread. A person can choose among more steps."""
    author, thread, asker, _ = fifty_records
    steps = find_steps(author, author.signer_of(asker), thread)
    counts = Counter(step.kind for step in steps)

    assert counts >= Counter(flag=41, close=9, receipt=8, correction=8, retract=1)


def test_no_step_is_offered_that_goes_beyond_the_limit_of_a_day():
    with street(homes=2) as (ada, ben):
        page = ada.post("page", title="How to mend a roof", text="Begin at the top.")
        settle(ada, ben)
        flood(ben, page, 50, text="No.")
        steps = find_steps(ben.author, ben.author.signer_of(), page.id)

        assert {step.kind for step in steps} == {"retract"}  # people may take back all their words
        assert len(steps) == 50
