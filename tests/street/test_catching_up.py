"""A home that was down gets every record exactly once. A home that is up gets each record as it is
posted.
"""

import sys
import time

from tests.support.real_homes import ROOMY, agree, folder, request, titles

MANY = 400


def many(word):
    return [request(f"{word} {number:03}") for number in range(MANY)]


def listed(home, word):
    """Returns the titles of all requests that begin with `word`."""
    found = home("list", "requests", "--limit", str(2 * MANY))
    return titles(one for one in found if one["title"].startswith(word))


def test_a_home_that_slept_gets_all_of_it(street):
    ada, ben, _ = street
    ben("down")
    with ada.lines() as script:
        ids = script.post(*many("Sugar"))
        assert script.end() == 0
    assert len(set(ids)) == MANY
    ben("up")
    status = agree(*street)
    assert listed(ben, "Sugar") == [f"Sugar {number:03}" for number in range(MANY)]
    with ben.database() as db:  # reads beside the node: no record is there twice
        counts = "count(*), count(DISTINCT id), count(DISTINCT log || '/' || seq)"
        (found,) = db.execute(f"SELECT {counts} FROM records").fetchall()
    assert set(found) == {status["records"]}


def test_a_home_that_is_awake_gets_all_of_it(street):
    ada, ben, cleo = street
    agree(*street)
    with ada.lines() as script:
        ids = script.post(*many("Flour"))
        assert script.end() == 0
    for home in (ben, cleo):
        home("wait", "--id", ids[-1], "--timeout", "60")  # the records of a log come in order
        assert listed(home, "Flour") == [f"Flour {number:03}" for number in range(MANY)]
    agree(*street)


def say(text):
    sys.stdout.write(text + "\n")


def measure():
    """Measures how long 400 posts take to arrive. Run it with `python
    tests/street/test_catching_up.py`.
    """
    with folder() as one:
        ada = one.founder("Ada", *ROOMY)
        ben = one.newcomer(ada, "Ben")
        agree(ada, ben)
        before = ben("status")["records"]
        began = time.monotonic()
        with ada.lines() as script:
            script.post(*many("Flour"))
            posted = time.monotonic() - began
            ben("wait", "--records", str(before + MANY), "--timeout", "60")
            arrived = time.monotonic() - began
        say(f"awake: posted {posted:.1f} s, all there {arrived:.1f} s")
        ben("down")
        with ada.lines() as script:
            script.post(*many("Sugar"))
        began = time.monotonic()
        ben("up")
        up = time.monotonic() - began
        ben("wait", "--records", str(before + 2 * MANY), "--timeout", "60")
        say(f"asleep: up {up:.1f} s, all there {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    sys.exit(measure())
