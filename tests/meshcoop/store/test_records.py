import logging

import pytest

from meshcoop.errors import Mistake
from meshcoop.store import sqlite_connection
from meshcoop.store.store import Store
from protocol.record import envelope as record
from tests.support.street_in_memory import Street, exchange, settle, street

SECRET = "quincunxial xylophagous zwieback"  # words that occur nowhere else in a store


def open_again(here, home, path):
    home.store.close()
    return here.home(home, *home.who, path=path)


def everything(path):
    return b"".join(
        one.read_bytes() for one in path.parent.iterdir() if one.name.startswith(path.name)
    )


def test_a_store_opened_again_has_the_same_hashes(tmp_path):
    with Street() as here:
        path = tmp_path / "store.db"
        ada = here.found(path=path)
        ben = here.neighbour(ada)
        settle(ada, ben)
        exchange(ada, ben)
        before = ada.ids(), ada.state_hash(), ada.balances(), ada.store.heads()
        again = open_again(here, ada, path)
        assert (again.ids(), again.state_hash(), again.balances(), again.store.heads()) == before
        again.state.rebuild()
        assert again.state_hash() == before[1]
        again.post("offer", title="life goes on")
        assert len(again.ids()) == len(before[0]) + 1


def test_tables_of_views_from_before_are_made_anew(tmp_path):
    with Street() as here:
        path = tmp_path / "store.db"
        ada = here.found(path=path)
        offer = ada.post("offer", title="Bread")
        before = ada.state_hash()
        for table in ("views", "credits", "search"):
            ada.store.db.execute(f"DROP TABLE {table}")
            ada.store.db.execute(f"CREATE TABLE {table} (kind, created, root, other NOT NULL)")
        ada.store.set_note("fold", 1)
        again = open_again(here, ada, path)
        assert again.state_hash() == before
        assert again.ids_found("bread") == [offer.id]


def test_what_was_taken_survives_without_a_goodbye(tmp_path):
    with Street() as here:
        path = tmp_path / "store.db"
        ada = here.found(path=path)
        offer = ada.post("offer", title="Bread")
        other = here.home(ada, ada.me, path=path)  # opened while the first still holds the file
        assert other.store.records.has(offer.id)
        assert other.state_hash() == ada.state_hash()


def test_a_fault_amid_a_transaction_leaves_nothing_behind(tmp_path):
    with Street() as here:
        ada = here.found(path=tmp_path / "store.db")
        before = ada.ids()

        def fault(taken):
            ada.store.set_note("x", 1)
            raise ZeroDivisionError

        ada.inbox.listeners.append(fault)
        with pytest.raises(ZeroDivisionError), ada.store.transaction():
            ada.take(ada.forge("offer", title="x"))
        assert ada.ids() == before
        assert ada.store.read_note("x") is None


def flip(store, column, record_id, at=0):
    (value,) = store.db.execute(
        f"SELECT {column} FROM records WHERE id = ?", (record_id,)
    ).fetchone()
    wrong = bytearray(value)
    wrong[at] ^= 1
    store.db.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (bytes(wrong), record_id))


def test_a_flipped_bit_in_content_is_noticed_and_the_content_comes_again(caplog):
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        ben.take(offer)
        flip(ben.store, "content", offer.id, at=70)
        with caplog.at_level(logging.ERROR):
            assert ben.store.records.find(offer.id).record.content is None
        assert offer.id.hex() in caplog.text
        assert ben.absent() == [offer.id]
        settle(ada, ben)
        assert ben.store.records.find(offer.id).record == offer
        assert ben.absent() == []
        assert ben.state_hash() == ada.state_hash()


@pytest.mark.parametrize("column", ["header", "signature"])
@pytest.mark.parametrize("at", [1, 20, 63])
def test_a_flipped_bit_in_a_header_says_what_to_do(column, at):
    with street() as (ada, _):
        offer = ada.post("offer", title="Bread")
        flip(ada.store, column, offer.id, at=at)
        with pytest.raises(Mistake, match="`meshcoop up` mend it"):
            ada.store.records.find(offer.id)


def test_retracted_words_are_nowhere_in_the_files(tmp_path, monkeypatch):
    """Looks with the eyes of somebody who has the store's key: nothing is encrypted here."""
    monkeypatch.setattr(sqlite_connection, "_set_key", lambda connection, key: None)
    with Street() as here:
        path = tmp_path / "store.db"
        ada = here.found(path=path)
        for n in range(30):
            ada.post("offer", title=f"offer {n}", text="some other words")
        offer = ada.post("offer", title="regretted", text=SECRET)
        kept = ada.post("request", title="kept", text="brouhaha")
        assert ada.state.views.search("xylophagous")
        ada.post("retract", offer)
        ada.store.close()
        left = everything(path).lower()
        assert offer.content not in left
        assert kept.content.lower() in left
        for word in SECRET.split():
            assert word.encode() not in left
        assert b"brouhaha" in left


def test_retracted_words_of_a_neighbour_are_nowhere_in_the_files(tmp_path):
    with Street() as here:
        ada = here.found()
        ben = here.neighbour(ada)
        path = tmp_path / "store.db"
        cho = here.home(ada, ada.me, path=path)
        settle(ada, ben)
        request = ben.post("request", title="regretted", text=SECRET)
        cho.feed(ben.wires())
        assert cho.view(request).text == SECRET
        cho.take(ben.post("retract", request))
        cho.store.close()
        left = everything(path).lower()
        assert request.content not in left
        assert not [word for word in SECRET.split() if word.encode() in left]


def test_the_log_of_a_retracted_record_still_verifies():
    with street() as (ada, ben):
        offer = ada.post("offer", title="regretted")
        ada.post("retract", offer)
        settle(ada, ben)
        before = None
        for one in ben.store.records.of_log(ada.me.device, 1, 1000):
            assert one.header.prev == before
            founding = one.id == ben.state.neighbourhood
            record.verify(one, record.FOUNDING_ID if founding else ben.state.neighbourhood)
            before = one.id


def test_ids_can_be_found_by_their_beginning():
    with street() as (ada, _):
        offer = ada.post("offer", title="Bread")
        assert ada.store.records.ids_beginning(offer.id.hex()[:8]) == [offer.id]
        assert ada.store.records.ids_beginning(offer.id.hex()) == [offer.id]
        assert ada.store.records.ids_beginning("") == sorted(ada.ids())[:2]


def test_an_empty_store_holds_nothing():
    store = Store(":memory:")
    try:
        assert store.records.count() == 0
        assert store.heads() == {}
        assert store.logs.find(b"d" * 32) is None
        assert store.records.find(b"i" * 32) is None
        assert store.records.of_log(b"d" * 32, 1, 10) == []
    finally:
        store.close()


def test_pages_of_a_forked_log_leave_nothing_out():
    with street(homes=3) as (ada, ben, cho):
        base = ben.wires()
        forks = []
        for n in range(4):
            twin = ben.street.twin(ben)
            twin.feed(base)
            offer = twin.post("offer", title=f"fork {n}")
            more = twin.post("offer", title=f"after fork {n}")
            other = cho.put(cho.forge("response", offer, minutes=5))
            cho.put(cho.forge("response", more, minutes=5))
            forks += [offer, more]
            assert other
        ada.feed(cho.wires())
        ada.take(*forks)
        assert all(ada.store.records.has(one.id) for one in forks)
        assert len(ada.store.records.of_log(ben.me.device, 1, 100)) == len(forks)
