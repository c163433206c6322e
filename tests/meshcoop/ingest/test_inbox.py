from itertools import count, islice

import pytest

from meshcoop.author.automatic import Countersigner
from meshcoop.fold.open_records import read_authority_record
from meshcoop.ingest.inbox import Inbox
from protocol.errors import Refused
from protocol.fold import content as schema
from protocol.fold.registry import KINDS
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record.envelope import OPEN
from tests.support.street_in_memory import HOUR, Street, exchange, settle, street


def test_a_gap_waits_outside_the_store_and_is_placed_later():
    with street() as (ada, ben):
        three = [ada.post("offer", title=f"offer {n}") for n in range(3)]
        taken = ben.take(three[2], three[1])
        assert taken.stored == []
        assert taken.devices_with_gaps == {ada.me.device}
        assert len(ben.inbox.pool) == 2
        assert [one.id for one in ben.take(three[0]).stored] == [one.id for one in three]
        assert len(ben.inbox.pool) == 0
        assert ben.ids() == ada.ids()
        assert ben.state_hash() == ada.state_hash()


def test_an_unknown_author_waits_and_is_placed_when_admitted():
    with Street() as here:
        ada = here.found()
        newcomer = here.person()
        before = ada.wires()
        ada.welcome(newcomer)
        ben = here.home(ada, newcomer)
        ben.feed(ada.wires())
        profile = ben.post("profile", name="Ben")
        cho = here.twin(ada)
        cho.feed(before)
        assert cho.take(profile).stored == []
        assert len(cho.inbox.pool) == 1
        cho.feed(ada.wires())
        assert cho.store.records.has(profile.id)
        assert len(cho.inbox.pool) == 0
        assert cho.ids() == ben.ids()


def test_who_was_admitted_by_a_fast_clock_belongs_at_once():
    with Street() as here:
        ada = here.found()
        newcomer = here.person()
        ada.skew = 2 * HOUR
        ada.welcome(newcomer)
        ben = here.home(ada, newcomer)
        ben.skew = 2 * HOUR
        ben.feed(ada.wires())
        ben.post("profile", name="Ben")
        cho = here.twin(ada)
        cho.feed(ada.wires())
        cho.feed(ben.wires())
        assert newcomer.person in cho.state.authority.members
        assert len(cho.inbox.pool) == 0
        assert cho.ids() == ben.ids()
        here.clock += 2 * HOUR
        cho.state.fold_due()
        assert cho.state_hash() == ben.state_hash()


def test_the_same_records_again_change_nothing():
    with street() as (ada, ben):
        exchange(ada, ben)
        before = ben.ids(), ben.state_hash()
        taken = ben.feed(ada.wires() * 2)
        assert (taken.stored, taken.refused, taken.devices_with_gaps) == ([], [], set())
        assert (ben.ids(), ben.state_hash()) == before


def test_a_batch_with_one_bad_record_keeps_the_good_ones():
    with street() as (ada, ben):
        one, two = (ada.post("offer", title=f"offer {n}") for n in range(2))
        broken = two._replace(signature=bytes(64))
        taken = ben.feed([b"garbage", one.wire, broken.wire, two.wire])
        assert taken.stored == [one, two]
        assert len(taken.refused) == 2


def test_a_record_of_another_neighbourhood_is_refused():
    with street(seed=1) as (ada, _), street(seed=2) as (ben, _):
        taken = ben.take(*ada.records())
        assert taken.stored == []
        assert len(taken.refused) == len(ada.records())


def test_listeners_hear_of_what_is_safe_already():
    with street() as (ada, ben):
        heard = []
        ben.inbox.listeners.append(
            lambda taken: heard.extend(
                (one.id, ben.store.records.has(one.id)) for one in taken.stored
            )
        )
        offer = ada.post("offer", title="Bread")
        ben.take(offer)
        ben.take(offer)
        assert heard == [(offer.id, True)]


def test_a_record_that_names_another_before_it_is_refused_and_asks_for_a_round():
    with street() as (ada, ben):
        wrong = ada.forge("offer", title="x", seq=ada.head.seq + 1, prev=b"q" * 32)
        taken = ben.take(wrong)
        assert taken.stored == []
        assert taken.refused[0].rule == "R-01.12"
        assert taken.devices_with_gaps == {ada.me.device}


