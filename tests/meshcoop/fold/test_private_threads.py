"""Hostile private records: homes go on working, whatever was sealed in these records. None of the
hostile records counts.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.fold import content as schema
from protocol.kinds.circles import Circle
from protocol.record import codec
from protocol.record import sealing as seal
from protocol.record.envelope import EPOCH, LASTING, PRIVATE
from tests.support.private_letters import (
    circle,
    letter,
    members,
    people,
    person,
    said,
    sealed,
    seen,
    step,
    told,
)
from tests.support.street_in_memory import settle, street


def put(home, content, **more):
    return home.put(home.forge("message", content=content, audience=PRIVATE, **more))


def unharmed(ada, ben, before):
    """Checks that two homes are unharmed: they agree, show what they showed before, and can still
    talk.
    """
    settle(ada, ben)
    assert ada.state_hash() == ben.state_hash()
    assert (seen(ada)[0], seen(ben)[0]) == before
    knitters = ada.author.private.of_kind(Circle)[0].id
    ada.post("message", ada.store.records.find(knitters).record, text="we go on")
    settle(ada, ben)
    assert said(ben)[-1] == "we go on"


def begun(ada, ben):
    knitters = circle(ada, ben)
    ada.post("message", knitters, text="hello")
    settle(ada, ben)
    return knitters, (seen(ada)[0], seen(ben)[0])


GARBAGE = {
    "nothing": lambda _home, _reader: b"",
    "one byte": lambda _home, _reader: b"\x08",
    "noise": lambda home, _reader: home.street.dice.randbytes(900),
    "no readers": lambda home, reader: b"\0" + sealed(home, b"x", [reader])[1:],
    "255 readers claimed": lambda home, reader: b"\xff" + sealed(home, b"x", [reader])[1:],
    "no cover": lambda home, reader: sealed(home, b"x", [reader], cover=bytes),
    "no value": lambda home, reader: sealed(home, b"\xc1", [reader]),
    "a number": lambda home, reader: sealed(home, codec.pack(7), [reader]),
    "a map": lambda home, reader: sealed(home, codec.pack({"message": 1}), [reader]),
    "no fields": lambda home, reader: sealed(home, codec.pack(["message", None, None]), [reader]),
    "about a number": lambda home, reader: sealed(home, codec.pack(["message", {}, 5]), [reader]),
    "content as elsewhere": lambda home, reader: sealed(
        home, schema.pack_content("offer", {"title": "Bread"}), [reader]
    ),
    "sealed for another place": lambda home, reader: seal.seal_private_content(
        [seal.device_box_key(reader.me.device_seed).public], seal.pad(b"x"), b"elsewhere", bytes(32)
    ),
    "behind a low-order point": lambda home, reader: (
        b"\1" + bytes(32) + sealed(home, b"x", [reader])[33:]
    ),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_under_the_seal_is_harmless(name):
    with street() as (ada, ben):
        _, before = begun(ada, ben)
        put(ben, GARBAGE[name](ben, ada))
        unharmed(ada, ben, before)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_under_the_seal_are_read_or_passed_over(data, covered):
    with street() as (ada, ben):
        ada.take(put(ben, sealed(ben, data, [ada]) if covered else data))
        ada.author.private.threads()


CLAIMS = {
    "an offer": ("offer", {"title": "Bread"}),
    "a charter": ("charter", {"name": "Ours", "founders": [b"x"]}),
    "an admission": ("admit", {"person": bytes(32), "statement": b"x"}),
    "a receipt": ("receipt", {"giver": bytes(32), "receiver": bytes(32), "minutes": 5, "on": "x"}),
    "a page": ("page", {"title": "Ours", "text": "words"}),
    "a kind of tomorrow": ("sermon", {"text": "words"}),
    "a message about nothing": ("message", {"text": "words"}),
    "an accept of nothing": ("accept", {}),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_private_record_that_claims_to_be_something_else_does_not_count(name):
    with street() as (ada, ben):
        _, before = begun(ada, ben)
        kind, fields = CLAIMS[name]
        one = letter(ben, [ada, ben], kind, **fields)
        settle(ada, ben)
        assert told(ada, one) in {"R-10.9", "R-10.8", "R-10.5"}
        assert ada.view(one) is None
        assert ada.state.views.search("words Bread") == []
        unharmed(ada, ben, before)


def test_what_is_private_hangs_from_nothing_that_is_not():
    with street() as (ada, ben):
        knitters, before = begun(ada, ben)
        offer = ada.post("offer", title="Bread")
        response = ben.post("response", offer) if ben.take(offer).stored else None
        ada.take(response)
        hash_before = ada.state_hash()
        inside = letter(ben, [ada, ben], "close", offer, as_state="withdrawn")
        outside = letter(ben, [ada, ben], "message", knitters, header=offer, text="in the clear")
        wrong = letter(ben, [ada, ben], "accept", ada.records()[0])
        settle(ada, ben)
        assert [told(ada, one) for one in (inside, wrong)] == ["R-03.13", "R-03.13"]
        assert told(ada, outside) == "R-15.1"
        assert ada.told(outside) == "R-03.13"
        assert ada.view(offer).state == "open"
        assert ada.state_hash() == ben.state_hash() == hash_before
        unharmed(ada, ben, before)


def test_what_is_not_private_answers_nothing_that_is():
    with street() as (ada, ben):
        knitters, before = begun(ada, ben)
        aloud = ben.put(ben.forge("close", knitters, as_state="withdrawn"))
        talk = ben.put(ben.forge("message", knitters, text="aloud", audience=EPOCH))
        settle(ada, ben)
        assert [ada.told(one) for one in (aloud, talk)] == ["R-03.13", "R-10.9"]
        assert members(ada) == people(ada, ben)
        unharmed(ada, ben, before)


def test_a_private_record_that_says_that_it_lasts_does_not_count():
    with street() as (ada, ben):
        knitters, before = begun(ada, ben)
        audience = PRIVATE | LASTING
        one = letter(ben, [ada, ben], "message", knitters, audience=audience, text="for good")
        settle(ada, ben)
        assert told(ada, one) == "R-15.1"
        unharmed(ada, ben, before)


def test_a_circle_that_names_strangers_has_only_members():
    with street(homes=3) as (ada, ben, cho):
        nobody = [bytes([n]) * 32 for n in range(20)]
        one = letter(cho, [ada, cho], "circle", name="Crowd", members=[*nobody, ada.me.person])
        settle(ada, ben, cho)
        assert members(ada) == people(ada, cho)
        ada.post("message", one, text="who are all these?")
        settle(ada, ben, cho)
        assert said(cho) == ["who are all these?"]


def test_a_stranger_to_a_circle_takes_nobody_in_and_says_nothing():
    with street(homes=3) as (ada, ben, cho):
        knitters, before = begun(ada, ben)
        for after in ([], [knitters.id + bytes(32)], [bytes(64)]):
            one = letter(cho, [ada, ben], "members", knitters, joins=[cho.me.person], after=after)
            settle(ada, ben, cho)
            assert told(ada, one) == "R-15.5"
        word = letter(cho, [ada, ben], "message", knitters, text="let me in")
        settle(ada, ben, cho)
        assert told(ada, word) == "R-15.6"
        unharmed(ada, ben, before)


def test_a_key_that_is_none_is_passed_over_and_the_right_one_still_opens():
    with street(homes=3) as (ada, ben, cho):
        knitters = circle(ada, ben)
        settle(ada, ben, cho)
        letter(ben, [ben, cho], "members", knitters, after=[knitters.id + bytes(32)])
        settle(ada, ben, cho)
        assert cho.author.private.kind_of(knitters.id) is None
        assert step(ben, knitters) == step(ada, knitters)
        ada.post("members", knitters, joins=[person(cho)])
        settle(ada, ben, cho)
        assert members(cho) == people(ada, ben, cho)


def test_ten_thousand_readers_do_not_fit():
    with street() as (ada, ben):
        _, before = begun(ada, ben)
        many = [bytes([n % 256, n // 256]) * 16 for n in range(10_000)]
        with pytest.raises(Refused, match=r"1 to 128 devices.*R-01\.24"):
            seal.seal_private_content(many, b"words", b"", bytes(32))
        with pytest.raises(Refused, match=r"too long.*R-01\.26"):
            letter(ben, [ada], "circle", name="All", members=many)
        crowd = letter(ben, [ada], "circle", name="All", members=many[:300])
        assert ada.take(crowd).stored
        assert told(ada, crowd) == "R-02.2"
        put(ben, b"\x80" + ben.street.dice.randbytes(15_000))
        unharmed(ada, ben, before)


def test_what_this_home_cannot_open_costs_one_product_of_points(monkeypatch):
    with street() as (ada, ben):
        for _ in range(5):
            ada.take(put(ben, b"\x80" + ben.street.dice.randbytes(14_000)))
        products = []
        real = seal.sodium.crypto_scalarmult
        monkeypatch.setattr(
            seal.sodium, "crypto_scalarmult", lambda *of: products.append(of) or real(*of)
        )
        for _ in range(2):  # the second call opens nothing more
            ada.author.private.open_new()
            assert len(products) == 5
        assert ada.author.private.of_kind(Circle) == []


PACTS = {
    "all accept": ("bc", "", "agreed", 0),
    "one accepts": ("b", "", "offered", 1),
    "one declines": ("b", "c declined", "declined", 1),
    "one declines, and all accept": ("bc", "c declined", "agreed", 0),
    "withdrawn": ("b", "a withdrawn", "withdrawn", 1),
    "withdrawn, and declined": ("", "a withdrawn,b declined", "withdrawn", 2),
    "withdrawn, and all accept": ("bc", "a withdrawn", "agreed", 0),
    "ended": ("bc", "b ended", "ended", 0),
    "ended before all accept": ("b", "b ended", "offered", 1),
}


@pytest.mark.parametrize("name", PACTS)
def test_a_pact_has_the_state_that_its_parties_words_give_it(name):
    accepted, closes, state, waiting = PACTS[name]
    with street(homes=4) as (ada, ben, cho, dia):
        homes = {"a": ada, "b": ben, "c": cho}
        parties = [person(ben), person(cho)]
        pact = ada.post("pact", parties=parties, text="We water the roses", minutes="60")
        settle(ada, ben, cho, dia)
        before = ada.balances()
        for who in accepted:
            homes[who].post("accept", pact)
        for close in filter(None, closes.split(",")):
            who, word = close.split()
            # Software would refuse to sign some of these, but other homes still fold them.
            letter(homes[who], [ada, ben, cho], "close", pact, as_state=word)
        settle(ada, ben, cho, dia)
        for home in (ada, ben, cho):
            view = home.author.private.find_view(pact.id)
            assert (view.state, len(view.waiting)) == (state, waiting)
        assert seen(dia) == ([], [])
        assert ada.balances() == before


def test_only_parties_have_a_word_in_a_pact():
    with street(homes=3) as (ada, ben, cho):
        pact = ada.post("pact", parties=[person(ben)], text="a promise")
        settle(ada, ben, cho)
        words = [
            letter(cho, [ada, ben], "accept", pact),
            letter(cho, [ada, ben], "close", pact, as_state="ended"),
            letter(cho, [ada, ben], "pact", parties=[ada.me.person, ben.me.person], text="ours"),
            letter(cho, [ada, ben], "pact", parties=[cho.me.person], text="mine"),
            letter(ada, [ada, ben], "close", pact, as_state="declined"),
        ]
        settle(ada, ben, cho)
        rules = ["R-15.9", "R-14.2", "R-15.8", "R-15.8", "R-14.2"]
        assert [told(ben, one) for one in words] == rules
        assert ben.author.private.find_view(pact.id).state == "offered"
        accept = ben.post("accept", pact)
        for again in (lambda: ben.post("accept", pact), lambda: ada.post("accept", pact)):
            with pytest.raises(Refused, match=r"R-15\.9"):
                again()
        with pytest.raises(Refused, match=r"others rely on the accept.*R-01\.17"):
            ben.post("retract", accept)
        with pytest.raises(Refused, match=r"R-15\.8"):
            ada.post("pact", parties=[], text="alone")


def test_an_accept_countersigns_a_pact_beyond_its_devices_revocation():
    with street(homes=3) as (ada, ben, cho):
        kept = ben.post("pact", parties=[person(ada)], text="kept")
        lost = ben.post("pact", parties=[person(ada)], text="lost")
        settle(ada, ben, cho)
        ada.post("accept", kept)
        ada.write("device", statement=ben.revocation(ben.head.seq - 2))
        settle(ada, ben, cho)
        assert told(ada, kept) is None
        assert told(ada, lost) == "R-03.12"
