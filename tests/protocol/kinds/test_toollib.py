"""How the kinds of tests/toollib fold. The developer's guide writes these kinds step by step."""

import importlib.util
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.fold import fold
from protocol.fold.facets import Awaited, Credit, DiaryEntry
from protocol.fold.registry import KINDS
from tests.support.clocks import clock_at
from tests.support.exchange_story import ADA, BEN, CHO, PEOPLE, Story, authority
from tests.support.guest_packages import TOOLLIB

UNTIL = "2026-12-24"


@pytest.fixture(scope="module")
def toollib():
    """Registers the kinds of toollib in this process, while the tests of this module run."""
    before = dict(KINDS)
    spec = importlib.util.spec_from_file_location("toollib", TOOLLIB / "toollib.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["toollib"] = module  # Python looks for the module's annotations there
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules["toollib"]
        KINDS.clear()
        KINDS.update(before)


class Shelf(Story):
    """A story of Ada's drill."""

    def __init__(self, minutes=30):
        super().__init__()
        self.tool = self.says(ADA, "toollib.tool", title="A drill", minutes=minutes)

    def asks(self, who, until=UNTIL):
        return self.says(who, "toollib.loan", self.tool, until=until)

    def returned(self, loan, who=ADA, on=UNTIL):
        return self.says(who, "toollib.returned", loan, on=on)

    def lent(self):
        loan = self.asks(BEN)
        self.says(ADA, "accept", loan)
        return loan


@pytest.fixture
def shelf(toollib):
    return Shelf()


def test_a_loan_is_asked_lent_and_returned(shelf):
    loan = shelf.asks(BEN)
    assert (shelf.state(loan), shelf.state(shelf.tool)) == ("asked", "here")

    shelf.says(ADA, "accept", loan)
    assert (shelf.state(loan), shelf.state(shelf.tool)) == ("lent", "lent")

    shelf.returned(loan, on="2026-12-20")
    assert (shelf.state(loan), shelf.state(shelf.tool)) == ("returned", "here")
    assert shelf.view(loan).returned == "2026-12-20"
    assert shelf.view(loan).owner == ADA


@pytest.mark.parametrize("who", [BEN, CHO])
def test_only_the_owner_lends(shelf, who):
    loan = shelf.asks(BEN)

    assert shelf.told(shelf.says(who, "accept", loan)) == "toollib 2"
    assert shelf.state(loan) == "asked"


def test_nobody_asks_for_their_own_tool(shelf):
    assert shelf.told(shelf.asks(ADA)) == "toollib 1"


@pytest.mark.parametrize("who", [BEN, CHO])
def test_only_the_owner_says_that_it_is_back(shelf, who):
    loan = shelf.lent()

    assert shelf.told(shelf.returned(loan, who)) == "toollib 4"
    assert shelf.state(loan) == "lent"


@pytest.mark.parametrize(
    ("who", "word", "rule"),
    [
        (ADA, "declined", None),
        (BEN, "withdrawn", None),
        (ADA, "withdrawn", "R-14.2"),
        (BEN, "declined", "R-14.2"),
        (CHO, "declined", "R-14.2"),
        (BEN, "cancelled", "R-14.2"),
    ],
)
def test_the_owner_declines_and_the_borrower_withdraws(shelf, who, word, rule):
    loan = shelf.asks(BEN)

    assert shelf.told(shelf.says(who, "close", loan, as_state=word)) == rule
    assert shelf.state(loan) == (word if rule is None else "asked")


def test_a_loan_that_was_accepted_is_not_withdrawn(shelf):
    loan = shelf.lent()
    shelf.says(BEN, "close", loan, as_state="withdrawn")

    assert shelf.state(loan) == "lent"


def test_a_tool_that_is_lent_is_withdrawn_once_it_is_back(shelf):
    loan = shelf.lent()
    shelf.says(ADA, "close", shelf.tool, as_state="withdrawn")
    assert shelf.state(shelf.tool) == "lent"

    shelf.returned(loan)
    assert shelf.state(shelf.tool) == "withdrawn"


def test_a_loan_is_overdue_by_the_clock_alone(shelf, toollib):
    loan = shelf.asks(BEN)
    assert shelf.view(loan).clock_state() is None

    shelf.says(ADA, "accept", loan)
    assert shelf.view(loan).clock_state() == (UNTIL, toollib.Loan.State.OVERDUE)
    assert shelf.state(loan) == "lent"

    shelf.returned(loan)
    assert shelf.view(loan).clock_state() is None


def test_hours_are_counted_once_the_tool_is_back(shelf):
    loan = shelf.lent()
    assert shelf.counted() == {}

    shelf.returned(loan, on="2026-12-20")
    (credit,) = shelf.view(loan).credits()
    assert credit == Credit(loan.id, "toollib.loan", loan.time, "2026-12-20", ADA, BEN, 30)


def test_a_tool_without_minutes_moves_none(toollib):
    shelf = Shelf(minutes=None)
    shelf.returned(shelf.lent())

    assert shelf.counted() == {}


def test_the_diary_of_both_has_the_day_on_which_it_goes_back(shelf):
    loan = shelf.lent()
    views = shelf.fold().views
    view = views[loan.id]

    assert view.diary_entry(ADA, views.get) == DiaryEntry("A drill", UNTIL, other=BEN)
    assert view.diary_entry(BEN, views.get) == DiaryEntry("A drill", UNTIL, other=ADA)
    assert view.diary_entry(CHO, views.get) is None
    assert view.diary_entry(ADA, lambda record_id: None) == DiaryEntry(None, UNTIL, other=BEN)

    shelf.returned(loan)
    assert shelf.view(loan).diary_entry(ADA, views.get) is None


def test_a_loan_waits_for_the_owner(shelf):
    def awaited():
        thread = shelf.fold()
        return list(thread.views[loan.id].awaits(thread))

    loan = shelf.asks(BEN)
    assert awaited() == [Awaited(ADA, "accept", loan.id)]

    shelf.says(ADA, "accept", loan)
    assert awaited() == [Awaited(ADA, "toollib.returned", loan.id, since=UNTIL)]

    shelf.returned(loan)
    assert awaited() == []


def refusal_before_signing(shelf, entry):
    """Returns the rule by which software refuses this entry before anybody signs it."""
    thread = shelf.fold()
    thread.clock = clock_at("2026-12-21T10:00")
    thread.entries[entry.id] = entry
    try:
        KINDS[entry.kind].draft(entry).check_before_signing(thread)
    except Refused as refusal:
        return refusal.rule
    return None


def test_software_lends_a_tool_to_one_person_at_a_time(shelf):
    loan = shelf.lent()
    accept = shelf.says(ADA, "accept", shelf.asks(CHO))
    shelf.entries.remove(accept)

    assert refusal_before_signing(shelf, accept) == "toollib 3"

    shelf.returned(loan)
    assert refusal_before_signing(shelf, accept) is None


def test_software_says_that_it_is_back_only_while_it_is_lent(shelf):
    loan = shelf.asks(BEN)
    back = shelf.returned(loan)
    shelf.entries.remove(back)

    assert refusal_before_signing(shelf, back) == "toollib 5"

    shelf.says(ADA, "accept", loan)
    assert refusal_before_signing(shelf, back) is None


def test_the_day_is_filled_in(shelf):
    loan = shelf.lent()
    draft = KINDS["toollib.returned"].draft(shelf.says(ADA, "toollib.returned", loan))

    thread = shelf.fold()
    thread.clock = clock_at("2026-12-21T10:00")
    draft.complete(thread)

    assert draft.on == "2026-12-21"


# -- in any order, whoever says what --------------------------------------------------------------

DEEDS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from(["ask", "accept", "decline", "withdraw", "back", "end"]),
        st.integers(0, 3),  # which of the loans
        st.integers(1, 6),  # when
    ),
    max_size=12,
)


