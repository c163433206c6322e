"""Circles, pacts, pages and muting on real nodes. No disk holds private words unencrypted."""

import pytest

from tests.support.real_homes import agree, titles

NAME, WORDS, PROMISE = "Quincunx growers", "xylophagous at the pond", "the zeugma watering pact"
LATER = "palimpsest after cleo left"
PRIVATE = (NAME, WORDS, PROMISE, LATER, "quincunx", "xylophagous", "zeugma", "palimpsest")


@pytest.fixture(scope="module")
def story(street):
    """Makes a circle and a pact of Ada and Ben. Cleo's home stores their records, but she is in
    neither.
    """
    ada, ben, cleo = street
    circle = ada.post("circle", "--name", NAME, "--members", "Ben")
    ben.has(circle)
    message = ben.post("message", "--about", circle[:8], "--text", WORDS)
    pact = ada.post("pact", "--parties", "Ben", "--text", PROMISE, "--minutes", "60")
    ben.has(pact)
    accept = ben.post("accept", "--about", pact)
    ada.has(message, accept)
    cleo.has(message, accept)
    return {"circle": circle, "message": message, "pact": pact, "accept": accept}


def test_who_is_in_it_sees_a_circle_and_a_pact(street, story):
    ada, ben, _ = street
    agree(*street)
    for home in (ada, ben):
        (circle,) = home("list", "circles")
        assert (circle["id"], circle["name"], circle["state"]) == (story["circle"], NAME, "open")
        assert {one["name"] for one in circle["members"]} == {"Ada", "Ben"}
        (message,) = home("list", "messages", "--about", story["circle"])
        assert (message["text"], message["author"]["name"]) == (WORDS, "Ben")
        (pact,) = home("list", "pacts", "--state", "agreed")
        assert (pact["text"], pact["minutes"], pact["waiting"]) == (PROMISE, 60, [])
        kinds = [one["kind"] for one in home("show", story["pact"])["history"]]
        assert kinds == ["pact", "accept"]
        assert WORDS in home.text("list", "messages")
        assert NAME in home.text("show", story["circle"])


def test_nobody_else_sees_more_than_that_something_is_private(street, story):
    _, _, cleo = street
    for what in ("circles", "messages", "pacts"):
        assert cleo("list", what) == []
    for word in PRIVATE:
        assert cleo("search", word) == []
    shown = cleo("show", story["message"])
    assert (shown["kind"], shown["author"]["name"]) == (None, "Ben")
    assert NAME not in cleo.text("show", story["circle"])
    refusal = cleo.refused("post", "message", "--about", story["circle"], "--text", "hello?")
    assert "othing private that this home can read" in refusal


def test_what_is_private_is_in_the_clear_in_no_file_of_any_home(street, story):
    """Searches store, write-ahead log, free pages, search table and logs, at the members' homes and
    at Cleo's.
    """
    for home in street:
        assert home.holds(*PRIVATE) == []
    street[1]("down")  # then the write-ahead log is part of the store
    assert [home.holds(*PRIVATE) for home in street] == [[]] * 3
    street[1]("up")
    assert [one["text"] for one in street[1]("list", "messages")] == [WORDS]


def test_who_is_let_go_reads_nothing_later(street):
    ada, ben, cleo = street
    circle = ada.post("circle", "--name", "Three of us", "--members", "Ben", "--members", "Cleo")
    cleo.has(circle)
    assert titles_of(cleo, circle) == []
    ben.has(circle)
    gone = ben.post("members", "--about", circle, "--leaves", "Cleo")
    ada.has(gone)
    later = ada.post("message", "--about", circle, "--text", LATER)
    for home in (ben, cleo):
        home.has(later)
    assert titles_of(ben, circle) == [LATER]
    assert titles_of(cleo, circle) == []
    refusal = cleo.refused("post", "message", "--about", circle, "--text", "and me?")
    assert "not in this circle" in refusal
    assert [home.holds(LATER) for home in street] == [[], [], []]


def titles_of(home, circle):
    return [one["text"] for one in home("list", "messages", "--about", circle)]


def test_a_page_keeps_what_two_wrote_at_the_same_time_until_somebody_joins_it(street):
    ada, ben, cleo = street
    page = ada.post("page", "--title", "The tool shed", "--text", "The key is with Ada.")
    for home in (ben, cleo):
        home.has(page)
    theirs = ben.post("revision", "--about", page, "--text", "Ben has a key too.", "--after", page)
    mine = ada.post("revision", "--about", page, "--text", "The lock is new.", "--after", page)
    for home in street:
        home.has(theirs, mine)
    (view,) = cleo("list", "pages")
    assert (view["state"], view["revisions"]) == ("concurrent", 2)
    assert {one["text"] for one in view["heads"]} == {"Ben has a key too.", "The lock is new."}
    assert {one["author"]["name"] for one in view["heads"]} == {"Ada", "Ben"}
    for words in ("as Ada would have it", "as Ben would have it", "Ben has a key too."):
        assert words in cleo.text("show", page)
    both = cleo.post("revision", "--about", page, "--text", "A new lock; Ada and Ben have keys.")
    ada.has(both)
    view = ada("show", page)
    assert (view["state"], view["text"]) == ("current", "A new lock; Ada and Ben have keys.")
    assert [one["state"] for one in ada("list", "revisions")] == ["current", "replaced", "replaced"]
    assert page in [one["id"] for one in ada("search", "keys lock")]


def test_muting_changes_ones_own_lists_and_nothing_else(street):
    ada, ben, cleo = street
    loud = ben.post("offer", "--title", "Trombone at dawn")
    ada.has(loud)
    response = ada.post("response", "--about", loud, "--minutes", "30")
    ben.has(response)
    agreement = ben.post("agreement", "--about", response)
    for home in (ada, cleo):
        home.has(agreement)
    before = agree(*street)
    assert ada("mute", "Ben") == {"person": ada("status")["muted"][0], "muted": True}
    assert "Trombone at dawn" not in titles(ada("list", "offers"))
    assert ada("search", "trombone") == []
    assert titles(ada("list", "offers", "--muted")) == ["Trombone at dawn"]
    assert "(1 by people you muted left out; add --muted to see them.)" in ada.text(
        "list", "offers"
    )
    assert agreement in [one["id"] for one in ada("list", "agreements")]  # names Ada
    assert {one["name"]: one["muted"] for one in ada("list", "people")} == {
        "Ada": False,
        "Ben": True,
        "Cleo": False,
    }
    ada("down")
    ada("up")
    assert "Trombone at dawn" not in titles(ada("list", "offers"))
    assert "Trombone at dawn" in titles(cleo("list", "offers"))
    after = agree(*street)
    assert [after[name] for name in ("set_hash", "state_hash")] == [
        before[name] for name in ("set_hash", "state_hash")
    ]
    assert ada("mute", "Ben", "--off")["muted"] is False
    assert "Trombone at dawn" in titles(ada("list", "offers"))
    assert ada("status")["muted"] == []
    assert "mute yourself" in ada.refused("mute", "Ada")
    assert "Nobody here" in ada.refused("mute", "Zoe")
