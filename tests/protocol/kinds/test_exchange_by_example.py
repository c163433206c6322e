"""The kinds of an exchange by example: which entries count, and why other entries do not. The tests
make entries directly, without the bytes of records.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import kinds
from protocol.fold import balance
from protocol.fold import fold as thread
from tests.support.exchange_story import (
    ADA,
    BEN,
    CHO,
    PEOPLE,
    Story,
    agreed,
    authority,
    credits_of,
    receipt_of,
    values_of,
)

assert kinds  # registers every kind


@pytest.mark.parametrize("kind", ["offer", "request"])
def test_an_exchange_goes_from_open_to_done(kind):
    story, root, response, agreement, terms = agreed(kind)
    assert story.state(root) == "agreed"
    assert story.state(response) == "accepted"
    assert story.view(response).agreement == agreement.id
    receipt = receipt_of(story, agreement, terms)
    assert (story.state(agreement), story.state(receipt)) == ("agreed", "proposed")
    assert story.counted() == {}
    story.says(ADA, "confirm", receipt)
    states = [story.state(one) for one in (root, response, agreement, receipt)]
    assert states == ["done", "accepted", "done", "confirmed"]
    assert story.counted() == {receipt.id: 60}
    assert story.view(agreement).receipts == [
        {"id": receipt.id, "state": "confirmed", "minutes": 60, "on": "2026-12-01"}
    ]


def test_nobody_responds_to_themselves():
    story = Story()
    root = story.says(ADA, "offer", title="x")
    own = story.says(ADA, "response", root)
    assert story.told(own) == "R-13.3"
    assert story.view(own) is None


def test_only_the_intents_author_agrees():
    story, _, response, _, terms = agreed()
    for who in (BEN, CHO):
        wrong = story.says(who, "agreement", response, **terms)
        assert story.told(wrong) == "R-13.6"


@pytest.mark.parametrize(
    "other",
    [
        {"minutes": 61},
        {"minutes": None},
        {"when": "2026-12-02"},
        {"giver": BEN, "receiver": ADA},
        {"giver": CHO},
        {"giver": ADA, "receiver": ADA},
    ],
)
def test_an_agreement_on_other_terms_does_not_count(other):
    story, _, response, _, terms = agreed()
    wrong = story.says(ADA, "agreement", response, **(terms | other))
    assert story.told(wrong) == "R-13.6"
    assert story.view(wrong) is None


def test_one_does_not_agree_with_oneself():
    story = Story()
    root = story.says(ADA, "offer", title="x")
    own = story.says(ADA, "response", root)
    terms = {"giver": ADA, "receiver": BEN}
    assert story.told(story.says(ADA, "agreement", own, **terms)) == "R-13.3"


def test_a_third_person_writes_no_receipt():
    story, _, _, agreement, terms = agreed()
    assert story.told(receipt_of(story, agreement, terms, who=CHO)) == "R-13.9"


@pytest.mark.parametrize(
    "parties",
    [
        {"giver": BEN, "receiver": ADA},
        {"giver": CHO},
        {"receiver": CHO},
        {"giver": BEN, "receiver": BEN},
    ],
)
def test_a_receipt_is_between_the_parties_of_its_agreement(parties):
    story, _, _, agreement, terms = agreed()
    assert story.told(receipt_of(story, agreement, terms, **parties)) == "R-13.9"


def test_nobody_confirms_their_own_receipt():
    story, _, _, agreement, terms = agreed()
    receipt = receipt_of(story, agreement, terms)
    for who in (BEN, CHO):
        assert story.told(story.says(who, "confirm", receipt)) == "R-13.12"
    assert story.state(receipt) == "proposed"
    assert story.counted() == {}


def test_a_receipt_that_does_not_count_cannot_be_confirmed():
    story, _, _, agreement, terms = agreed()
    receipt = receipt_of(story, agreement, terms, who=CHO)
    for who in PEOPLE:
        assert story.told(story.says(who, "confirm", receipt)) == "R-13.12"


def test_of_several_confirmed_receipts_the_first_counts():
    story, _, _, agreement, terms = agreed()
    receipts = [receipt_of(story, agreement, terms, minutes=n) for n in (30, 40, 50)]
    for one in reversed(receipts[1:]):
        story.says(ADA, "confirm", one)
    assert story.counted() == {receipts[1].id: 40}
    assert [story.view(one).duplicate for one in receipts] == [False, False, True]
    story.says(ADA, "confirm", receipts[0])
    assert story.counted() == {receipts[0].id: 30}


def test_what_repeats_counts_once_an_occurrence():
    story, _, _, agreement, terms = agreed(repeats="FREQ=WEEKLY")
    days = ["2026-12-01", "2026-12-08", "2026-12-08"]
    receipts = [receipt_of(story, agreement, terms, on=day) for day in days]
    for one in receipts:
        story.says(ADA, "confirm", one)
    assert story.counted() == {receipts[0].id: 60, receipts[1].id: 60}


def test_a_dispute_comes_from_the_other_party_and_a_confirm_settles_it():
    story, _, _, agreement, terms = agreed()
    receipt = receipt_of(story, agreement, terms)
    for who in (BEN, CHO):
        assert story.told(story.says(who, "close", receipt, as_state="disputed")) == "R-14.2"
    story.says(ADA, "close", receipt, as_state="disputed")
    assert story.state(receipt) == "disputed"
    assert story.counted() == {}
    story.says(ADA, "confirm", receipt)
    assert story.state(receipt) == "confirmed"


@pytest.mark.parametrize(("who", "response_state"), [(ADA, "declined"), (BEN, "withdrawn")])
def test_either_party_cancels_an_agreement_and_the_intent_is_open_again(who, response_state):
    story, root, response, agreement, _ = agreed()
    stranger = story.says(CHO, "close", agreement, as_state="cancelled")
    assert story.told(stranger) == "R-14.2"
    assert story.state(agreement) == "agreed"
    story.says(who, "close", agreement, as_state="cancelled")
    assert story.state(agreement) == "cancelled"
    assert story.state(response) == response_state
    assert story.state(root) == "open"


def test_what_is_done_is_not_cancelled_any_more():
    story, _, _, agreement, terms = agreed()
    receipt = receipt_of(story, agreement, terms)
    story.says(ADA, "confirm", receipt)
    story.says(BEN, "close", agreement, as_state="cancelled")
    assert story.state(agreement) == "done"
    assert story.counted() == {receipt.id: 60}


@pytest.mark.parametrize(
    ("target", "who", "word"),
    [
        ("root", BEN, "withdrawn"),
        ("root", ADA, "declined"),
        ("root", ADA, "cancelled"),
        ("root", ADA, "disputed"),
        ("response", ADA, "withdrawn"),
        ("response", BEN, "declined"),
        ("response", CHO, "declined"),
        ("agreement", ADA, "withdrawn"),
        ("agreement", CHO, "cancelled"),
    ],
)
def test_each_word_of_closing_is_for_those_whose_it_is(target, who, word):
    story, root, response, agreement, _ = agreed()
    about = {"root": root, "response": response, "agreement": agreement}[target]
    before = story.values()
    assert story.told(story.says(who, "close", about, as_state=word)) == "R-14.2"
    assert story.values() == before


def test_words_of_ones_own_can_be_taken_back():
    story = Story()
    root = story.says(ADA, "offer", title="x")
    response = story.says(BEN, "response", root)
    story.says(ADA, "close", response, as_state="declined")
    assert story.state(response) == "declined"
    story.says(BEN, "close", response, as_state="withdrawn")
    assert story.state(response) == "withdrawn"
    story.says(ADA, "close", root, as_state="withdrawn")
    assert story.state(root) == "withdrawn"


def test_places_fill_up_one_agreement_at_a_time():
    story = Story()
    root = story.says(ADA, "request", title="x", places=2)
    for n, who in enumerate((BEN, CHO)):
        assert story.state(root) == "open"
        response = story.says(who, "response", root)
        story.says(ADA, "agreement", response, giver=who, receiver=ADA)
        assert len(story.view(root).responses) == n + 1
    assert story.state(root) == "agreed"


def test_a_kind_in_the_wrong_place_does_not_count():
    story, root, response, agreement, terms = agreed()
    wrong = [
        story.says(CHO, "response", agreement),
        story.says(ADA, "agreement", root, **terms),
        receipt_of(story, response, terms),
        story.says(ADA, "confirm", agreement),
        story.says(ADA, "offer", root, title="x"),
        story.says(ADA, "profile", root, name="x"),
    ]
    for one in wrong:
        assert story.told(one) == "R-10.5"
        assert story.view(one) is None


def test_something_newer_is_told_and_changes_nothing():
    story, root, _, _, _ = agreed()
    before = story.values()
    newer = story.says(CHO, "applause", root, volume=11)
    assert story.told(newer) == "R-10.8"
    assert story.values() == before


def test_a_retraction_leaves_a_mark_and_takes_only_ones_own_words():
    story, root, response, agreement, terms = agreed()
    receipt = receipt_of(story, agreement, terms)
    story.says(ADA, "confirm", receipt)
    for who, target in ((BEN, root), (CHO, response), (ADA, agreement), (BEN, receipt)):
        assert story.told(story.says(who, "retract", target)) == "R-01.17"
    story.says(BEN, "retract", response)
    story.says(ADA, "retract", root)
    views = story.fold().views
    assert views[root.id].state == views[response.id].state == "retracted"
    assert "title" not in vars(views[root.id])
    assert story.counted() == {receipt.id: 60}


def test_erased_and_not_yet_erased_words_fold_alike():
    story, root, response, _, terms = agreed()
    story.says(ADA, "agreement", response, **(terms | {"minutes": 600}))
    story.says(BEN, "retract", response)
    story.says(ADA, "retract", root)
    erased = [
        one._replace(kind=None, fields={}) if one in (root, response) else one
        for one in story.entries
    ]
    assert values_of(thread.fold_thread(erased, authority())) == story.values()


def test_a_revoked_devices_receipt_counts_only_where_the_other_signed():
    story, _, _, agreement, terms = agreed()
    receipts = [receipt_of(story, agreement, terms, minutes=n) for n in (30, 40)]
    story.says(ADA, "confirm", receipts[1])
    revoked = {BEN: 1}
    assert story.view(receipts[0], revoked=revoked) is None
    assert story.told(receipts[0], revoked=revoked) == "R-03.12"
    assert story.state(receipts[1], revoked=revoked) == "confirmed"
    assert story.counted(revoked=revoked) == {receipts[1].id: 40}


def test_mere_naming_does_not_make_a_revoked_devices_words_stand():
    story = Story()
    root = story.says(BEN, "offer", title="x")
    story.says(ADA, "response", root)
    assert story.view(root, revoked={BEN: 0}) is None
    assert story.view(root, forks={BEN: 1}) is None


def test_a_response_both_have_signed_outlives_a_fork_of_its_log():
    story, root, response, agreement, _ = agreed()
    forks = {BEN: 1}
    assert story.state(response, forks=forks) == "accepted"
    assert story.state(agreement, forks=forks) == "agreed"
    assert story.state(root, forks=forks) == "agreed"


def test_a_thread_deeper_than_pythons_stack_folds():
    story, _, _, agreement, terms = agreed()
    last = receipt_of(story, agreement, terms)
    for n in range(3000):
        last = story.says((ADA, BEN)[n % 2], "confirm", last)
    assert len(story.fold(revoked={ADA: 2, BEN: 1}).history) == len(story.entries)


def test_a_gap_in_a_thread_is_told():
    story, _, response, agreement, _ = agreed()
    story.entries.remove(response)
    assert story.told(agreement) == "R-03.13"


@st.composite
def wild_stories(draw):
    """Draws a random story. Anybody may post a record of any kind about any other record, at any
    time.
    """
    story = Story()
    story.says(ADA, draw(st.sampled_from(["offer", "request"])), title="x", places=1)
    for _ in range(draw(st.integers(0, 12))):
        who = draw(st.sampled_from(PEOPLE))
        about = draw(st.sampled_from(story.entries))
        kind = draw(
            st.sampled_from(
                ["response", "agreement", "receipt", "confirm", "close", "retract", "offer"]
            )
        )
        parties = {
            "giver": draw(st.sampled_from((ADA, BEN))),
            "receiver": draw(st.sampled_from((ADA, BEN))),
        }
        more = {
            "agreement": parties,
            "receipt": parties | {"minutes": draw(st.integers(1, 90)), "on": "2026-12-01"},
            "close": {
                "as_state": draw(
                    st.sampled_from(["withdrawn", "declined", "cancelled", "disputed"])
                )
            },
            "offer": {"title": "x"},
        }.get(kind, {})
        story.says(who, kind, about, time=draw(st.integers(1, 6)), **more)
    return story


def told(folded):
    return [(one.entry, one.refusal and str(one.refusal)) for one in folded.history]


FAULTS = st.dictionaries(st.sampled_from(PEOPLE), st.integers(1, 6), max_size=2)


@settings(deadline=None, max_examples=100)
@given(wild_stories(), FAULTS, FAULTS, st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_views_and_every_balance_has_two_sides(
    story, forks, revoked, dice
):
    folded = story.fold(forks=forks, revoked=revoked)
    shuffled = list(story.entries)
    dice.shuffle(shuffled)
    again = thread.fold_thread([*shuffled, *shuffled[:3]], authority(forks=forks, revoked=revoked))
    assert values_of(again) == values_of(folded)
    assert told(again) == told(folded)
    counted = credits_of(folded)
    assert sum(one.balance for one in balance.sum_balances(counted).values()) == 0
    for one in counted:
        confirms = [e for e in story.entries if e.kind == "confirm" and e.about == one.id]
        assert {one.giver, one.receiver} == {
            next(e.person for e in story.entries if e.id == one.id),
            *(e.person for e in confirms if e.person in {one.giver, one.receiver}),
        }


@settings(deadline=None, max_examples=75)
@given(wild_stories(), FAULTS)
def test_no_fork_of_the_writers_log_undoes_what_the_other_confirmed(story, forks):
    for one in story.entries:
        if one.kind == "receipt" and story.state(one) == "confirmed":
            others = {name: at for name, at in forks.items() if name == one.person}
            assert story.state(one, forks=others) == "confirmed"
            assert story.state(one, revoked=others) == "confirmed"