def test_time_that_falls_along_a_log_is_refused():
    with street() as (ada, ben):
        head = ada.head
        taken = ben.take(ada.forge("offer", title="x", time=head.time - 1))
        assert taken.refused[0].rule == "R-01.13"
        assert ben.take(ada.forge("offer", title="x", time=head.time)).stored


# Quotas ------------------------------------------------------------------------------------------


def flood(home, count):
    return [home.put(home.forge("offer", title=f"spam {n}")) for n in range(count)]


def test_what_exceeds_the_quota_is_stored_and_not_folded():
    with street(quota_records=10) as (ada, ben):
        spam = flood(ben, 15)
        settle(ada, ben)
        views = [one for one in spam if ada.view(one)]
        assert views == spam[:10]
        assert ada.ids() == ben.ids()
        assert ada.told(spam[12]) == "R-03.15"


def test_the_first_record_past_twice_the_quota_ends_the_log():
    with street(quota_records=10) as (ada, ben):
        spam = flood(ben, 21)
        taken = ben.take(ben.forge("offer", title="one more"))
        assert taken.stored == []
        assert taken.refused[0].rule == "R-03.15"
        settle(ada, ben)
        assert ada.store.logs.find(ben.me.device).head.seq == len(spam)
        ada.street.clock += 48 * HOUR  # one more day does not let the log go on
        assert ada.take(ben.forge("offer", title="tomorrow")).stored == []


def test_the_quota_is_by_the_claimed_day():
    with street(quota_records=10) as (_, ben):
        spam = flood(ben, 10)
        ben.street.clock += 24 * HOUR
        fresh = ben.put(ben.forge("offer", title="a new day"))
        assert all(ben.view(one) for one in [*spam, fresh])


def test_what_software_signs_by_itself_is_counted_apart_with_the_same_room():
    with street(quota_records=10) as (ada, ben):
        confirm = KINDS["confirm"].audience_code | record.AUTOMATIC
        offer = ada.put(ada.forge("offer", title="answered"))
        ben.take(offer)
        automatic = [ben.put(ben.forge("confirm", offer, audience=confirm)) for _ in range(12)]
        spam = flood(ben, 12)
        settle(ada, ben)
        over = [one for one in [*automatic, *spam] if ada.store.records.find(one.id).over]
        assert over == [*automatic[10:], *spam[10:]]
        log = ada.store.logs.find(ben.me.device)
        assert (log.by_software.records, log.by_person.records) == (12, 12)
        before = ada.state_hash()
        list(ada.inbox.recount_in_steps())
        assert ada.state_hash() == before
        assert [one for one in [*automatic, *spam] if ada.store.records.find(one.id).over] == over


def test_too_many_automatic_records_end_the_log_like_others():
    with street(quota_records=10) as (_, ben):
        confirm = KINDS["confirm"].audience_code | record.AUTOMATIC
        offer = ben.put(ben.forge("offer", title="answered"))
        for _ in range(21):
            ben.put(ben.forge("confirm", offer, audience=confirm))
        assert ben.take(ben.forge("offer", title="one more")).stored == []


@pytest.mark.parametrize("declared", KINDS.values(), ids=lambda declared: declared.name)
def test_only_kinds_that_say_so_fold_when_software_signed_them_by_itself(declared):
    """Attacker: a member. Asset: the room of the neighbours' stores. Each kind with a lane of its
    own would give everybody the room twice.
    """
    automatic = declared.audience_code | record.AUTOMATIC
    assert declared.fits_audience(declared.audience_code)
    assert declared.fits_audience(automatic) == (declared.automatic_a_day > 0)
    with street() as (ada, _):
        content = schema.pack_content(declared.name, declared.view_type.example)
        one = ada.forge(declared.name, content=content, audience=automatic)
        if not declared.is_private:
            fault = ada.state.contents.read(one).fault
            refused = fault.rule if fault is not None else None
            assert (refused == "R-10.9d") == (declared.automatic_a_day == 0)
            act = read_authority_record(one, ada.state.neighbourhood)
            assert act is None or declared.automatic_a_day > 0


def test_bytes_count_by_the_signed_length_even_when_the_content_is_gone():
    with street(quota_bytes=16_384) as (ada, ben):
        long = [ben.put(ben.forge("offer", title="x", text="y" * 2000)) for _ in range(9)]
        bare = [one._replace(content=None) for one in long]
        ada.take(*bare)
        ada.inbox.ingest_contents([(one.id, one.content) for one in long])
        assert ada.state_hash() == ben.state_hash()
        assert [one for one in long if ada.view(one)] == long[:7]


