import itertools
import subprocess
import sys

import pytest

from meshcoop.author.unsigned_ids import unsigned_id
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.fold.thread import Thread
from protocol.record import codec
from protocol.record import sealing as seal
from protocol.record.envelope import EPOCH
from tests.support.street_in_memory import HOUR, Street, by_id, exchange, settle, street


def opened(home, one, field):
    """Decrypts a private field of a record with the devices of `home`. Returns its value."""
    fields = home.state.contents.read(one).fields
    place = seal.private_field_context(
        home.state.neighbourhood, one.header.device, one.header.seq, field
    )
    boxes = [seal.device_box_key(who.device_seed) for who in home.who]
    plain = seal.open_private_content(fields[field], boxes, place)
    return plain and codec.unpack(plain)


def test_every_post_is_one_record_after_the_other():
    with street() as (ada, _):
        before = ada.head
        posted = [ada.post("offer", title=f"offer {n}") for n in range(3)]
        assert [one.header.seq for one in posted] == [before.seq + n for n in (1, 2, 3)]
        assert [one.header.prev for one in posted] == [before.id, posted[0].id, posted[1].id]
        assert all(one.header.audience == EPOCH for one in posted)
        assert b"offer" not in b"".join(one.content for one in posted)


def test_private_words_open_for_both_parties_only():
    with street(homes=3) as (ada, ben, cho):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben, cho)
        response = ben.post("response", offer, text="at nine")
        settle(ada, ben, cho)
        agreement = ada.post("agreement", response)
        settle(ada, ben, cho)
        receipt = ben.post("receipt", agreement, minutes="20", note="lovely")
        settle(ada, ben, cho)
        for one, field, words in ((response, "text", "at nine"), (receipt, "note", "lovely")):
            assert opened(ada, one, field) == opened(ben, one, field) == words
            assert opened(cho, one, field) is None


def test_what_may_be_left_out_is_filled_in():
    with street() as (ada, ben):
        request = ada.post("request", title="A lift", minutes="45", starts="2026-11-18T10:30")
        settle(ada, ben)
        response = ben.post("response", request)
        settle(ada, ben)
        agreement = ada.post("agreement", response)
        view = ada.view(agreement)
        assert (view.giver, view.receiver) == (ben.me.person, ada.me.person)
        assert (view.minutes, view.when) == (45, "2026-11-18T10:30")
        settle(ada, ben)
        receipt = ben.view(ben.post("receipt", agreement))
        assert (receipt.minutes, receipt.on) == (45, "2026-11-18T10:30")


def test_a_receipt_without_a_date_is_of_today_here():
    with street(timezone="Pacific/Kiritimati") as (ada, ben):  # 14 hours ahead of UTC
        offer = ada.post("offer", title="Bread", minutes="5")
        settle(ada, ben)
        response = ben.post("response", offer)
        settle(ada, ben)
        agreement = ada.post("agreement", response)
        settle(ada, ben)
        ada.street.clock -= ada.street.clock % (24 * HOUR) - 37 * HOUR  # 13:00 UTC tomorrow
        receipt = ada.view(ada.post("receipt", agreement))
        utc = ada.street.clock // (24 * HOUR)
        assert receipt.on == _day(utc + 1)


def _day(number):
    from datetime import date, timedelta

    return (date(1970, 1, 1) + timedelta(days=number)).isoformat()


def test_the_author_refuses_above_the_quota_and_stores_nothing():
    with street(quota_records=12) as (_, ben):
        posted = [ben.post("offer", title=f"offer {n}") for n in range(12)]
        before = ben.ids()
        with pytest.raises(Refused, match=r"quota .* try again tomorrow .*R-03\.15"):
            ben.post("offer", title="one too many")
        assert ben.ids() == before
        ben.street.clock += 24 * HOUR
        assert ben.post("offer", title="tomorrow").header.seq == len(posted) + 1


def test_time_never_falls_along_ones_own_log():
    with street() as (ada, ben):
        ada.skew = HOUR // 4
        early = ada.post("offer", title="a fast clock")
        ada.skew = -HOUR // 4
        late = ada.post("offer", title="a slow clock")
        assert late.header.time == early.header.time
        assert ben.take(early, late).refused == []


def test_nobody_writes_from_before_they_belonged():
    with Street() as here:
        ada = here.found()
        ben = here.neighbour(ada)
        since = ada.state.authority.members[ben.me.person].since
        ben.skew = -23 * HOUR
        assert ben.post("offer", title="a slow clock").header.time >= since
        ben.skew = -400 * 24 * HOUR
        with pytest.raises(Refused, match=r"set this machine's clock .*R-03\.32"):
            ben.post("offer", title="a clock that no home would follow")


