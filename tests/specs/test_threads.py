"""The threads that the specs write by hand: each folds to the stated result in any order of its
records.
"""

import json

import pytest

from meshcoop.dev.specs.vectors import MINUTE_MS, START_MS, keys_of, seed_of
from protocol import kinds
from protocol.authority.admission import Device, Member
from protocol.authority.authority import Authority
from protocol.authority.terms import Chain
from protocol.fold import balance
from protocol.fold import content as schema
from protocol.fold import fold as thread
from protocol.fold.facets import COMMON_POT
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry
from protocol.kinds.exchange.payments import Receipt
from tests.support.exchange_story import credits_of
from tests.support.paths import VECTORS

assert kinds  # registers every kind
CASES = json.loads((VECTORS / "threads.json").read_text())
PEOPLE = ("Ana", "Ben", "Cai")
PERSON_FIELDS = {"giver", "receiver", "person"}
PEOPLE_FIELDS = {"members", "joins", "leaves", "parties", "people"}


def authority_of(case):
    known = {name: keys_of(name) for name in PEOPLE}
    devices = {
        one.device: Device(one.device, one.person, one.box.public, None, bytes(32))
        for one in known.values()
    }
    members = {one.person: Member(one.person, START_MS, ()) for one in known.values()}
    forks = {known[name].device: seq for name, seq in case.get("forks", {}).items()}
    return Authority(
        neighbourhood=bytes(32),
        chain=Chain((), ()),
        members=members,
        people=members,
        devices=devices,
        forks=forks,
    )


def entries_of(case):
    numbers = dict.fromkeys(PEOPLE, 0)
    found = []
    for minute, one in enumerate(case["entries"]):
        by = keys_of(one["by"])
        numbers[one["by"]] += 1
        fields = {name: value_of(one["kind"], name, of) for name, of in one["fields"].items()}
        schema.read_content(schema.pack_content(one["kind"], fields))
        about = seed_of(one["about"]) if "about" in one else None
        time = START_MS + minute * MINUTE_MS
        number = numbers[one["by"]]
        place = (seed_of(one["id"]), by.device, number, time, about, by.person)
        lasting = one["kind"] in KINDS and KINDS[one["kind"]].lasting
        found.append(Entry(*place, one["kind"], fields, lasting=lasting))
    return found


def value_of(kind, name, value):
    """Returns the value of a field, with keys and ids in place of the names of people and entries.
    If a name in the field stands for a step of a circle, adds the step's key to its id.
    """
    if name in PERSON_FIELDS:
        return COMMON_POT if value == "the pot" else keys_of(value).person
    if name in PEOPLE_FIELDS:
        return [keys_of(one).person for one in value]
    if name == "held":
        return {role: [keys_of(one).person for one in people] for role, people in value.items()}
    if name == "after":
        return [seed_of(one) + (b"" if kind == "revision" else bytes(32)) for one in value]
    return value


def orders(entries):
    """Yields many orders of the entries. The entries come as written or backwards. Each order is
    also rotated, so that every entry comes first once.
    """
    for one in (entries, entries[::-1]):
        for start in range(len(one)):
            yield one[start:] + one[:start]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_thread_folds_to_its_states_in_any_order(case):
    entries = entries_of(case)
    names = {seed_of(one["id"]): one["id"] for one in case["entries"]}
    for order in orders(entries):
        folded = thread.fold_thread(order, authority_of(case))
        states = {names[one]: view.state for one, view in folded.views.items()}
        assert states == case["states"]
        refused = {
            names[told.entry.id]: told.refusal.rule for told in folded.history if told.refusal
        }
        assert refused == case["refused"]
        for name, people in case.get("members", {}).items():
            shown = folded.views[seed_of(name)].members
            assert shown == sorted(keys_of(one).person for one in people)
        duplicates = {
            names[receipt.id]
            for receipt in folded.views.values()
            if isinstance(receipt, Receipt) and receipt.duplicate
        }
        assert duplicates == set(case.get("duplicates", []))
        balances = balance.sum_balances(credits_of(folded))
        rows = {name: balances.get(keys_of(name).person) for name in PEOPLE}
        moved = {name: row.balance for name, row in rows.items() if row}
        assert moved == case.get("balances", {})
        gifts = {name: row.gifts_given - row.gifts_received for name, row in rows.items() if row}
        assert {name: one for name, one in gifts.items() if one} == case.get("gifts", {})