# Forks -------------------------------------------------------------------------------------------


def fork(home, *titles):
    """Forks a home's log: each copy of the home posts an offer that is signed by the same key and
    has the same number in the log.

    Returns the offers. There is one for each title.
    """
    twins = [home.street.twin(home) for _ in titles]
    for one in twins:
        one.feed(home.wires())
    return [one.post("offer", title=title) for one, title in zip(twins, titles, strict=True)]


def test_a_fork_keeps_the_two_lowest_ids_as_proof_in_any_order():
    with street() as (ada, ben):
        forks = fork(ben, "a", "b", "c", "d")
        lowest = sorted(one.id for one in forks)[:2]
        for order in (forks, forks[::-1], forks[2:] + forks[:2]):
            home = ada.street.twin(ada)
            home.feed(ada.wires())
            home.take(*order)
            assert [one.id for one in forks if home.store.records.has(one.id)] == [
                one.id for one in forks if one.id in lowest
            ]
            assert home.store.logs.find(ben.me.device).fork == forks[0].header.seq
            assert not any(home.view(one) for one in forks)


def test_a_fork_keeps_what_another_has_named_and_folds_it_only_if_countersigned():
    with street(homes=3) as (ada, ben, cho):
        first = ben.post("offer", title="before the fork")
        base = ben.wires()
        answered = ben.post("offer", title="answered")
        settle(ada, ben, cho)
        response = cho.post("response", answered)
        settle(ada, ben, cho)
        twin = ben.street.twin(ben)
        twin.feed(base)
        others = [twin.post("offer", title=f"other {n}") for n in range(3)]
        settle(ada, ben, cho, twin)
        assert ada.store.records.has(answered.id)
        assert ada.view(answered) is None
        assert ada.told(answered) == "R-03.12"
        assert ada.store.records.has(response.id)
        assert ada.view(first).state == "open"
        assert sum(ada.store.records.has(one.id) for one in others) <= 2
        assert ada.ids() == ben.ids() == cho.ids() == twin.ids()
        assert ada.state_hash() == ben.state_hash() == cho.state_hash() == twin.state_hash()


def test_the_author_of_a_forked_log_signs_nothing_more():
    with street() as (_, ben):
        forks = fork(ben, "a", "b")
        ben.take(*forks)
        with pytest.raises(Refused, match=r"R-03\.32"):
            ben.post("offer", title="after the fork")


def test_a_confirmed_receipt_survives_a_late_fork_of_its_authors_log():
    with street() as (ada, ben):
        base = ben.wires()
        *_, receipt, _ = exchange(ada, ben)
        before = ada.balances()
        assert before == {ada.me.person: 90, ben.me.person: -90}
        twin = ben.street.twin(ben)
        twin.feed(base)
        twin.post("offer", title="an old place in the log")
        settle(ada, ben, twin)
        assert ada.view(receipt).state == "confirmed"
        assert ada.balances() == ben.balances() == twin.balances() == before


def test_a_confirmed_receipt_survives_a_late_fork_of_the_confirming_log():
    """The receipt survives if its author's software has already confirmed the other person's
    confirm (R-13.15).
    """
    with street() as (ada, ben):
        base = ada.wires()
        *_, receipt, confirm = exchange(ada, ben)
        Countersigner(ben.author).run()
        settle(ada, ben)
        before = ada.balances()
        assert before == {ada.me.person: 90, ben.me.person: -90}
        twin = ada.street.twin(ada)
        twin.feed(base)
        for n in range(3):
            twin.post("offer", title=f"an old place in the log {n}")
        settle(ada, ben, twin)
        for home in (ada, ben, twin):
            assert home.store.logs.find(ada.me.device).fork is not None
            assert home.store.records.has(confirm.id)
            assert home.view(receipt).state == "confirmed"
            assert home.balances() == before
        assert ada.state_hash() == ben.state_hash() == twin.state_hash()


def test_a_confirm_is_countersigned_once():
    with street() as (ada, ben):
        exchange(ada, ben)
        for home in (ada, ben, ben):
            Countersigner(home.author).run()
        signer = Countersigner(ben.author)
        signer.run()
        signer.run()
        settle(ada, ben)
        for home in (ada, ben):
            Countersigner(home.author).run()
        assert ada.ids() == ben.ids()
        lasting = [one for one in ben.records() if one.header.device == ben.me.device]
        assert len(lasting) == 3  # response, receipt, one countersignature


