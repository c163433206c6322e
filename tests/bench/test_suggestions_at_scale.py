"""Makes suggestions in a neighbourhood of 500 people with 5,000 open posts, and prints how long the
suggestions take. To run: `pytest -m long -n 0 -s` on this file.
"""

import random
import time
from statistics import median

import pytest

from meshcoop.clock import iso_time
from meshcoop.matching.vocabulary import load_lexicons
from protocol.fold.content import pack_content
from protocol.fold.registry import KINDS
from protocol.kinds.exchange.exchange import Request
from protocol.record import envelope as record
from protocol.record import sealing as seal
from protocol.record.envelope import Header
from protocol.record.log import LOG_START, Head
from tests.support.api_in_memory import Asking
from tests.support.street_in_memory import MORNING, Home, Street

pytestmark = pytest.mark.long

PEOPLE, POSTS, ASKED = 500, 5000, 40
DAY = 24 * 3_600_000
ROOMY = {"quota_records": 1_000_000, "quota_bytes": 2**30, "room": 1000}
SENTENCES = (
    "Somebody for {} please",
    "Who could do {} with me?",
    "{}",
    "An hour of {} on Thursday",
)
AREAS = ("Mill Lane", "Harbour", "Chapel Street", None)


class Log:
    """Signs the records of one device one after the other, without reading the store."""

    def __init__(self, home, identity, head=LOG_START):
        self.home, self.identity, self.head = home, identity, head

    def __call__(self, kind, **fields):
        state, seq = self.home.state, self.head.seq + 1
        content = pack_content(kind, fields)
        if KINDS[kind].audience == record.EPOCH:
            place = seal.content_context(state.neighbourhood, self.identity.device, seq)
            nonce = self.home.street.dice.randbytes(32)
            content = seal.seal_epoch_content(state.epochs.current_key(), content, place, nonce)
        place = (record.VERSION, self.identity.device, seq, self.head.id, self.home.now(), None, [])
        digest = (KINDS[kind].audience_code, len(content), record.content_digest(content))
        header = Header(*place, *digest)
        one = record.sign(header, content, state.neighbourhood, self.identity.device_seed)
        self.head = Head(seq, one.id, header.time)
        return one.wire


def phrases():
    """Returns the phrases that people write here: every phrase that the vocabulary knows in
    English, Spanish and German.
    """
    return {
        lang: sorted(" ".join(one) for one in load_lexicons()[lang].phrases)
        for lang in ("en", "es", "de")
    }


def town(street, dice):
    """Makes the founder's home. It holds the profiles and posts of all people."""
    home: Home = street.found(**ROOMY)
    people = [street.person() for _ in range(PEOPLE - 1)]
    admits = Log(home, home.me, home.head)
    home.feed([admits("admit", person=one.person, statement=one.statement) for one in people])
    said, logs = phrases(), [Log(home, one) for one in people]
    wires = []
    for number, log in enumerate(logs):
        lang = dice.choice(list(said))
        wires.append(
            log(
                "profile",
                name=f"Person {number}",
                assets=dice.sample(said[lang], 4),
                wants=dice.sample(said[lang], 2),
                languages=dice.sample(["en", "es", "de", "yo"], 2),
                area=dice.choice(AREAS),
                minutes_a_month=dice.choice([None, 240, 600]),
            )
        )
    for _ in range(POSTS):
        lang = dice.choice(list(said))
        title = dice.choice(SENTENCES).format(dice.choice(said[lang]))
        starts = dice.choice([None, iso_time(MORNING + dice.randint(1, 60) * DAY)[:10]])
        kind = dice.choice(["request", "offer"])
        fields = {"title": title[:120], "lang": lang, "minutes": 60, "starts": starts}
        wires.append(dice.choice(logs)(kind, **fields))
    home.feed(wires)
    assert len(home.state.views.of_kind(Request)) > POSTS // 3
    assert len(home.state.authority.members) == PEOPLE
    return home, people


def test_one_persons_suggestions_among_five_hundred_people():
    dice = random.Random(5)
    with Street() as street:
        home, people = town(street, dice)
        asking = Asking(home)
        began = time.perf_counter()
        asking.suggestions()
        first = time.perf_counter() - began
        took, worked, found = [], [], 0
        for one in dice.sample(people, ASKED):
            began, working = time.perf_counter(), time.process_time()
            shown = asking.suggestions(**{"as": one.person.hex()})
            took.append(1000 * (time.perf_counter() - began))
            worked.append(1000 * (time.process_time() - working))
            found += len(shown)
            assert all(each["why"] and each["for"]["id"] == one.person.hex() for each in shown)
        assert found > ASKED
        print(  # noqa: T201 -- with -s
            f"suggestions: median {median(took):.1f} ms ({median(worked):.1f} ms of the processor), "
            f"slowest {max(took):.1f} ms of {ASKED}; "
            f"{found / ASKED:.0f} each; made at first in {first:.2f} s"
        )
