"""How a home stores the answers for which its views wait."""

from meshcoop.store.store import Store
from meshcoop.store.view_tables.awaited_rows import AwaitedRow, AwaitedRows
from protocol.fold.facets import Awaited, Crowd
from tests.support.private_letters import person
from tests.support.street_in_memory import settle, street

PEOPLE = 500
EXCHANGES = 20_000
ANSWERS = 3  # answers for which the views of one exchange wait


def _awaited(home, of):
    return [(row.id, row.awaited) for row in home.state.views.awaited_of(of.me.person)]


def test_a_response_waits_for_the_other_party_until_they_agree():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread", minutes="30", until="2026-12-31")
        settle(ada, ben)
        response = ben.post("response", offer)
        settle(ada, ben)

        answer = Awaited(ada.me.person, "agreement", response.id, until="2026-12-31")
        for home in (ada, ben):
            assert _awaited(home, ada) == [(response.id, answer)]
            assert _awaited(home, ben) == []

        ada.post("agreement", response)
        settle(ada, ben)
        for home in (ada, ben):
            waiting = [view for view, _ in _awaited(home, ada)]
            assert response.id not in waiting


def test_an_unchanged_view_waits_no_more_once_its_thread_has_moved_on():
    with street(homes=3) as (ada, ben, cho):
        offer = ada.post("offer", title="Bread", minutes="30")
        settle(ada, ben, cho)
        response = ben.post("response", offer)
        settle(ada, ben, cho)
        assert [view for view, _ in _awaited(cho, ada)] == [response.id]
        before = cho.view(response)

        ada.post("close", offer, as_state="withdrawn")
        settle(ada, ben, cho)

        assert vars(cho.view(response)) == vars(before)
        assert _awaited(cho, ada) == []


def test_a_rebuild_makes_the_same_rows():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread", minutes="30")
        settle(ada, ben)
        ben.post("response", offer)
        settle(ada, ben)
        before = _awaited(ben, ada)

        ben.state.rebuild()

        assert before
        assert _awaited(ben, ada) == before


def test_a_pact_waits_for_its_parties_in_private():
    with street(homes=3) as (ada, ben, cho):
        pact = ada.post("pact", parties=[person(ben)], text="We water the roses")
        settle(ada, ben, cho)

        (waiting,) = ben.author.private.awaited_of(ben.me.person)
        assert (waiting.id, waiting.awaited.about) == (pact.id, pact.id)
        for home in (ada, ben, cho):
            assert _awaited(home, ben) == []
        assert list(cho.author.private.awaited_of(ben.me.person)) == []


def test_the_rows_of_a_person_are_found_without_reading_those_of_others():
    store = Store(":memory:")
    rows = AwaitedRows(store)
    count = EXCHANGES * ANSWERS
    ids = [n.to_bytes(32, "big") for n in range(count)]
    with store.transaction():
        rows.create()
        store.db.executemany(
            "INSERT INTO records VALUES (?, ?, 1, ?, NULL, ?, 0, 0, 0, 0, x'', x'', NULL)",
            ((n, ids[n], n, n // ANSWERS) for n in range(count)),
        )
        rows.add(
            AwaitedRow(n, n // ANSWERS, ids[n % PEOPLE], None, "confirm", ids[n], None, None)
            for n in range(count)
        )
        rows.add([AwaitedRow(1, 0, None, str(Crowd.VOTERS), "vote", ids[1], None, None)])

    hundreds = []  # of the instructions that the database carries out
    store.db.set_progress_handler(lambda: hundreds.append(1), 100)
    found = list(rows.of_person(ids[7]))
    store.db.set_progress_handler(None, 0)

    assert [row[0] for row in found] == ids[7::PEOPLE]
    assert [row[0] for row in rows.of_crowd(Crowd.VOTERS)] == [ids[1]]
    assert len(hundreds) <= len(found)
    store.close()