def test_a_fork_may_take_what_waits_to_be_countersigned():
    with street(homes=3) as (ada, ben, cho):
        ghost = ada.forge("receipt", giver=ada.me.person, receiver=ben.me.person, minutes=5)
        base = cho.forge("offer", title="base")
        ben.take(base)
        place = {"seq": base.header.seq + 1, "prev": base.id}
        waiting = cho.forge("confirm", ghost, **place)
        ben.take(waiting)
        signer = Countersigner(ben.author)
        signer.run()
        last = ben.store.records.find(waiting.id).n
        lower = (cho.forge("offer", title=f"other {n}", **place) for n in count())
        forks = [next(one for one in lower if one.id < waiting.id) for _ in range(2)]
        ben.take(*forks)
        assert not ben.store.records.has(waiting.id)
        signer.run()
        ben.post("offer", title="afterwards")
        rows = [ben.store.records.find(one.id).n for one in ben.records() if one.header.seq > 1]
        assert last not in rows  # a reader who stopped at this number would miss a new record


def test_what_somebody_named_is_kept_with_all_that_it_hangs_from():
    """Some records of the forked log form a chain, in which each record answers the one before.
    Somebody has named the last record of the chain. Homes keep the whole chain.
    """
    with street(homes=3) as (ada, ben, cho):
        base = ben.wires()
        root = ben.put(ben.forge("request", title="kept"))
        loose = ben.put(ben.forge("offer", title="dropped"))
        child = ben.put(ben.forge("close", root, as_state="withdrawn"))
        settle(ada, ben, cho)
        names = cho.put(cho.forge("retract", child))
        settle(ada, ben, cho)
        twin = ben.street.twin(ben)
        twin.feed(base)
        lower = (one for one in _forks(twin) if one.id < root.id)
        forks = [next(lower), next(lower)]
        for home in (ada, cho):
            home.take(*forks)
            assert not home.store.records.has(loose.id)
            roots = {home.store.records.find(one.id).root for one in (root, child, names)}
            assert roots == {home.store.records.find(root.id).n}
            before = home.state_hash()
            home.state.rebuild()
            assert home.state_hash() == before
        settle(ada, cho)
        assert ada.ids() == cho.ids()
        late = ada.street.twin(ada)
        settle(cho, late)
        assert late.ids() == cho.ids()


def _forks(twin):
    for n in range(1000):
        yield twin.forge("offer", title=f"fork {n}")


def test_quotas_do_not_tell_homes_apart_that_heard_of_a_fork_early_or_late():
    with street(homes=3, quota_records=10) as (ada, ben, cho):
        base = ben.wires()
        agreement_of = flood(ben, 12)  # the last two lie above the quota
        ada.feed(ben.wires())
        named = ada.put(ada.forge("response", agreement_of[-1]))
        receipt = ben.put(_receipt(ben, ada, named))
        ada.take(receipt)
        confirm = ada.put(ada.forge("confirm", receipt))
        forks = list(islice(_forks(_fed(ben, base)), 2))
        early, late = _fed(cho, base), _fed(cho, base)
        late.feed([*ada.wires(), *ben.wires()])
        late.take(*forks)
        early.take(*forks)
        settle(early, late)
        assert early.store.records.has(confirm.id)
        assert early.ids() == late.ids()
        assert early.state_hash() == late.state_hash()
        assert early.balances() == late.balances()


def _fed(home, wires):
    twin = home.street.twin(home)
    twin.feed(wires)
    return twin


def _receipt(home, other, about):
    """Makes a receipt by `home` which says that `other` gave an hour. The receipt may be about any
    record.
    """
    return home.forge(
        "receipt",
        about,
        giver=other.me.person,
        receiver=home.me.person,
        minutes=60,
        on="2026-11-23",
    )


def test_a_log_that_ended_and_forks_is_the_same_for_all():
    with street(homes=3, quota_records=10) as (ada, ben, cho):
        base = ben.wires()
        flood(ben, 20)
        ended = ben.wires()
        head = ben.head
        beyond = ben.forge("offer", title="past the end", seq=head.seq + 2, prev=b"p" * 32)
        named = cho.put(cho.forge("response", beyond))
        forks = list(islice(_forks(_fed(ben, base)), 2))
        early, late = _fed(ada, base), _fed(ada, base)
        late.feed(ended)
        late.take(ben.forge("offer", title="the one that ends it"))
        for home in (early, late):
            home.take(*forks)
            home.take(named)
            home.take(beyond)
        settle(early, late)
        assert early.ids() == late.ids()