BAD_POSTS = {
    "an unknown kind": ("sermon", {}),
    "a kind of the software's": ("admit", {"person": "00" * 32}),
    "an unknown field": ("offer", {"title": "x", "colour": "red"}),
    "no title": ("offer", {}),
    "an empty title": ("offer", {"title": ""}),
    "a blank title": ("offer", {"title": "  "}),
    "a title as a number": ("offer", {"title": 7}),
    "121 characters": ("offer", {"title": "x" * 121}),
    "half an hour as text": ("offer", {"title": "x", "minutes": "half an hour"}),
    "negative minutes": ("offer", {"title": "x", "minutes": "-5"}),
    "true minutes": ("offer", {"title": "x", "minutes": True}),
    "a float": ("offer", {"title": "x", "minutes": 1.5}),
    "more than 64 bits": ("offer", {"title": "x", "minutes": 2**70}),
    "17 tags": ("offer", {"title": "x", "tags": ["t"] * 17}),
    "a nested tag": ("offer", {"title": "x", "tags": [["t"]]}),
    "no such day": ("offer", {"title": "x", "starts": "2026-02-30"}),
    "no such hour": ("offer", {"title": "x", "starts": "2026-02-20T25:00"}),
    "Arabic digits": ("offer", {"title": "x", "starts": "٢٠٢٦-١١-٢٣"}),
    "a day with words": ("offer", {"title": "x", "starts": "2026-02-20 at nine"}),
    "a lone surrogate": ("offer", {"title": "x\ud800"}),
    "a lone surrogate in a list": ("offer", {"title": "x", "tags": ["\udfff"]}),
    "a response to nothing": ("response", {}),
    "no beginning": ("activity", {"title": "x"}),
    "minutes that are a list": ("activity", {"starts": "2026-12-01", "minutes": []}),
    "a repeat that is a number": ("activity", {"starts": "2026-12-01", "repeats": 1}),
    "a change that is no change": ("proposal", {"title": "x", "change": [None]}),
    "a map": ("offer", {"title": {"a": 1}}),
    "bytes": ("offer", {"title": b"x"}),
}


@pytest.mark.parametrize("name", BAD_POSTS)
def test_what_cannot_be_posted_is_refused_with_a_sentence(name):
    kind, fields = BAD_POSTS[name]
    with street() as (ada, _):
        before = ada.ids()
        with pytest.raises(Refused) as caught:
            ada.author.post(kind, fields, resolve=by_id)
        assert len(caught.value.reason) > 10
        assert not ada.state.failures.errors
        assert ada.ids() == before


def test_text_is_written_in_the_composed_form():
    with street() as (ada, _):
        offer = ada.post("offer", title="cafe\u0301", tags=["u\u0308ber"])
        assert ada.view(offer).title == "caf\u00e9"
        assert ada.view(offer).tags == ["\u00fcber"]


def test_the_longest_words_of_a_kind_fit_into_one_record():
    faces = "\U0001f600"
    with street() as (ada, ben):
        profile = ada.post(
            "profile",
            name=faces * 80,
            about=faces * 1000,
            assets=[faces * 60] * 16,
            wants=[faces * 60] * 16,
            languages=[faces * 35] * 16,
            affiliation=faces * 80,
            area=faces * 60,
        )
        assert ben.take(profile).stored == [profile]
        assert ben.view(profile).about == faces * 1000


def test_what_has_not_arrived_cannot_be_answered():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        with pytest.raises(Refused, match="not arrived here yet"):
            ben.post("response", offer)
        root = ada.post("offer", title="Milk")
        with pytest.raises(Refused, match=r"R-10\.5"):
            ada.post("offer", root, title="about another")


def test_what_is_ahead_of_the_clock_cannot_be_answered_yet():
    with street() as (ada, ben):
        ada.skew = 2 * HOUR
        offer = ada.post("offer", title="early")
        ben.take(offer)
        for kind, fields in (
            ("response", {}),
            ("close", {"as_state": "withdrawn"}),
            ("retract", {}),
        ):
            with pytest.raises(Refused, match=r"R-03\.13|R-10\.5"):
                ben.post(kind, offer, **fields)


def test_what_does_not_count_cannot_be_built_upon():
    with street(quota_records=10) as (ada, ben):
        over = [ben.put(ben.forge("offer", title=f"offer {n}")) for n in range(12)][-1]
        receipt = ben.put(
            ben.forge(
                "receipt", over, giver=ben.me.person, receiver=ada.me.person, minutes=5, on="x"
            )
        )
        settle(ada, ben)
        for kind, target in (
            ("response", over),
            ("agreement", over),
            ("receipt", over),
            ("confirm", receipt),
            ("confirm", over),
            ("response", receipt),
        ):
            with pytest.raises(Refused):
                ada.post(kind, target)


