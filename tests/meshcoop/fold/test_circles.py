"""Circles: who is a member and who can read which records."""

from dataclasses import replace

import pytest

from protocol.errors import Refused
from protocol.kinds.circles import Circle
from protocol.record.envelope import PRIVATE
from tests.support.private_letters import (
    circle,
    letter,
    members,
    people,
    person,
    said,
    seen,
    step,
    told,
)
from tests.support.street_in_memory import Street, settle, street


def test_who_is_in_a_circle_reads_it_and_nobody_else_knows_of_it():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        settle(ada, ben, cho)
        ben.post("message", knitters, text="at four")
        settle(ada, ben, cho)
        assert said(ada) == said(ben) == ["at four"]
        assert members(ada) == members(ben) == people(ada, ben)
        assert seen(cho) == ([], [])
        assert ada.state_hash() == ben.state_hash() == cho.state_hash()


def test_a_private_record_tells_who_and_when_and_nothing_else():
    with street(homes=4) as (ada, ben, cho, _):
        knitters = circle(ada, ben)
        records = [
            knitters,
            ada.post("message", knitters, text="hello"),
            ada.post("members", knitters, joins=[person(cho)]),
            ada.post("pact", parties=[person(ben)], text="water the roses"),
            ada.post("close", knitters, as_state="withdrawn"),
        ]
        assert {one.header.audience for one in records} == {PRIVATE}
        assert all(one.header.parents == [] for one in records)
        assert len({one.header.size for one in records if one is not records[2]}) == 1
        for one in records:
            for word in (b"circle", b"message", b"Knitters", b"pact", ben.me.person, knitters.id):
                assert word not in one.content


def test_a_newcomer_reads_what_is_said_from_then_on_and_how_the_circle_came_about():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        ada.post("message", knitters, text="before")
        ada.post("members", knitters, joins=[person(cho)])
        ada.post("message", knitters, text="after")
        settle(ada, ben, cho)
        assert said(cho) == ["after"]
        assert said(ben) == ["before", "after"]
        assert members(cho) == members(ben) == people(ada, ben, cho)
        (view,) = cho.author.private.of_kind(Circle)
        assert (view.id, view.name, view.author) == (
            knitters.id,
            "Knitters",
            ada.me.person,
        )


def test_who_was_let_go_reads_nothing_later_and_says_nothing_that_counts():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        cho.post("message", knitters, text="cho was here")
        settle(ada, ben, cho)
        ben.post("members", knitters, leaves=[person(cho)])
        settle(ada, ben, cho)
        later = ada.post("message", knitters, text="later")
        settle(ada, ben, cho)
        assert said(cho) == ["cho was here"]
        assert said(ada) == ["cho was here", "later"]
        assert cho.author.private.kind_of(later.id) is None
        with pytest.raises(Refused, match=r"not in this circle.*R-15\.7"):
            cho.post("message", knitters, text="and now?")
        everybody = (ada, ben, cho)
        word = letter(cho, everybody, "message", knitters, text="still here")
        back = letter(cho, everybody, "members", knitters, joins=[cho.me.person], after=[])
        named = [step(cho, knitters)]
        again = letter(cho, everybody, "members", knitters, joins=[cho.me.person], after=named)
        settle(ada, ben, cho)
        assert [told(ada, one) for one in (word, back, again)] == ["R-15.6", "R-15.5", None]
        assert members(ada) == people(ada, ben)  # the step that removed Cho did not name this step
        assert said(ben) == ["cho was here", "later"]


def test_concurrent_steps_both_hold_and_letting_go_prevails():
    with street(homes=5) as (ada, ben, cho, dia, eli):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        ada.post("members", knitters, leaves=[person(cho)])
        ben.post("members", knitters, joins=[person(dia)])
        cho.post("members", knitters, joins=[person(eli)])
        settle(ada, ben, cho, dia, eli)
        assert members(ada) == members(ben) == people(ada, ben, dia, eli)
        # Ben's step that added Dia did not know that Cho was removed. Dia learns this with the next
        # message.
        assert cho.me.person in members(dia)
        ben.post("message", knitters, text="welcome")
        settle(ada, ben, cho, dia, eli)
        assert members(dia) == members(eli) == members(ada)
        private = dia.post("message", knitters, text="thank you")
        settle(ada, ben, cho, dia, eli)
        assert cho.author.private.kind_of(private.id) is None
        assert said(eli) == ["welcome", "thank you"]


def test_who_was_let_go_can_be_taken_in_again_and_leave():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        ada.post("members", knitters, leaves=[person(cho)])
        settle(ada, ben, cho)
        ben.post("members", knitters, joins=[person(cho)])
        settle(ada, ben, cho)
        assert members(cho) == members(ada) == people(ada, ben, cho)
        cho.post("close", knitters, as_state="withdrawn")
        settle(ada, ben, cho)
        assert members(ben) == people(ada, ben)
        for home in (ada, ben):
            home.post("close", knitters, as_state="withdrawn")
        settle(ada, ben, cho)
        assert [view.state for view in ada.author.private.of_kind(Circle)] == ["ended"]