# Clocks ------------------------------------------------------------------------------------------


def test_a_record_ahead_of_the_clock_is_stored_at_once_and_folds_when_due():
    with street() as (ada, ben):
        ada.skew = 3 * HOUR
        offer = ada.post("offer", title="early")
        ben.take(offer)
        assert ben.store.records.has(offer.id)
        assert ben.view(offer) is None
        ben.street.clock += 2 * HOUR
        ben.state.fold_due()
        assert ben.view(offer) is None
        ben.street.clock += HOUR
        ben.state.fold_due()
        assert ben.view(offer).title == "early"
        assert ben.state_hash() == ada.state_hash()


def test_an_answer_to_what_is_still_ahead_of_the_clock_waits_with_it():
    with street(homes=3) as (ada, ben, cho):
        ada.skew, ben.skew = 60 * 60_000, 55 * 60_000
        offer = ada.post("offer", title="early")
        ben.take(offer)
        response = ben.post("response", offer)
        ada.take(response)
        agreement = ada.put(ada.forge("agreement", response, **_terms(ada, ben)))
        cho.skew = 45 * 60_000
        cho.take(offer, response, agreement)
        assert cho.view(offer) is None
        assert cho.view(response) is None
        cho.state.rebuild()
        cho.street.clock += HOUR
        cho.state.fold_due()
        ada.state.fold_due()
        assert cho.view(response).state == "accepted"
        assert cho.state_hash() == ada.state_hash()


def _terms(giver, receiver):
    return {"giver": giver.me.person, "receiver": receiver.me.person}


# Content and its erasure -------------------------------------------------------------------------


def test_content_that_is_missing_is_asked_for_and_folds_when_it_comes():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        ben.take(offer._replace(content=None))
        assert ben.absent() == [offer.id]
        assert ben.view(offer) is None
        ben.inbox.ingest_contents([(offer.id, b"something else"), (b"unknown", b"x")])
        assert ben.absent() == [offer.id]
        ben.inbox.ingest_contents([(offer.id, offer.content)])
        assert ben.absent() == []
        assert ben.view(offer).title == "Bread"
        assert ben.state_hash() == ada.state_hash()


def test_an_admission_whose_content_comes_late_lets_the_newcomer_in():
    with Street() as here:
        ada = here.found()
        newcomer = here.person()
        ada.welcome(newcomer)
        ben = here.home(ada, newcomer)
        ben.feed(ada.wires())
        ben.post("profile", name="Ben")
        cho = here.twin(ada)
        admit = next(
            one for one in ada.records() if one.content and one.content[1:7] == b"\xa5admit"
        )
        cho.take(*(one._replace(content=None) if one == admit else one for one in ada.records()))
        cho.feed(ben.wires())
        assert len(cho.inbox.pool) > 0
        cho.inbox.ingest_contents([(admit.id, admit.content)])
        cho.feed(ben.wires())
        assert cho.ids() == ben.ids()
        assert cho.state_hash() == ben.state_hash()


def test_retracted_content_is_erased_and_not_asked_for_again():
    with street() as (ada, ben):
        offer = ada.post("offer", title="regretted")
        ben.take(offer)
        retract = ada.post("retract", offer)
        ben.take(retract)
        for home in (ada, ben):
            assert home.store.records.find(offer.id).record.content is None
            assert home.view(offer).state == "retracted"
            assert home.absent() == []
            home.take(offer)
            home.inbox.ingest_contents([(offer.id, offer.content)])
            assert home.store.records.find(offer.id).record.content is None
            record.verify(home.store.records.find(offer.id).record, home.state.neighbourhood)


def test_what_was_retracted_before_it_came_is_never_kept():
    with street(homes=3) as (ada, ben, cho):
        offer = ben.post("offer", title="regretted")
        retract = ben.post("retract", offer)
        cho.take(offer, retract)
        ada.take(retract)
        ada.take(offer)
        assert ada.store.records.find(offer.id).record.content is None
        assert ada.state_hash() == ben.state_hash() == cho.state_hash()