def test_nothing_is_built_upon_retracted_words():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)
        ada.post("retract", offer)
        settle(ada, ben)
        for kind in ("response", "agreement", "receipt", "confirm"):
            with pytest.raises(Refused):
                ben.post(kind, offer)


def test_only_members_write_and_one_without_a_key_makes_its_own():
    with Street() as here:
        ada = here.found()
        newcomer = here.person()
        stranger = here.home(ada, here.person())
        stranger.feed(ada.wires())
        with pytest.raises(Refused, match=r"R-03\.5"):
            stranger.post("offer", title="x")
        ada.admit(newcomer)
        keyless = here.home(ada, newcomer)
        keyless.feed(ada.wires())
        offer = keyless.post("offer", title="x")
        settle(ada, keyless)
        assert ada.view(offer).title == "x"


def test_a_revoked_device_signs_nothing_that_counts():
    with street() as (ada, ben):
        before = ben.post("offer", title="before")
        ada.write("device", statement=ben.revocation(before.header.seq))
        after = ben.post("offer", title="by the thief")
        settle(ada, ben)
        assert ada.view(before).state == "open"
        assert ada.view(after) is None
        assert ada.told(after) == "R-03.12"
        assert ada.ids() == ben.ids()
        assert ada.state_hash() == ben.state_hash()
        with pytest.raises(Refused, match=r"R-03\."):
            ben.post("offer", title="again")


def test_a_second_device_of_a_person_writes_as_that_person():
    with street() as (ada, ben):
        spare = ada.street.person()
        ben.write("device", statement=ben.certificate(spare))
        settle(ada, ben)
        laptop = ada.street.home(ben, spare)
        laptop.feed(ben.wires())
        from meshcoop.author.key_giving import give_by_record

        give_by_record(ben.author, spare.device, ben.state.ring.all())
        laptop.feed(ben.wires())
        offer = laptop.post("offer", title="from the laptop")
        settle(ada, ben, laptop)
        assert ada.view(offer).author == ben.me.person
        response = ada.post("response", offer, text="for both devices")
        settle(ada, ben, laptop)
        assert opened(ben, response, "text") == opened(laptop, response, "text")


def test_a_household_posts_for_each_of_its_people():
    with Street() as here:
        ada = here.found()
        both = (here.person(), here.person())
        for one in both:
            ada.welcome(one)
        home = here.home(ada, *both)
        home.feed(ada.wires())
        for one in both:
            posted = home.author.post(
                "offer", {"title": "x"}, signer=home.author.signer_of(one.person), resolve=by_id
            )
            assert home.view(posted).author == one.person
        with pytest.raises(Refused, match="no device of that person"):
            home.author.post(
                "offer", {"title": "x"}, signer=home.author.signer_of(ada.me.person), resolve=by_id
            )


def test_software_kinds_are_not_for_people():
    with street() as (ada, _):
        for one in KINDS.values():
            if not one.posted:
                with pytest.raises(Refused, match=r"R-10\.8"):
                    ada.post(one.name)


def test_listeners_hear_of_each_signed_record():
    with street() as (ada, ben):
        heard = []
        ada.author.signed.append(heard.append)
        story = exchange(ada, ben)
        assert heard == [one for one in story if one.header.device == ada.me.device]


def test_nothing_is_signed_into_a_log_that_ended_at_twice_its_quota():
    with street(quota_records=10) as (_, ben):
        for n in range(25):
            ben.take(ben.forge("offer", title=str(n)))
        last = ben.head.seq
        ben.street.clock += 48 * HOUR
        with pytest.raises(Refused) as refused:
            ben.post("offer", title="Bread")
        assert refused.value.rule == "R-03.15c"
        assert ben.head.seq == last


@pytest.mark.parametrize("guess", [bytes(32), b"\xff" * 32, b"\xff" * 24 + (1).to_bytes(8, "big")])
def test_a_record_cannot_name_itself_while_it_is_checked(guess, monkeypatch):
    """A link that takes over from itself would never let the fold end."""
    looks = itertools.count()
    find = Thread.find

    def find_seldom(thread, record_id):
        assert next(looks) < 1000, "the fold never ends"
        return find(thread, record_id)

    monkeypatch.setattr(Thread, "find", find_seldom)
    with street() as (ada, ben):
        service = ada.write("service", title="Bins", provider=ada.me.person)
        with pytest.raises(Refused, match=r"R-21\.4"):
            ada.write("link", service, to=ben.me.person, title="A part", instead=guess)


def test_nobody_guesses_the_ids_of_records_that_are_not_signed_yet():
    program = "from meshcoop.author.unsigned_ids import unsigned_id; print(unsigned_id(7).hex())"
    made = [subprocess.check_output([sys.executable, "-c", program]) for _ in range(2)]
    assert made[0] != made[1]
    assert unsigned_id(1) != unsigned_id(2)
