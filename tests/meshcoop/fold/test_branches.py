"""A new record in a branch of a thread costs a fold of this branch. The views are the same as after a
fold of the whole thread (R-03.40).
"""

from collections import Counter
from contextlib import contextmanager

import pytest

from meshcoop.fold import parts, thread_fold
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.record_contents import RecordContents
from meshcoop.ingest import backlog
from meshcoop.store import records
from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.fold import MAX_A_DAY
from protocol.kinds.services.measures import Feedback
from protocol.record.envelope import DAY_MS
from tests.meshcoop.ingest.test_backlog import backlog_of
from tests.support.branch_history import BranchHistory, assert_views_are_those_of_a_whole_fold
from tests.support.street_in_memory import HOUR, Street, settle

HISTORIES = 1
ORDERS = 2
MANY = 300
ROOMY = {"quota_records": 100_000, "quota_bytes": 2**30}


@pytest.fixture
def few_a_day(monkeypatch):
    """So that the limit of a device and day counts in short histories (R-03.10c)."""
    monkeypatch.setattr(fold, "MAX_A_DAY", 4)
    monkeypatch.setattr(parts, "MAX_A_DAY", 4)


@contextmanager
def counted_work():
    """Counts the records that are read from the store and the contents that are read, and how often
    a whole thread, and some branches of one, are folded.
    """
    counts = Counter()
    read_row, read, find_parts = (
        records._read_row,
        RecordContents.read,
        thread_fold.ThreadFold.find_parts,
    )

    def count_row(*columns):
        counts["rows"] += 1
        return read_row(*columns)

    def count_content(self, record):
        counts["contents"] += 1
        return read(self, record)

    def count_parts(self, rows, most=None):
        found = find_parts(self, rows, most)
        counts.update("whole" if part.is_whole else "branches" for part in found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_read_row", count_row)
        patch.setattr(RecordContents, "read", count_content)
        patch.setattr(thread_fold.ThreadFold, "find_parts", count_parts)
        yield counts


def take_in(number):
    """Takes in a history in several orders. Compares the views with those of a whole fold after
    each step.
    """
    history = BranchHistory(number)
    with history.street:
        for _ in range(ORDERS):
            cache = None
            for home in history.arrivals():
                cache = cache or LoopCache(home.state)
                assert_views_are_those_of_a_whole_fold(home)
                kept = cache.loops_for(history.service.id, home.now())
                fresh = LoopCache(home.state).loops_for(history.service.id, home.now())
                assert described(kept) == described(fresh)
            before = home.state_hash()
            home.state.rebuild()
            assert home.state_hash() == before


def described(followed):
    """Returns what a home shows of the loops of a service."""
    if followed is None:
        return None
    return {view_id: vars(view) for view_id, view in followed.views.items()}, {
        measure: (
            loop.points,
            loop.signals,
            [(matter.id, matter.opened, matter.raisers, matter.closed) for matter in loop.matters],
            {number: window.digest for number, window in loop.windows.items()},
        )
        for measure, loop in followed.loops.items()
    }


def asked(here, **more):
    """Founds a street with a question about a service. Returns the homes of two people, and the
    record of the question.
    """
    ada = here.found(**ROOMY, **more)
    ben = here.neighbour(ada)
    service = ada.post("service", title="The bins")
    measure = ada.post("measure", service, question="Taken?", scale="yes_no")
    ben.feed(ada.wires())
    return ada, ben, measure


def feedback(home, measure, count, **fields):
    """Signs pieces of feedback, as many a day as count in a thread. The home stores them."""
    seq, prev = home.head.seq, home.head.id
    signed = []
    for number in range(count):
        seq += 1
        if number % MAX_A_DAY == 0:
            home.street.clock += DAY_MS
        record = home.forge("feedback", measure, seq=seq, prev=prev, value=1, **fields)
        prev = record.id
        signed.append(record)
    home.street.clock += HOUR
    home.feed([record.wire for record in signed])
    return signed


@pytest.mark.usefixtures("few_a_day")
def test_branches_fold_to_the_views_of_the_whole_thread_in_any_order():
    with counted_work() as counts:
        for number in range(HISTORIES):
            take_in(number)
    assert counts["branches"] > 10 * HISTORIES


@pytest.mark.long
@pytest.mark.usefixtures("few_a_day")
def test_branches_of_many_histories_fold_to_the_views_of_the_whole_thread():
    for number in range(HISTORIES, MANY):
        take_in(number)


def test_one_more_piece_of_feedback_reads_as_few_records_among_many_as_among_few():
    """Attacker: a member who answers every day. Asset: the time of everybody's processor (T-24)."""
    with Street(1) as here:
        ada, ben, measure = asked(here)
        signed = feedback(ben, measure, 160)
        changes = {
            "new": lambda at: ada.feed([signed[at].wire]),
            "retracted": lambda at: ada.put(ada.forge("retract", signed[at])),
            "flagged": lambda at: ada.put(ada.forge("flag", signed[at], reason="unkind")),
            "commented": lambda at: ada.put(ada.forge("comment", measure, text="Why?")),
            "posted": lambda at: ada.post("answer", signed[at], text="We come tomorrow."),
            "answered": lambda at: ada.put(ada.forge("answer", signed[at], text="Sorry.")),
        }
        work = {}
        for among in (30, 150):
            ada.feed([record.wire for record in signed[:among]])
            for name, change in changes.items():
                with counted_work() as counts:
                    change(among)
                work[among, name] = counts
            ada.feed([signed[among + 1].wire])
        assert ada.state.views.count(Feedback) == 152
        assert_views_are_those_of_a_whole_fold(ada)
        for name in changes:
            assert work[150, name] == work[30, name]
            assert work[150, name]["rows"] < 40
            assert work[150, name]["whole"] == 0


def test_a_member_cannot_make_an_answer_cost_a_whole_thread():
    """Attacker: a member who backdates, and raises alarms. Asset: the processor's time (T-24)."""
    with Street(2) as here:
        ada, ben, measure = asked(here)
        late = ben.now() - HOUR
        ada.feed([record.wire for record in feedback(ada, measure, 100)])
        hostile = [
            ben.put(ben.forge("feedback", measure, time=late + at, value=1, urgent=urgent))
            for at, urgent in enumerate(("no", "yes", "yes"))
        ]
        hostile.append(ben.put(ben.forge("retract", measure)))
        hostile.append(ben.put(ben.forge("flag", measure, reason="unkind")))
        hostile.append(ben.put(ben.forge("feedback", measure, time=ben.now() + HOUR, value=1)))
        for record in hostile:
            with counted_work() as counts:
                ada.feed([record.wire])
            assert counts["whole"] == 0
            assert counts["rows"] < 20
        here.clock += 2 * HOUR
        with counted_work() as counts:
            ada.state.fold_due()
        assert counts["whole"] == 0
        assert ada.view(hostile[-1]) is not None
        assert_views_are_those_of_a_whole_fold(ada)


class Tied:
    """Three homes write, and a fourth takes in what they write, one record at a time."""

    def __init__(self, here):
        self.ada, self.ben, self.measure = asked(here)
        self.cho, self.dan = here.neighbour(self.ada), here.neighbour(self.ada)
        settle(self.ada, self.ben, self.cho, self.dan)
        self.here = here

    def write(self, home, kind, about, **fields):
        self.here.clock += 60_000
        return home.put(home.forge(kind, about, **fields))

    def report(self, home, **more):
        return self.write(home, "feedback", self.measure, value=0, text="No.", **more)

    def flag(self, about):
        """Signs a record that changes nothing but makes the branch fold again."""
        return self.write(self.cho, "flag", about, reason="unkind")

    def arrive(self, *signed):
        """Checks that each of these records is folded with its branch, to the right views."""
        for record in signed:
            with counted_work() as counts:
                self.ada.feed([record.wire])
            assert counts["whole"] == 0
            assert_views_are_those_of_a_whole_fold(self.ada)


@pytest.fixture
def tied():
    with Street(4) as here:
        street = Tied(here)
        street.ada.feed([street.report(street.cho).wire])  # from now on, the thread has a branch
        yield street


def test_a_merge_hears_of_the_other_report(tied):
    first, other = tied.report(tied.ben), tied.report(tied.dan)
    merge = tied.write(tied.dan, "same_as", other, other=first.id)
    tied.arrive(other, merge)
    assert tied.ada.view(merge) is None
    tied.arrive(first)
    tied.arrive(tied.flag(other))
    assert tied.ada.view(merge).state == "said"
    tied.arrive(tied.write(tied.ben, "retract", first))
    assert tied.ada.view(merge) is None


def test_a_report_hears_of_a_later_record_that_it_names(tied):
    later = tied.report(tied.ben)
    early = tied.dan.put(
        tied.dan.forge("feedback", tied.measure, time=later.header.time - 1, value=0, link=later.id)
    )
    tied.arrive(early)
    assert tied.ada.view(early) is not None
    tied.arrive(later)
    assert tied.ada.view(early) is None
    tied.arrive(tied.flag(early))
    assert tied.ada.view(early) is None
    other = tied.report(tied.ben)
    merge = tied.write(tied.ben, "same_as", other, other=early.id)
    tied.arrive(other, merge, tied.flag(other))
    assert tied.ada.view(merge) is None


def test_what_a_person_posts_is_checked_with_what_it_is_tied_to(tied):
    report, other = tied.report(tied.ben), tied.report(tied.dan)
    settle(tied.ada, tied.ben, tied.cho, tied.dan)
    tied.cho.post("flag", tied.measure, reason="unkind")
    with pytest.raises(Refused, match=r"flagged it already"):
        tied.cho.post("flag", tied.measure, reason="unkind again")
    tied.dan.post("same_as", other, other=report.id.hex())
    with pytest.raises(Refused, match=r"you have said so already"):
        tied.dan.post("same_as", other, other=report.id.hex())
    tied.dan.post("same_as", other)
    with pytest.raises(Refused, match=r"you have said so already"):
        tied.dan.post("same_as", other)
    with pytest.raises(Refused, match=r"only its author"):
        tied.cho.post("same_as", other, other=report.id.hex())
    tied.ada.street.clock += 30 * 24 * HOUR
    with pytest.raises(Refused, match=r"has settled"):
        tied.dan.post("same_as", other, other=report.id.hex())


@pytest.mark.usefixtures("few_a_day")
def test_a_post_beyond_the_limit_of_the_day_is_refused(tied):
    for _ in range(4):
        tied.report(tied.ben)
    with pytest.raises(Refused, match=r"of one device and day"):
        tied.ben.post("flag", tied.measure, reason="one more")


def test_an_alarm_hears_of_an_earlier_one_by_proxy(tied):
    given = tied.ben.post(
        "proxy", person=tied.dan.me.person.hex(), matters=["feedback"], until="2026-12-24"
    )
    tied.dan.feed(tied.ben.wires())
    tied.ada.feed(tied.ben.wires())
    early = tied.report(tied.dan, urgent="yes", **{"for": given.id})
    late = tied.report(tied.ben, urgent="yes")
    tied.arrive(late)
    assert tied.ada.view(late).urgent == "yes"
    tied.arrive(early)
    assert tied.ada.view(early).urgent == "yes"
    assert tied.ada.view(late).urgent is None
    tied.arrive(tied.flag(late))
    assert tied.ada.view(late).urgent is None


def test_a_second_flag_counts_once_the_first_is_taken_back(tied):
    first, second = tied.flag(tied.measure), tied.flag(tied.measure)
    tied.arrive(first, second)
    assert tied.ada.view(second) is None
    tied.arrive(tied.write(tied.cho, "retract", first))
    assert tied.ada.view(second) is not None


def test_a_second_alarm_counts_once_the_first_is_taken_back(tied):
    first, second = tied.report(tied.ben, urgent="yes"), tied.report(tied.ben, urgent="yes")
    tied.arrive(first, second)
    assert tied.ada.view(second).urgent is None
    tied.arrive(tied.write(tied.ben, "retract", first))
    assert tied.ada.view(second).urgent == "yes"


@pytest.mark.usefixtures("few_a_day")
def test_the_last_of_a_day_hears_of_an_earlier_one_that_joins_the_thread(tied):
    missing = tied.report(tied.dan)
    joins = tied.write(tied.ben, "answer", missing, text="Sorry.")
    of_day = [tied.report(tied.ben) for _ in range(4)]
    tied.ada.feed([joins.wire])  # it waits for the report that it answers
    tied.arrive(*of_day)
    assert tied.ada.view(of_day[-1]) is not None
    tied.arrive(missing)
    assert tied.ada.view(joins) is not None
    assert tied.ada.view(of_day[-1]) is None
    tied.arrive(tied.flag(of_day[-1]))
    assert tied.ada.view(of_day[-1]) is None
    assert tied.ada.told(of_day[-1]) == "R-03.10c"


def test_a_link_hears_of_a_later_report_that_it_names(tied):
    service = measure_service(tied.ada, tied.measure)
    later = tied.report(tied.ben)
    link = tied.dan.put(
        tied.dan.forge(
            "link",
            service,
            time=later.header.time - 1,
            to=tied.ben.me.person,
            title="a part",
            instead=later.id,
        )
    )
    tied.ada.feed([link.wire])
    tied.ada.feed([later.wire])
    assert tied.ada.told(link) == "R-03.9b"
    assert_views_are_those_of_a_whole_fold(tied.ada)


async def test_branches_that_are_put_off_fold_to_the_same_views(monkeypatch):
    monkeypatch.setattr(thread_fold, "MAX_RECORDS", 6)
    monkeypatch.setattr(backlog, "MAX_RECORDS", 6)
    with Street(3) as here:
        ada, ben, measure = asked(here)
        signed = feedback(ben, measure, 40)
        ada.feed([record.wire for record in signed[:20]])
        async with backlog_of(ada) as work:
            ada.feed([record.wire for record in signed[20:]])  # too much for one step
            for number in range(9):  # a branch that is too large for one step
                ben.put(ben.forge("answer", signed[0], text=f"reply {number}"))
                ada.feed(ben.wires())
            link = ben.put(
                ben.forge("link", measure_service(ada, measure), to=ada.me.person, title="x")
            )
            ada.feed([link.wire])  # of the trunk
            ada.put(ada.forge("retract", signed[3]))
            await work.settle()
            settle(ada, ben)
            await work.settle()

            assert work.is_empty
            assert ada.state_hash() == ben.state_hash()
            assert_views_are_those_of_a_whole_fold(ada)


def measure_service(home, measure):
    return home.store.records.find(measure.about).record


def test_the_branches_of_few_records_in_many_threads_are_found_at_once():
    with Street(1) as here:
        ada = here.found(**ROOMY)
        last = []
        for number in range(4):
            service = ada.post("service", title=f"Bins {number}")
            measure = ada.post("measure", service, question="Were they emptied?", scale="yes_no")
            for _ in range(2):
                flag = ada.put(ada.forge("flag", measure, reason="unkind"))
            last.append(ada.store.records.find(flag.id).n)
        with ada.store.transaction():
            found = ada.state.thread_fold.find_parts(last, 2)

    assert [part.is_whole for part in found] == [False, False, True, True]
