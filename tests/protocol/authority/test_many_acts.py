"""Measures how long it takes to fold the authority of a big, old neighbourhood. To run: `uv run
pytest -m long -n 0 -s` on this file.

These are figures of an untuned model of the rules, for 105,861 records, 500 people and 30 terms.
The index took 0.89 s, the fold 0.19 s, and one new decision 8 ms. The test asserts nothing about
time.
"""

import time

import pytest

from protocol.authority import authority
from protocol.authority import register_change as changes
from protocol.authority.record_index import AuthorityIndex
from protocol.schema.register_names import RULE, STANDING
from tests.support.authority_records import Person, charter, ids

TERMS, FOUNDERS = 30, 5


def timed(what, done):
    start = time.perf_counter()
    result = done()
    print(f"{what}: {1000 * (time.perf_counter() - start):.1f} ms")  # noqa: T201  # figures are what it is for
    return result


def neighbourhood(count, size):
    """Makes a charter, and some `count` other records that concern authority.

    All people are admitted. In every term the roll votes on proposals, some people are removed, and
    everybody accepts the next term.
    """
    crowd = [Person(f"one of many {n}") for n in range(size)]
    founders = crowd[:FOUNDERS]
    first = parent = charter(*founders, room=1000)
    acts = [founders[n % FOUNDERS].admits(one) for n, one in enumerate(crowd[FOUNDERS:])]
    roll, holds = founders, []
    grown = [crowd[: FOUNDERS + (size - FOUNDERS) * n // 8] for n in range(1, 9)]
    # The number of acts left for decisions, after the votes and accepts of each term.
    free = count - len(acts) - sum(2 * len(grown[min(n, 7)]) for n in range(TERMS))
    for n in range(TERMS):
        acts += removals(roll, crowd[-1 - n], n)
        asked = []
        while sum(map(len, asked)) < free // TERMS:
            proposal = roll[0].proposes(RULE, "smallest_group", len(asked) + n + 1, 7)
            asked.append([proposal, *(one.says("yes", proposal) for one in roll)])
        acts += [act for one in asked for act in one]
        joining = [one for one in grown[min(n, 7)] if one not in roll][:64]
        holds = (
            changes.holdings_to_write(authority.fold_authority(first, acts, {}))[:64]
            if n % 10 == 0
            else holds
        )
        parent = roll[0].renews(parent, founders, joining=joining, holds=holds)
        acts += [parent, *(one.says("yes", parent) for one in roll)]
        acts += [one.accepts(parent) for one in roll]
        roll = roll + joining
    return first, acts, roll


def removals(council, person, n):
    cuts = [[person.device, n]]
    return [one.removes(person, 1, cuts=cuts) for one in council[:FOUNDERS]]


@pytest.mark.long
@pytest.mark.parametrize(("count", "size"), [(10_000, 150), (100_000, 500)])
def test_the_fold_of_many_acts(count, size):
    first, acts, roll = neighbourhood(count, size)
    print(f"\n{len(acts)} records, {size} people, a roll of {len(roll)}, {TERMS + 1} terms")  # noqa: T201  # figures are what it is for
    index = timed("index", lambda: AuthorityIndex(acts))
    known = timed("fold", lambda: authority.fold_authority(first, index, {}))
    assert len(known.chain.terms) == TERMS + 1
    assert known.term.roll == set(ids(roll))
    gone = roll[-1]
    decided = roll[0].proposes(STANDING, gone.key, 1, [[gone.device, 9]])
    more = [decided, *(one.says("yes", decided) for one in roll)]
    for act in more:
        index.add(act)
    known = timed(
        "fold after one more decision", lambda: authority.fold_authority(first, index, {})
    )
    assert gone.key not in known.members