def test_words_that_were_read_before_their_author_was_let_go_stay_whatever_the_clocks_say():
    """R-15.11: a step removes a member from a circle. The author of the step has already read
    messages by this member. The step's time is then not earlier than the times of these messages,
    even if the member's clock is fast.
    """
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        cho.skew = 8 * 60_000
        cho.post("message", knitters, text="a fast clock")
        settle(ada, ben, cho)
        step_ = ada.post("members", knitters, leaves=[person(cho)])
        settle(ada, ben, cho)
        assert step_.header.time > ada.now()
        assert said(ada) == said(ben) == ["a fast clock"]


def test_software_says_what_would_change_nothing():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        for fields in ({}, {"joins": [person(ben)]}, {"leaves": [person(cho)]}):
            with pytest.raises(Refused, match=r"R-15\.7"):
                ada.post("members", knitters, **fields)
        settle(ada, ben, cho)
        for kind, fields in (("message", {"text": "x"}), ("close", {"as_state": "withdrawn"})):
            with pytest.raises(Refused, match=r"R-10\.5|R-03\.13"):
                cho.post(kind, knitters, **fields)
        offer = ada.post("offer", title="Bread")
        with pytest.raises(Refused, match=r"R-10\.5"):
            ada.post("message", offer, text="x")
        with pytest.raises(Refused, match=r"R-14\.2"):
            ada.post("close", knitters, as_state="ended")


def test_what_was_retracted_is_read_by_nobody_and_gone_from_memory():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        word = ada.post("message", knitters, text="oops")
        settle(ada, ben)
        assert said(ben) == ["oops"]
        ada.post("retract", word)
        settle(ada, ben)
        assert said(ada) == said(ben) == []
        assert ben.author.private.kind_of(word.id) is None
        assert ben.store.records.find(word.id).record.content is None


def test_who_belongs_to_the_neighbourhood_no_more_gets_nothing_more():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben, cho)
        settle(ada, ben, cho)
        known = ada.state.authority
        gone = {one: known.members[one] for one in known.members if one != cho.me.person}
        ada.state.authority_fold.authority = replace(known, members=gone)
        assert members(ada) == people(ada, ben)
        word = ada.post("message", knitters, text="without Cho")
        settle(ada, ben, cho)
        assert ben.author.private.kind_of(word.id) is not None
        assert cho.author.private.kind_of(word.id) is None


def test_a_device_that_was_revoked_opens_nothing_later():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        settle(ada, ben)
        ada.write("device", statement=ben.revocation(ben.head.seq))
        word = ada.post("message", knitters, text="not for the thief")
        settle(ada, ben)
        assert said(ada) == ["not for the thief"]
        assert ben.author.private.kind_of(word.id) is None


def test_a_home_that_starts_again_reads_the_same(tmp_path):
    with Street() as here:
        ada = here.found()
        ben = here.neighbour(ada)
        kept = here.home(ben, *ben.who, path=tmp_path / "store.db")
        kept.feed(ben.wires())
        knitters = circle(ada, ben)
        ada.post("message", knitters, text="hello")
        settle(ada, kept)
        before = seen(kept)
        kept.store.close()
        again = here.home(ben, *ben.who, path=tmp_path / "store.db")
        assert seen(again) == before
        assert said(again) == ["hello"]


def test_words_of_somebody_else_are_opened_some_at_a_time():
    with street() as (ada, ben):
        knitters = circle(ada, ben)
        for n in range(9):
            ada.post("message", knitters, text=str(n))
        ben.feed(ada.wires())
        private = ben.author.private
        assert [private.open_new(4) for _ in range(4)] == [True, True, False, False]
        assert said(ben) == [str(n) for n in range(9)]


def test_a_circle_of_32_with_a_long_message_fits_a_record():
    with Street() as here:
        ada = here.found(room=100, quota_records=1000, quota_bytes=2**30)
        others = [here.person() for _ in range(31)]
        for one in others:
            ada.welcome(one)
        full = ada.post("circle", name="All", members=[one.person.hex() for one in others])
        last = here.home(ada, others[-1])
        words = "\U0001f600" * 2000
        ada.post("message", full, text=words)
        last.feed(ada.wires())
        assert said(last) == [words]
        assert len(members(last)) == 32
        newcomer = here.person()
        ada.welcome(newcomer)
        with pytest.raises(Refused, match=r"at most 32 people.*R-15\.7"):
            ada.post("members", full, joins=[newcomer.person.hex()])
