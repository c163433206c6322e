"""No file holds private words, and no row of a store does, not even for those who have the key. The
tests search every byte of the files, and every value of the tables.
"""

import logging

import pytest

from tests.support.private_letters import circle, person, said
from tests.support.stores import stored_values
from tests.support.street_in_memory import Street, settle

NAME, WORDS, PROMISE, OOPS = (
    "quincunx growers",
    "the xylophagous beetle",
    "a zeugma for the roses",
    "a palimpsest by mistake",
)


@pytest.fixture
def homes(tmp_path):
    """Makes four homes on disk: two share a circle and a pact, one is a neighbour, one has no epoch
    key.
    """
    with Street() as here:
        ada = here.found(path=tmp_path / "ada")
        people = [here.person() for _ in range(2)]
        for one in people:
            ada.welcome(one)
        ben, cho = (
            here.home(ada, one, path=tmp_path / name)
            for one, name in zip(people, ("ben", "cho"), strict=True)
        )
        carrier = here.home(ada, here.person(), path=tmp_path / "carrier")
        settle(ada, ben, cho, carrier)
        yield ada, ben, cho, carrier


def on_disk(folder):
    """Returns what lies in each file, and, by the name of a store, all values of its rows."""
    written = {one.name: one.read_bytes() for one in sorted(folder.iterdir())}
    for name in ("ada", "ben", "cho", "carrier"):
        written[name] += stored_values(folder / name)
    return written


def test_neither_members_nor_neighbours_nor_carriers_have_it_in_the_clear(homes, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    ada, ben, cho, carrier = homes
    knitters = ada.post("circle", name=NAME, members=[person(ben)])
    settle(*homes)
    ben.post("message", knitters, text=WORDS)
    oops = ben.post("message", knitters, text=OOPS)
    pact = ada.post("pact", parties=[person(ben)], text=PROMISE)
    settle(*homes)
    ben.post("accept", pact)
    settle(*homes)
    assert said(ada) == said(ben) == [WORDS, OOPS]
    assert ben.author.private.find_view(pact.id).state == "agreed"
    ben.post("retract", oops)
    settle(*homes)
    assert carrier.store.records.find(oops.id).record.content is None
    for home in homes:
        home.state.rebuild()
    written = on_disk(tmp_path)
    assert {"ada", "ada-wal", "ben", "carrier", "carrier-wal"} <= written.keys()
    for words in (NAME, WORDS, PROMISE, OOPS, "quincunx", "xylophagous", "zeugma", "palimpsest"):
        for name, data in written.items():
            assert words.encode() not in data, (words, name)
        assert words not in caplog.text
        for home in homes:
            assert home.state.views.search(words) == []
    for one in (knitters, pact):
        assert one.content in written["carrier"]
    for home in homes:  # and nobody can tell from another's disk who is in a circle with whom
        held = b"".join(data for name, data in written.items() if name.startswith("c"))
        assert home.me.device_seed not in held
    assert len({home.state_hash() for home in (ada, ben, cho)}) == 1
    assert cho.author.private.threads() == carrier.author.private.threads() == {}


def test_a_record_that_was_shown_is_in_no_view_of_any_table(homes):
    ada, ben, *_ = homes
    knitters = circle(ada, ben)
    ada.post("message", knitters, text=WORDS)
    settle(*homes)
    before = {home: home.state_hash() for home in homes}
    for home in (ada, ben):
        assert said(home) == [WORDS]
        tables = [row[0] for row in home.store.db.execute("SELECT name FROM sqlite_schema")]
        kinds = home.store.db.execute("SELECT DISTINCT kind FROM views").fetchall()
        assert {"circle", "message"}.isdisjoint(kind for (kind,) in kinds)
        assert "search" in tables
        assert home.state_hash() == before[home]
