"""No step of an answer becomes longer because people have written more.

The test counts the calls of functions in each step of the loop, so it needs no clock.
"""

import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api import list_pages
from meshcoop.api.methods.method_table import READING, Methods
from meshcoop.fold import slices, thread_fold
from meshcoop.fold.slices import answer_in_slices
from meshcoop.ingest import backlog
from tests.meshcoop.ingest.test_backlog import answered_request
from tests.support.api_in_memory import Asking
from tests.support.street_in_memory import Street

FEW, MANY = 30, 120
HOSTILE = "FREQ=MONTHLY;BYDAY=MO,+2WE"
UNSLICED = {
    *("post", "mute", "take", "stop", "join", "invite", "approve", "renew", "carry", "guest"),
    *("give_address", "forget_address", "relay_ticket", "relay_leave", "relay_limits"),
    *("relay_enrol", "relay_end"),
    *("plan_leave", "ask_place"),
    "device",  # it shows one key
    "examine",  # it looks into the stores beside the loop
}
LISTS = (
    *("people", "waiting", "board", "suggestions", "reciprocity", "matters", "signals", "moved"),
    *(
        "holdings",
        "newcomers",
        "requests",
        "offers",
        "responses",
        "agreements",
        "receipts",
        "activities",
    ),
    "services",
)
CALLS = {
    **{f"list {what}": ("list", {"what": what}) for what in LISTS},
    "list expired": ("list", {"what": "requests", "state": "expired"}),
    "search": ("search", {"words": "help"}),
    "diary": ("diary", {}),
    "written": ("written", {}),
    "balance": ("balance", {}),
    "next_steps": ("next_steps", {}),
}


class CallMeter(trio.abc.Instrument):
    """Counts the calls of functions in each step of the loop. `most` is the greatest count."""

    def __init__(self):
        self.most = 0
        self._count = 0

    def before_task_step(self, task):
        self._count = 0
        sys.setprofile(self._note)

    def after_task_step(self, task):
        sys.setprofile(None)
        self.most = max(self.most, self._count)

    def _note(self, frame, event, argument):
        self._count += event in {"call", "c_call"}


def node_of(home):
    """Makes a stand-in for the node of a home."""
    asking = Asking(home)
    mesh = SimpleNamespace(credentials=SimpleNamespace(device=home.me.device))
    membership = replace(asking.membership, mesh=mesh)

    async def wait_to_sign():
        return membership

    return SimpleNamespace(
        relay=None, require_membership=lambda: membership, wait_to_sign=wait_to_sign, now=home.now
    )


def largest_step(node, name, params):
    meter = CallMeter()
    method = partial(answer_in_slices, Methods(node).table()[name])
    trio.run(method, params, instruments=[meter])
    return meter.most


def write_much(home, count):
    """One person posts, asks for help, and repeats events by costly rules."""
    for number in range(count):
        home.post("request", title=f"Help with {number}", minutes="60")
        home.post("offer", title=f"Help number {number}", minutes="60")
        home.post(
            "activity",
            title=f"Helpers {number}",
            starts="2026-12-28T09:30",
            minutes="60",
            repeats=HOSTILE,
        )


@pytest.fixture(scope="module")
def steps():
    """Measures the largest step of each call at a home with few posts, and again with many."""
    with pytest.MonkeyPatch.context() as patch, Street(1) as here:
        patch.setattr(slices, "SLICE_MS", 0)
        patch.setattr(list_pages, "MAX_ROWS", 20)  # a page is fitted to its frame in one step
        home = here.found(quota_records=100_000, quota_bytes=2**30)
        node = node_of(home)
        measured = {}
        written = 0
        for posts in (FEW, MANY):
            write_much(home, posts - written)
            written = posts
            for call, (name, params) in CALLS.items():
                largest_step(node, name, params)  # what is only worked out once is known now
                measured[call, posts] = largest_step(node, name, params)
        yield measured


@pytest.mark.parametrize("call", CALLS)
def test_the_largest_step_of_an_answer_does_not_grow_with_what_is_written(steps, call):
    assert steps[call, MANY] < 1.3 * steps[call, FEW] + 200


def test_the_largest_step_of_a_history_does_not_grow_with_its_thread(monkeypatch):
    monkeypatch.setattr(slices, "SLICE_MS", 0)
    monkeypatch.setattr(list_pages, "MAX_ROWS", 20)
    for module in (thread_fold, backlog):
        monkeypatch.setattr(module, "MAX_RECORDS", 20)  # larger threads are folded beside the loop
    monkeypatch.setattr(backlog, "_AT_ONCE", 5)
    with Street(1) as here:
        ada, _, request, answers = answered_request(here, MANY)
        node = node_of(ada)
        measured = []
        for wires in (answers[:FEW], answers[FEW:]):
            ada.feed(wires)
            show = {"id": request.id.hex()}
            largest_step(node, "show", show)  # what is only worked out once is known now
            measured.append(largest_step(node, "show", show))

    assert measured[1] < 1.3 * measured[0]


def test_every_method_works_in_slices_or_changes_something():
    methods = Methods(None).table()

    assert methods.keys() == READING | UNSLICED
    assert not READING & UNSLICED
