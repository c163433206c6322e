import pytest

from meshcoop.fold import views
from protocol.kinds.exchange.exchange import Offer, Response
from protocol.kinds.people import Profile
from tests.support.street_in_memory import exchange, settle, street
from tests.support.work import count_calls

WORDS = "the quincunx is under the mat"


def plain_bytes(home):
    """Returns all values of all tables except the tables `records` and `meta`."""
    found = []
    tables = [
        row[0]
        for row in home.store.db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    ]
    for table in tables:
        if table in {"records", "meta"}:
            continue
        rows = home.store.db.execute(f"SELECT * FROM {table}").fetchall()
        found += [
            str(value).encode() if type(value) is not bytes else value
            for row in rows
            for value in row
        ]
    return b"\n".join(found)


def test_private_words_are_in_no_view_no_search_table_and_no_credit():
    with street(homes=3) as (ada, ben, cho):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben, cho)
        response = ben.post("response", offer, text=WORDS)
        settle(ada, ben, cho)
        agreement = ada.post("agreement", response)
        settle(ada, ben, cho)
        receipt = ben.post("receipt", agreement, minutes="30", note=WORDS)
        settle(ada, ben, cho)
        for home in (ada, ben, cho):
            assert home.view(response).text is None
            assert home.view(receipt).note is None
            held = plain_bytes(home)
            assert b"Bread" in held
            assert WORDS.encode() not in held
            assert b"quincunx" not in held
            assert home.state.views.search("mat") == []
        assert ada.state_hash() == ben.state_hash() == cho.state_hash()


def test_sealed_words_are_not_in_the_views_either():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        ben.take(offer)
        response = ben.post("response", offer, text=WORDS)
        fields = ben.state.contents.read(response).fields
        assert fields["text"] not in plain_bytes(ben)


def test_balances_are_those_of_confirmed_receipts_and_sum_to_zero():
    with street(homes=3) as (ada, ben, cho):
        exchange(ada, ben, need=90)
        settle(ada, ben, cho)
        exchange(ben, cho, need=30)
        exchange(cho, ada, need=45)
        settle(ada, ben, cho)
        assert cho.balances() == {
            ada.me.person: 90 - 45,
            ben.me.person: 30 - 90,
            cho.me.person: 45 - 30,
        }
        given = {who: one.given for who, one in cho.state.views.balances().items()}
        assert given == {ada.me.person: 90, ben.me.person: 30, cho.me.person: 45}


def test_search_finds_beginnings_of_every_word_and_ignores_accents():
    with street() as (ada, _):
        offer = ada.post("offer", title="Café visits", text="for Señora Ñandú", tags=["walking"])
        ada.post("offer", title="Tea")
        for words in ("cafe", "visi", "nandu SEN", "walk cafe", "  café  "):
            assert ada.ids_found(words) == [offer.id]
        assert ada.state.views.search("cafe tea") == []


@pytest.mark.parametrize(
    "words",
    [
        "",
        " ",
        '"',
        '""',
        '" OR "',
        "a\0b",
        "\0",
        "*",
        "***",
        "a*",
        "-",
        "NOT",
        "NEAR(a b)",
        "words:a",
        "(",
        "^a",
        "a" * 5000,
        "a " * 3000,
        "'; DROP TABLE views; --",
        "\ud800",
        "你好",
        "👩",
        "%",
        "\\",
    ],
)
def test_any_search_finds_something_or_nothing(words):
    with street() as (ada, _):
        ada.post("offer", title="a b words Bread")
        assert isinstance(ada.state.views.search(words), list)
        assert len(ada.state.views.of_kind(Offer)) == 1


def test_a_search_sorts_a_few_of_many_matches_at_once(monkeypatch):
    lengths = []

    def note_and_sort(matches):
        lengths.append(len(matches := list(matches)))
        return sorted(matches)

    with street() as (ada, _):
        for number in range(9):
            ada.post("offer", title=("Bread. " * (number % 4 + 1)).strip())
        at_once = ada.state.views.search("bread")
        monkeypatch.setattr(views, "_SORTED_AT_ONCE", 2)
        monkeypatch.setattr(views, "sorted", note_and_sort, raising=False)

        assert ada.state.views.search("bread") == at_once
        assert (len(at_once), max(lengths)) == (9, 2)


def test_the_newest_come_first_and_a_limit_limits():
    with street() as (ada, _):
        offers = [ada.post("offer", title=f"offer {n}") for n in range(5)]
        shown = ada.state.views.of_kind(Offer, limit=3)
        assert [one.id for one in shown] == [one.id for one in offers[:1:-1]]


def test_everybodys_latest_profile_is_shown():
    with street() as (ada, ben):
        for name in ("Ben", "Benedict"):
            ben.post("profile", name=name, about="about me")
        settle(ada, ben)
        latest = ada.state.views.latest_by_author(Profile)
        assert latest[ben.me.person].name == "Benedict"
        assert latest[ada.me.person].name == "Founder"


def test_answers_are_listed_by_what_they_are_about():
    with street() as (ada, ben):
        one, other = (ada.post("offer", title=f"offer {n}") for n in range(2))
        settle(ada, ben)
        response = ben.post("response", one)
        assert [view.id for view in ben.state.views.of_kind(Response, about=one.id)] == [
            response.id
        ]
        assert ben.state.views.of_kind(Response, about=other.id) == []


def test_the_state_hash_tells_any_two_states_apart():
    with street() as (ada, ben):
        seen = {ada.state_hash()}
        offer = ada.post("offer", title="Bread")
        seen.add(ada.state_hash())
        ben.take(offer)
        response = ben.post("response", offer)
        ada.take(response)
        seen.add(ada.state_hash())
        ada.post("close", offer, as_state="withdrawn")
        seen.add(ada.state_hash())
        ada.post("retract", offer)
        seen.add(ada.state_hash())
        assert len(seen) == 5


def test_the_state_hash_is_worked_out_again_only_after_a_change():
    with street() as (ada, _):
        ada.post("offer", title="Bread")
        calls = [count_calls(ada.state_hash), count_calls(ada.state_hash)]
        before = ada.state_hash()

        def write_and_fail():
            with ada.store.transaction():
                ada.store.db.execute("DELETE FROM views")
                assert ada.state_hash() != before
                raise InterruptedError

        with pytest.raises(InterruptedError):
            write_and_fail()
        assert ada.state_hash() == before
        assert calls[1] < 10 < calls[0]


def test_a_view_more_costs_the_state_hash_no_call():
    with street() as (ada, _):
        calls = []
        for _ in range(2):
            ada.post("offer", title="Bread")
            calls.append(count_calls(ada.state_hash))

        assert calls[0] == calls[1]