def random_shelf(deeds):
    shelf = Shelf()
    loans = [shelf.asks(BEN)]
    for who, deed, which, time in deeds:
        loan = loans[which % len(loans)]
        if deed == "ask":
            loans.append(shelf.says(who, "toollib.loan", shelf.tool, time=time, until=UNTIL))
        elif deed == "accept":
            shelf.says(who, "accept", loan, time=time)
        elif deed == "back":
            shelf.says(who, "toollib.returned", loan, time=time, on=f"2026-12-0{time}")
        else:
            target = shelf.tool if deed == "end" else loan
            word = "declined" if deed == "decline" else "withdrawn"
            shelf.says(who, "close", target, time=time, as_state=word)
    return shelf, loans


def values(views):
    return {record_id: vars(view) for record_id, view in views.items()}


@given(deeds=DEEDS, chance=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(toollib, deeds, chance):
    shelf, _ = random_shelf(deeds)
    shuffled = list(shelf.entries)
    chance.shuffle(shuffled)

    thread = fold.fold_thread(shuffled, authority())

    assert values(thread.views) == values(shelf.fold().views)


@given(deeds=DEEDS)
def test_minutes_move_only_with_what_the_owner_says_twice(toollib, deeds):
    shelf, loans = random_shelf(deeds)
    times = {entry.id: entry.time for entry in shelf.entries}
    owner_said = {
        (entry.kind, entry.about)
        for entry in shelf.entries
        if entry.person == ADA and entry.time >= times.get(entry.about, 0)  # R-03.9b
    }
    views = shelf.fold().views
    credits_of = {loan.id: list(views[loan.id].credits()) for loan in loans if loan.id in views}

    for loan in loans:
        paid = credits_of.get(loan.id, [])
        accepted = ("accept", loan.id) in owner_said
        is_back = ("toollib.returned", loan.id) in owner_said
        is_own = loan.person == ADA
        assert len(paid) == (accepted and is_back and not is_own)
        assert all((credit.giver, credit.receiver) == (ADA, loan.person) for credit in paid)


@given(deeds=DEEDS)
def test_a_tool_is_lent_exactly_while_a_loan_is(toollib, deeds):
    shelf, loans = random_shelf(deeds)
    views = shelf.fold().views
    states = {views[loan.id].state for loan in loans if loan.id in views}

    assert (views[shelf.tool.id].state == "lent") == ("lent" in states)
    assert states <= {str(state) for state in toollib.Loan.State} - {"overdue"}


# -- a package that fails while it folds ----------------------------------------------------------


def raise_in(monkeypatch, view_type, method):
    """Lets a method of a kind raise an exception that no rule of the specs asks for."""
    fails = RuntimeError("out of order")

    def fail(*given, **more):
        raise fails

    monkeypatch.setattr(view_type, method, fail)
    return fails


@pytest.mark.parametrize("method", ["fold_entry", "settle", "credits", "awaits"])
def test_the_records_of_a_package_that_fails_do_not_count(toollib, shelf, monkeypatch, method):
    loan = shelf.lent()
    shelf.returned(loan)
    flag = shelf.says(CHO, "flag", loan, reason="it is mine")
    error = raise_in(monkeypatch, toollib.Loan, method)

    thread = shelf.fold()

    assert thread.failures == [error]
    assert list(thread.views) == [flag.id]
    assert [line.entry.id for line in thread.history] == [entry.id for entry in shelf.entries]
    for line in thread.history:
        if line.entry.kind.startswith("toollib."):
            assert line.refusal.rule == "R-10.16a"
            assert "toollib" in line.refusal.reason


def test_a_home_whose_package_fails_folds_like_a_home_without_it(toollib, shelf, monkeypatch):
    shelf.says(CHO, "flag", shelf.lent(), reason="it is mine")
    with monkeypatch.context() as patch:
        raise_in(patch, toollib.Loan, "settle")
        with_fault = values(shelf.fold().views)

    for name in [name for name in KINDS if name.startswith("toollib.")]:
        monkeypatch.delitem(KINDS, name)

    assert with_fault == values(shelf.fold().views) != {}


def test_the_code_of_a_package_decides_nothing_about_records_of_the_core(toollib, monkeypatch):
    story = Story()
    request = story.says(ADA, "request", title="x")
    story.says(BEN, "toollib.loan", request, until=UNTIL)
    raise_in(monkeypatch, toollib.Loan, "countersigns")

    assert story.told(request, forks={ADA: 1}) == "R-03.12"
    assert story.fold(forks={ADA: 1}).failures == []


@pytest.mark.parametrize(
    "price",
    [
        object(),
        Credit(b"i" * 32, "toollib.loan", 1, None, ADA, BEN, 2**64),
        Credit(b"i" * 32, "toollib.loan", 1, None, ADA, None, 5),
        Awaited("Ada", "accept", b"i" * 32),
    ],
)
def test_what_cannot_be_stored_is_a_failure(toollib, shelf, monkeypatch, price):
    if isinstance(price, Credit):
        monkeypatch.setattr(toollib.Tool, "credits", lambda self: [price])
    elif isinstance(price, Awaited):
        monkeypatch.setattr(toollib.Tool, "awaits", lambda self, thread: [price])
    else:
        monkeypatch.setattr(
            toollib.Tool, "settle", lambda self, thread: vars(self).update(price=price)
        )

    assert shelf.told(shelf.tool) == "R-10.16a"


@pytest.mark.parametrize("method", ["fold_entry", "settle", "credits", "awaits"])
def test_no_record_counts_in_a_thread_in_which_our_own_code_fails(monkeypatch, method):
    story = Story()
    request = story.says(ADA, "request", title="x")
    response = story.says(BEN, "response", request, text="y")
    story.says(BEN, "retract", response)
    error = raise_in(monkeypatch, KINDS["request"].view_type, method)

    thread = story.fold()

    assert thread.failures == [error, error]
    assert {view.kind for view in thread.views.values()} == {"retracted"}
    assert thread.history[0].refusal.rule == "R-10.16a"


def test_a_machine_without_memory_is_no_failure_of_the_code(monkeypatch):
    story = Story()
    story.says(ADA, "request", title="x")

    def fail(self, thread):
        raise MemoryError

    monkeypatch.setattr(KINDS["request"].view_type, "settle", fail)

    with pytest.raises(MemoryError):
        story.fold()
