"""kill -9 at any moment: acknowledged records are stored, and the log goes on without a gap."""

import random

import pytest

from protocol.record import envelope as record
from protocol.record.log import LOG_START, Head, check_follows
from tests.support.real_homes import ROOMY, agree, eventually, request, together
from tests.support.real_homes import folder as homes_folder

BATCH = 40


def kill_while_posting(home, dice, times):
    """Kills the node `times` times while a script posts. Returns the ids of the acknowledged
    records.
    """
    acknowledged = []
    for at in range(times):
        with home.lines() as script:  # starts the node
            script.say(*(request(f"{at} {number}") for number in range(BATCH)))
            script.process.stdin.close()
            patience = dice.randrange(1, BATCH)
            answers = [script.answer()["id"] for _ in range(patience)]
            kill_a_moment_later(home, dice)
            while (answer := script.answer()) is not None:
                answers.append(answer["id"])  # answers from before the node ended
            acknowledged += answers
            # The script may have been done before the node was killed.
            assert script.process.wait() == (0 if len(answers) == BATCH else 1)
            assert "Traceback" not in script.process.stderr.read()
    return acknowledged


def kill_a_moment_later(home, dice):
    for _ in range(dice.randrange(20_000)):  # ends at any moment, also in the middle of a post
        pass
    home.kill()


def check_log(home, acknowledged):
    """Checks the store of a stopped node: every log is whole and signed, without a gap or a
    fork.
    """
    with home.database() as db:
        logs = db.execute("SELECT n, device, seq, fork, ended FROM logs").fetchall()
        rows = {
            n: db.execute(
                "SELECT id, header, signature, content FROM records WHERE log = ? ORDER BY seq",
                (n,),
            ).fetchall()
            for n, *_ in logs
        }
        (sound,) = db.execute("PRAGMA integrity_check").fetchone()
    assert sound == "ok"
    stored = {row[0].hex() for found in rows.values() for row in found}
    assert set(acknowledged) <= stored
    assert len(acknowledged) == len(set(acknowledged))
    neighbourhood = home_id(home)
    for n, device, seq, fork, ended in logs:
        assert (fork, ended) == (None, None)
        assert len(rows[n]) == seq
        head = LOG_START
        for record_id, header, signature, content in rows[n]:
            fields = record.read_header(header)
            assert fields.device == device
            one = record.Record(record_id, fields, header, signature, content)
            assert record.record_id(header, signature) == record_id
            founding = record_id == neighbourhood
            record.verify(one, record.FOUNDING_ID if founding else neighbourhood)
            check_follows(head, one)
            head = Head(fields.seq, record_id, fields.time)


def home_id(home):
    with home.database() as db:
        return min(db.execute("SELECT n, id FROM records").fetchall())[1]


def killed(seed, times):
    """Kills a home without neighbours `times` times, and then checks the home."""
    dice = random.Random(seed)
    with homes_folder() as folder:
        home = folder.founded("Ada", *ROOMY)
        acknowledged = kill_while_posting(home, dice, times)
        home("up")
        for one in (acknowledged[0], acknowledged[-1]):
            assert home("show", one)["state"] == "open"
        home("down")
        check_log(home, acknowledged)
        assert home.post("request", "--title", "Life goes on")


def test_what_was_acknowledged_survives_20_kills():
    together(*(lambda seed=seed: killed(seed, 9) for seed in (1, 2)))


@pytest.mark.long
def test_what_was_acknowledged_survives_200_kills():
    together(*(lambda seed=seed: killed(seed, 100) for seed in (3, 4)))


def test_a_node_killed_while_it_starts_starts_again():
    with homes_folder() as folder:
        home = folder.founded("Ada", *ROOMY)
        old = home.holder
        with home.lines() as script:
            eventually(lambda: home.holder not in {None, old}, "no node takes the lock")
            home.kill()
            assert script.end() == 1
            assert "Traceback" not in script.process.stderr.read()
        home.post("request", "--title", "Life goes on")


def test_a_neighbour_agrees_in_the_end(street):
    ada, ben, cleo = street
    agree(*street)
    acknowledged = kill_while_posting(ada, random.Random(5), 2)
    ada("up")
    agree(*street)
    ben.has(*acknowledged[-3:])
    ben("down")
    check_log(ben, acknowledged)
    ben("up")
    agree(ada, ben, cleo)