def test_a_retraction_whose_own_content_comes_late_erases_then():
    with street() as (ada, ben):
        offer = ada.post("offer", title="regretted")
        retract = ada.post("retract", offer)
        ben.take(offer, retract._replace(content=None))
        assert ben.store.records.find(offer.id).record.content is not None
        ben.inbox.ingest_contents([(retract.id, retract.content)])
        assert ben.store.records.find(offer.id).record.content is None
        assert ben.state_hash() == ada.state_hash()


def test_a_retraction_ahead_of_the_clock_erases_when_it_is_due():
    with street() as (ada, ben):
        offer = ada.post("offer", title="regretted")
        ben.take(offer)
        ada.skew = 2 * HOUR
        ben.take(ada.post("retract", offer))
        assert ben.store.records.find(offer.id).record.content is not None
        ben.street.clock += 2 * HOUR
        ben.state.fold_due()
        assert ben.view(offer).state == "retracted"
        assert ben.store.records.find(offer.id).record.content is None


def test_somebody_elses_retraction_erases_nothing():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        ben.take(offer)
        theft = ben.put(ben.forge("retract", offer))
        ada.take(theft)
        for home in (ada, ben):
            assert home.view(offer).title == "Bread"
            assert home.told(theft) == "R-01.17"


def test_what_others_rely_on_cannot_be_retracted_even_by_a_forged_record():
    with street() as (ada, ben):
        *_, agreement, receipt, _ = exchange(ada, ben)
        for home, target in ((ben, receipt), (ada, agreement)):
            with pytest.raises(Refused, match="what others rely on"):
                home.post("retract", target)
            home.put(home.forge("retract", target))
        settle(ada, ben)
        for home in (ada, ben):
            assert home.view(receipt).state == "confirmed"
            assert home.store.records.find(receipt.id).record.content == receipt.content
            assert home.balances() == {ada.me.person: 90, ben.me.person: -90}


def _exchanged_and_forged(here):
    """Makes two homes with a confirmed receipt. Afterwards the receipt's author posts a retraction
    of this receipt.
    """
    ada = here.found()
    ben = here.neighbour(ada)
    settle(ada, ben)
    *_, receipt, _ = exchange(ada, ben)
    ben.put(ben.forge("retract", receipt))
    settle(ada, ben)
    assert ada.balances() == {ada.me.person: 90, ben.me.person: -90}
    return ada


def test_a_forged_retraction_takes_no_receipt_from_a_newcomer_who_has_no_key_yet():
    with Street() as here:
        ada = _exchanged_and_forged(here)
        newcomer = here.person()
        ada.welcome(newcomer)
        home = here.home(ada, newcomer)
        *before, key = [one for one in ada.records() if one.header.device == ada.me.device]
        home.take(*before, *(one for one in ada.records() if one not in before and one != key))
        assert home.balances() == {}
        home.take(key)
        assert home.balances() == ada.balances()
        assert home.state_hash() == ada.state_hash()


def test_a_relay_erases_no_receipt_on_a_forged_retraction_but_what_may_be_erased():
    with Street() as here:
        ada = _exchanged_and_forged(here)
        offer = ada.post("offer", title="regretted")
        relay = here.home(ada)
        relay.feed(ada.wires())
        ada.post("retract", offer)
        relay.feed(ada.wires())
        assert relay.store.records.find(offer.id).record.content is None
        cho = here.neighbour(ada)
        fresh = here.twin(cho)
        fresh.feed(relay.wires())
        settle(fresh, cho)
        assert fresh.balances() == ada.balances()
        assert fresh.absent() == []


def test_asking_for_missing_content_comes_round_to_all_of_it():
    with street() as (ada, ben):
        offers = [ada.post("offer", title=f"offer {n}") for n in range(9)]
        ben.take(*(one._replace(content=None) for one in offers))
        for limit in range(1, 12):
            assert asked_in_turn(ben, limit) == [one.id for one in offers]
        for gone in (*offers[1:7], offers[8]):
            ben.take(ada.post("retract", gone))
        for limit in range(1, 12):
            assert asked_in_turn(ben, limit) == [offers[0].id, offers[7].id]
        ben.inbox.ingest_contents([(one.id, one.content) for one in offers])
        assert asked_in_turn(ben, 2) == []


