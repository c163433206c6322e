"""What a peer's bytes cost. The attacker is a member, or somebody who can prove to know the
neighbourhood, with few bytes that take long. The asset is the time of everybody's processor.
"""

import logging
import os
import random
import time
from contextlib import suppress
from functools import cache, partial

import pytest

from meshcoop.matching.topics import read_topics
from meshcoop.matching.vocabulary import Vocabulary
from meshcoop.sync.judged_chains import MAX_REMEMBERED, JudgedChains
from meshcoop.sync.stated_addresses import StatedAddresses
from protocol.display_text import safe_text
from protocol.errors import Refused
from protocol.fold.fold import MAX_A_DAY
from protocol.log_lines import LogLines
from protocol.record import codec, envelope
from protocol.record.signature import public_key
from protocol.recurrence import occurrence_days
from protocol.spelling import name_keys, search_terms
from protocol.wire.node_addresses import NodeAddresses
from tests.support.street_in_memory import HOUR, settle, street
from tests.support.work import count_calls

DAY = 24 * HOUR
STEP_MS = 50  # no step of a node's loop takes longer
CALLS_PER_MS = 5000  # about; a slow machine makes half as many

RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;COUNT=9999999999",
    "FREQ=DAILY;UNTIL=99991231",
    "FREQ=WEEKLY;BYDAY=" + ",".join(["MO", "TU", "WE", "TH", "FR", "SA", "SU"] * 8),
    "FREQ=WEEKLY;INTERVAL=52;BYDAY=WE;COUNT=9999999999",
    "FREQ=MONTHLY;BYMONTHDAY=31;INTERVAL=11",
    "FREQ=MONTHLY;BYMONTHDAY=" + ",".join(map(str, [*range(1, 32), *range(-31, 0)])),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=4",
    "FREQ=MONTHLY;BYDAY=" + ",".join(["-4SU"] * 30),
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=YEARLY;INTERVAL=10;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE",
    "FREQ=YEARLY;BYMONTH=" + ",".join(["12"] * 60),
    "FREQ=SECONDLY",
    "FREQ=DAILY;" * 18,
    "FREQ=WEEKLY;BYDAY=" + "MO," * 60,
    "FREQ=MONTHLY;BYMONTHDAY=" + "+1," * 50,
]


def read_all_rules():
    """Works out the days of each rule, from a first day that nobody has asked for before."""
    first = f"{random.randrange(1970, 2190)}-02-{random.randrange(1, 28):02}T09:30"
    for rule in RULES:
        refuse_or_take(occurrence_days, first, rule)


def refuse_or_take(take, *arguments):
    with suppress(Refused):
        take(*arguments)


def log_words(words):
    LogLines().format(logging.LogRecord("peer", logging.INFO, __file__, 1, words, (), None))


@cache
def vocabulary():
    return Vocabulary([])


def match_words(words):
    """Reads what an offer is about, in all languages, because none of its words is known."""
    read_topics(words, vocabulary())


def take_false_statements():
    """Takes a frame with statements that their keys have not signed."""
    key = public_key(b"\1" * 32)
    false = NodeAddresses(key, 1, ["/ip4/203.0.113.7/tcp/4001"] * 8, bytes(64))
    StatedAddresses(bytes(32)).take(false.peer, [false] * 32, ())


CALLS = {  # what a peer's bytes make a node do → the milliseconds of the processor that it may take
    "16 rules of repetition": (read_all_rules, STEP_MS * len(RULES) / 4),
    "a name of hostile letters": (
        lambda: name_keys.__wrapped__(os.urandom(40).decode("utf-16", "replace")),
        10,
    ),
    "a name in brackets": (partial(name_keys.__wrapped__, "(" * 80), 10),
    "a name of blanks and brackets": (partial(name_keys.__wrapped__, " (" + " " * 70 + ")x"), 10),
    "16 KiB of combining marks": (partial(safe_text, "\u0301" * 8192), STEP_MS),
    "16 KiB of joiners": (partial(safe_text, "\u200d" * 5461), STEP_MS),
    "16 KiB of letters to search": (partial(search_terms, "é" * 8192), STEP_MS),
    "16 KiB of Japanese to search": (partial(search_terms, "修理" * 2730), STEP_MS),
    "16 KiB of ligatures to search": (partial(search_terms, "ﷺ" * 5461), 4 * STEP_MS),
    "330 made-up words to match": (partial(match_words, " ".join(f"w{n}" for n in range(330))), 4),
    "a frame of controls in a log": (partial(log_words, "\x1b" * 2**16), STEP_MS),
    "lists in lists": (partial(refuse_or_take, codec.unpack, b"\x91" * 16383 + b"\xc0"), 10),
    "16,000 empty maps": (
        partial(refuse_or_take, codec.unpack, b"\xdc\x3e\x80" + b"\x80" * 16000),
        10,
    ),
    "32 false statements of addresses": (take_false_statements, 10),
    "no record": (partial(refuse_or_take, envelope.parse, b"\x93" + b"\x90" * 16000), 10),
}


