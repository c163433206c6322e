"""Homes in memory whose software names what it holds (specs/24)."""

from meshcoop.author import automatic
from meshcoop.author.folding import fold_at_once
from meshcoop.author.witness_writer import MOST_WAIT_MS, PAUSE_MS, WitnessWriter
from protocol.kinds.services.measures import Measure
from tests.support.council import by_software, renew, vote
from tests.support.street_in_memory import settle


def listed_street(*homes):
    """Lets every home sign something by itself. Then begins a term in which all are witnesses and
    moderators.
    """
    settle(*homes)
    for home in homes:
        fold_at_once(home.state, automatic.accept_charter(home.author))
    by_software(*homes)
    act = renew(homes[1].author, moderators=sorted(home.me.person for home in homes))
    settle(*homes)
    vote(act, [home for home in homes if home is not homes[1]], homes)
    by_software(*homes)
    settle(*homes)
    for home in homes:
        home.writer = WitnessWriter(home.author)


def look(home):
    """Lets a home name what is due. Returns how many records it signed."""
    before = home.store.records.count()
    for _ in home.writer.looks():
        pass
    home.writer.note_matters(home.now())
    fold_at_once(home.state, home.writer.sign_due())
    return home.store.records.count() - before


def look_twice(home):
    """Lets a home wait for more news, and then name what is due."""
    look(home)
    home.street.clock += MOST_WAIT_MS
    return look(home)


def measured(*homes, **fields):
    """Posts a service of Ada's with a measure in use. All homes name what they hold. Returns the
    measure. `fields` are fields of the measure that differ from the usual ones.
    """
    ada = homes[0]
    service = ada.post("service", title="The bins")
    asked = {"question": "Taken?", "scale": "yes_no", "better": "higher", "target": 1, **fields}
    measure = ada.post("measure", service, **asked)
    act = ada.post("proposal", title="Use it", change=f"adopt {measure.id.hex()}")
    settle(*homes)
    vote(act, homes[: len(homes) // 2 + 1], homes)
    assert ada.view(measure).state == Measure.State.IN_USE
    for home in homes:
        look_twice(home)
    settle(*homes)
    ada.street.clock += PAUSE_MS
    return measure


def times_of(home, record, *parties):
    authority = home.state.authority
    witnesses = home.state.authority_fold.witnesses.witnesses(authority)
    person = authority.person_of_device(record.header.device)
    return witnesses.times_of(record.id, record.header.time, person, parties)