def asked_in_turn(home, limit):
    """Returns the ids that the home asks one peer for, from the first to the last."""
    ids, after = [], None
    while after != 0:
        missing = home.inbox.missing_contents(after or 0, limit)
        assert len(missing.ids) <= limit
        ids += missing.ids
        after = missing.next_after
    return ids


# Hostile beginnings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "founders",
    [
        [],
        [b"nonsense"],
        [statement.revoke_device(b"r" * 32, b"d" * 32, 1, statement.FOUNDING_PLACE)],
    ],
)
def test_a_charter_that_founds_nothing_is_no_end_of_the_node(founders):
    with Street() as here:
        eve = here.person()
        content = schema.pack_content("charter", {"name": "Trap", "founders": founders})
        header = record.Header(
            record.VERSION,
            eve.device,
            1,
            None,
            here.clock,
            None,
            [],
            OPEN,
            len(content),
            record.content_digest(content),
        )
        charter = record.sign(header, content, record.FOUNDING_ID, eve.device_seed)
        found = here.found()
        found.state.neighbourhood = found.state.neighbourhood
        trapped = here.home(found, here.person())
        trapped.state.neighbourhood = charter.id
        taken = Inbox(trapped.state).ingest_wires([charter.wire])
        assert trapped.state.authority is None
        assert taken.stored == [charter] or taken.refused


def test_open_records_that_mean_nothing_change_nobodys_standing():
    with street() as (ada, ben):
        wild = [
            ben.forge("admit", content=b"\xc1", audience=OPEN),
            ben.forge("admit", content=schema.pack_content("admit", {"person": 7}), audience=OPEN),
            ben.forge("device", content=schema.pack_content("device", {"statement": b"x"})),
            ben.forge("offer", content=schema.pack_content("offer", {"title": "x"}), audience=OPEN),
            ben.forge(
                "charter", content=schema.pack_content("charter", {"name": "x", "founders": []})
            ),
            ben.forge("epoch", key_id=bytes(32), seals=[ada.me.device + bytes(80)], gone=b""),
        ]
        members = set(ada.state.authority.members)
        for n, one in enumerate(wild):
            head = ben.head
            header = one.header._replace(seq=head.seq + 1, prev=head.id)
            moved = record.sign(header, one.content, ada.state.neighbourhood, ben.me.device_seed)
            ben.put(moved)
            assert ada.take(moved).stored, n
        assert set(ada.state.authority.members) == members
        assert ada.state_hash() == ben.state_hash()
        assert ada.state.epochs.current_key() == ben.state.epochs.current_key()


def test_sealed_content_that_does_not_open_is_told_and_folds_to_nothing():
    with street() as (ada, ben):
        good = ben.forge("offer", title="x")
        swapped = ben.forge("offer", title="y", seq=good.header.seq + 5, prev=b"p" * 32)
        for content in (b"", b"short", bytes(100), swapped.content):
            head = ben.head
            header = good.header._replace(
                seq=head.seq + 1,
                prev=head.id,
                size=len(content),
                digest=record.content_digest(content),
            )
            one = ben.put(record.sign(header, content, ada.state.neighbourhood, ben.me.device_seed))
            assert ada.take(one).stored == [one]
            assert ada.view(one) is None
        assert ada.state_hash() == ben.state_hash()


def test_every_kind_about_every_other_folds_or_is_told_and_never_breaks():
    """Posts well-formed records in wrong places: a record of each kind about each record of an
    exchange, and a record of each kind about no record.
    """
    with street(quota_records=1000) as (ada, ben):
        story = exchange(ada, ben)
        samples = {
            "offer": {"title": "x"},
            "request": {"title": "x"},
            "response": {"minutes": 5},
            "agreement": {"minutes": 90, **_terms(ada, ben)},
            "receipt": {"minutes": 5, "on": "2026-11-23", **_terms(ada, ben)},
            "confirm": {},
            "retract": {},
            "profile": {"name": "x"},
            "close": {"as_state": "cancelled"},
        }
        assert set(samples) <= set(KINDS)
        before = ada.balances()
        for home in (ada, ben):
            for name, fields in samples.items():
                for target in [None, *story]:
                    home.put(home.forge(name, target, **fields))
                    settle(ada, ben)
        assert ada.state_hash() == ben.state_hash()
        hashed = ada.state_hash()
        ada.state.rebuild()
        assert ada.state_hash() == hashed
        assert sum(ada.balances().values()) == 0
        assert set(ada.balances()) == set(before)