def processor_ms(call):
    """Returns the milliseconds of the processor that a call takes, the best of three."""
    costs = []
    for _ in range(3):
        begun = time.thread_time()
        call()
        costs.append((time.thread_time() - begun) * 1000)
    return min(costs)


@pytest.mark.parametrize("name", CALLS)
def test_what_a_peer_sends_makes_few_calls(name):
    call, bound = CALLS[name]
    call()  # loads tables

    assert count_calls(call) <= bound * CALLS_PER_MS


@pytest.mark.long  # measures, so it needs a quiet machine
@pytest.mark.parametrize("name", CALLS)
def test_what_a_peer_sends_costs_little(name):
    call, bound = CALLS[name]

    assert processor_ms(call) <= bound


def test_a_hello_that_comes_again_is_not_verified_again():
    with street(homes=2) as (ada, ben):
        settle(ada, ben)
        chain = [row.record.wire for row in ada.store.records.with_open_audience()][:128]
        chains = JudgedChains(ada.state)
        shown = chains.judge(chain)
        assert chains.judge(chain) is shown

        forged = [*chain, chain[-1][:-1] + b"\xff"]
        for _ in range(2):
            with pytest.raises(Refused):
                chains.judge(forged)

        assert count_calls(partial(refuse_or_take, chains.judge, forged)) <= 1000
        assert count_calls(partial(chains.judge, chain)) <= 1000


def test_what_is_remembered_of_hellos_is_bounded():
    with street(homes=1) as (ada,):
        chains = JudgedChains(ada.state)
        for number in range(3 * MAX_REMEMBERED):
            refuse_or_take(chains.judge, [number.to_bytes(2, "big")])

        assert len(chains._judgements) == MAX_REMEMBERED


def test_a_chain_is_judged_again_when_authority_has_changed():
    with street(homes=1) as (ada,):
        chains = JudgedChains(ada.state)
        before = chains.judge([])
        ada.admit(ada.street.person())

        assert chains.judge([]) is ada.state.authority
        assert ada.state.authority is not before


# -- 50 records of one device and day in a thread -------------------------------------------------


def flood(home, about, count, **fields):
    """Forges and stores many records about one record, without letting time pass."""
    return [home.put(home.forge("revision", about, title="A roof", **fields)) for _ in range(count)]


def counting(home, records):
    return [record for record in records if home.view(record) is not None]


def test_of_one_device_and_day_50_records_count_in_a_thread():
    with street(homes=3) as (ada, ben, cho):
        page = ada.post("page", title="How to mend a roof", text="Begin at the top.")
        settle(ada, ben, cho)
        revisions = flood(ben, page, 60, text="No.")
        cho.feed(record.wire for record in reversed(revisions))
        ada.street.clock += DAY
        later = flood(ben, page, 1, text="Still no.")
        settle(ada, ben, cho)

        for home in (ada, ben, cho):
            assert counting(home, revisions) == revisions[:MAX_A_DAY]
            assert counting(home, later) == later
        assert ada.state.views.state_hash() == cho.state.views.state_hash()


def test_software_writes_no_record_that_would_not_count():
    with street(homes=2) as (ada, ben):
        page = ada.post("page", title="How to mend a roof", text="Begin at the top.")
        settle(ada, ben)
        flood(ben, page, MAX_A_DAY, text="No.")

        with pytest.raises(Refused, match=r"R-03\.10c"):
            ben.post("revision", page, text="No.")
        other = ben.post("page", title="Another thread", text="x")
        assert ben.view(other) is not None


def test_words_are_taken_back_however_many_they_are():
    with street(homes=2) as (ada, ben):
        page = ada.post("page", title="How to mend a roof", text="Begin at the top.")
        settle(ada, ben)
        revisions = flood(ben, page, 40, text="No.")
        ada.street.clock += DAY
        more = flood(ben, page, 40, text="No.")
        ada.street.clock += DAY
        for revision in [*revisions, *more]:
            ben.put(ben.forge("retract", revision))
        settle(ada, ben)

        for home in (ada, ben):
            assert {home.view(revision).kind for revision in [*revisions, *more]} == {"retracted"}


def test_a_thread_that_one_member_floods_folds_within_a_step():
    with street(homes=2) as (ada, ben):
        activity = ada.post(
            "activity", title="Open workshop", starts="2030-01-07T09:30", repeats="FREQ=DAILY"
        )
        settle(ada, ben)
        for number in range(200):
            day = f"2030-{number % 12 + 1:02}-{number % 28 + 1:02}"
            ben.put(ben.forge("signup", activity, day=day, reply="yes"))
        root = ben.store.records.find(activity.id).root

        fold = partial(ben.state.thread_fold.fold_thread, root)
        assert count_calls(fold) <= STEP_MS * CALLS_PER_MS
