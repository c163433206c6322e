"""Attack: make the software of others sign for a member, until they have no room of their own."""

import ast
from pathlib import Path

import pytest

import meshcoop
from meshcoop.author.automatic import Countersigner
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record.envelope import DAY_MS
from tests.support.street_in_memory import exchange, settle, street

MOST = 8  # records of a kind that a home signs in a day in answer to others


def signed_by(home, since=0):
    """Returns the names of the kinds that this home's device signed after the number `since`."""
    log = home.store.records.of_log(home.me.device, since + 1, 10_000)
    return [(home.state.contents.read(one).kind, one.header.is_automatic) for one in log]


@pytest.mark.parametrize("count", [40, pytest.param(240, marks=pytest.mark.long)])
def test_240_confirms_of_one_receipt_get_one_answer(count):
    """Attacker: who received the time. Asset: the giver's room to write."""
    with street(quota_records=250) as (ada, ben):
        *_, receipt, _ = exchange(ada, ben)
        for _ in range(count - 1):
            ben.take(ada.put(ada.forge("confirm", receipt)))
        before = ben.head.seq
        Countersigner(ben.author).run()
        assert signed_by(ben, before) == [("confirm", True)]
        Countersigner(ben.author).run()
        assert len(signed_by(ben, before)) == 1


def test_a_confirm_that_does_not_count_gets_no_answer_in_place_of_one_that_does():
    """Attacker: an ally of who received the time. Asset: the giver's hours."""
    with street(homes=3) as (ada, ben, eve):
        offer = ada.post("offer", title="A lift", minutes="90")
        settle(ada, ben, eve)
        response = ben.post("response", offer)
        settle(ada, ben, eve)
        agreement = ada.post("agreement", response)
        settle(ada, ben, eve)
        receipt = ben.post("receipt", agreement)
        settle(ada, ben, eve)
        ben.take(eve.put(eve.forge("confirm", receipt)))
        Countersigner(ben.author).run()
        assert not [kind for kind, _ in signed_by(ben) if kind == "confirm"]
        settle(ada, ben, eve)
        confirm = ada.post("confirm", receipt)
        settle(ada, ben, eve)
        Countersigner(ben.author).run()
        answers = [one.record.about for one in ben.store.records.second_answers(receipt.id)]
        assert answers == [confirm.id]


def test_many_receipts_are_answered_day_by_day_and_the_own_room_stays():
    """Attacker: neighbours who confirm much at once. Asset: what a person can write in a day."""
    with street(homes=2, quota_records=60) as (ada, ben):
        offer = ben.post("offer", title="Lifts", minutes="30")
        settle(ada, ben)
        response = ada.post("response", offer)
        settle(ada, ben)
        agreement = ben.post("agreement", response)
        receipts = [ben.put(ben.forge("receipt", agreement, note=f"{n}")) for n in range(10)]
        settle(ada, ben)
        for receipt in receipts:
            ben.take(ada.put(ada.forge("confirm", receipt)))
        answers = Countersigner(ben.author)
        counts = []
        for _ in range(3):
            before = ben.head.seq
            answers.run()
            answers.run()
            counts.append(len(signed_by(ben, before)))
            ben.street.clock += DAY_MS
        assert sum(counts) == len([one for one in receipts if _is_confirmed(ben, one)])
        assert max(counts) <= MOST


def _is_confirmed(home, receipt):
    view = home.view(receipt)
    return view is not None and view.state == "confirmed"


def test_software_signs_few_of_a_sort_in_a_day_and_none_uses_up_anothers():
    """Attacker: anybody who causes answers. Asset: the answers to everybody else."""
    with street() as (ada, ben):
        author = ada.author
        vote, relay = KINDS["vote"], KINDS["relay"]

        def post_relay(n):
            fields = {"key": bytes([n]) * 32, "addresses": b"", "state": "serving"}
            author.write(relay, fields, is_automatic=True)

        for n in range(MOST):
            post_relay(n + 1)
        with pytest.raises(Refused) as caught:
            post_relay(100)
        assert caught.value.rule == "R-03.15j"
        proposals = [ben.post("proposal", title=f"question {n}") for n in range(MOST)]
        settle(ada, ben)
        for one in proposals:
            author.write(vote, {"choice": "yes"}, about=one.id, is_automatic=True)
        author.write(relay, {"key": b"p" * 32, "addresses": b"", "state": "serving"})  # by a person
        ada.street.clock += DAY_MS
        post_relay(101)


def test_no_software_signs_a_kind_that_does_not_say_so():
    with street() as (ada, _), pytest.raises(Refused) as caught:
        ada.author.write(KINDS["offer"], {"title": "x"}, is_automatic=True)
    assert caught.value.rule == "R-10.9d"


# What software writes -----------------------------------------------------------------------------

# What a person has asked for, although software writes the record a little later: a name given when
# joining, an invitation handed out, a certificate, words beside a record of one's own.
ASKED_FOR = {"Profile", "Admit", "Device", "DeviceRecord", "WordsBeside", "Charter"}


def _writes(tree):
    """Yields the calls that write a record of a kind that the code names."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        is_write = node.func.attr in {"write", "writing"} and node.args
        first = node.args[0] if is_write else None
        if isinstance(first, ast.Call) and getattr(first.func, "id", "") == "declared_of":
            yield node, first.args[0].id


def test_whatever_software_signs_by_itself_says_so():
    """Finds the next place: a record of a kind that code names is asked for or automatic."""
    silent = []
    found = 0
    for path in sorted(Path(meshcoop.__file__).parent.rglob("*.py")):
        if "dev" in path.parts:
            continue
        for call, kind in _writes(ast.parse(path.read_text())):
            found += 1
            says_so = any(keyword.arg == "is_automatic" for keyword in call.keywords)
            if not says_so and kind not in ASKED_FOR:
                silent.append(f"{path.name}:{call.lineno} {kind}")
    assert found > len(ASKED_FOR)
    assert silent == []
