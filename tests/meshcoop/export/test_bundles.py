"""Bundles that people carry between homes in memory. Some hold all records, some hold only the
records that the other home lacks, and some arrive late. Other tests read files that are no bundle.
"""

import os
import stat
from types import SimpleNamespace

import pytest
import trio

from meshcoop.api.methods.bundles import BundleMethods
from meshcoop.errors import NO_NEIGHBOURHOOD, Mistake
from meshcoop.export import bundle
from protocol.errors import Refused
from protocol.wire import frames
from protocol.wire.bundle_file import BUNDLE, HAVE_FILE
from protocol.wire.have_map import have_map_lists
from tests.support.council import renew
from tests.support.street_in_memory import HOUR, Street, exchange, settle, street


class Stick:
    """A folder on a memory stick that people carry from home to home."""

    def __init__(self, folder):
        self.folder = folder

    def write(self, home, name="bundle", *, theirs=(), since=0):
        wires = bundle.missing_wires(home.store, theirs, since)
        lists = ([one] for one in wires)  # one list for each record
        return bundle.write_file(self.folder / name, BUNDLE, home.state.neighbourhood, lists)

    def have(self, home):
        """Writes a have file, which says what records this home has, and reads the file again.
        Returns the lists in the file.
        """
        path, place = self.folder / "have", home.state.neighbourhood
        bundle.write_file(path, HAVE_FILE, place, have_map_lists(home.store.heads()))
        with bundle.open_file(path) as file:
            return list(bundle.BundleReader(file, HAVE_FILE, place).read_lists())

    def read(self, home, name="bundle"):
        """Lets a home read the bundle. Returns the result of each list. Fails if the reading had a
        fault.
        """
        with bundle.open_file(self.folder / name) as file:
            reader = bundle.BundleReader(file, BUNDLE, home.state.neighbourhood)
            found = [take(home, some) for some in reader.read_lists()]
        assert reader.fault is None
        return found

    def carry(self, giver, taker, **limits):
        """Carries a bundle from `giver` to `taker`. Returns the numbers of new, known, refused and
        waiting records.
        """
        self.write(giver, **limits)
        return counts(self.read(taker))


@pytest.fixture
def stick(tmp_path):
    return Stick(tmp_path)


def take(home, wires, heard=None):
    told = [] if heard is None else heard
    mesh = SimpleNamespace(inbox=home.inbox, on_stored=told.extend)
    node = SimpleNamespace(require_membership=lambda: SimpleNamespace(mesh=mesh))
    return trio.run(BundleMethods(node).table()["take"], {"wires": wires})


def counts(taken):
    sums = [sum(one[name] for one in taken) for name in ("new", "known", "refused")]
    return (*sums, taken[-1]["waiting"] if taken else 0)


def chain(here, length):
    """Makes a street where each person was admitted by the one before. All homes hold all
    records.
    """
    homes = [here.found(vouchers=1)]
    for _ in range(length - 1):
        homes.append(here.neighbour(homes[-1]))
        settle(*homes)
        term = renew(homes[0].author)
        settle(*homes)
        for home in homes[1:-1]:
            home.post("vote", term, choice="yes")
        settle(*homes)
    for one in homes:
        one.post("offer", title="something")
    settle(*homes)
    return homes


# -- everything, and what one lacks ---------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_each_record_is_placed_when_it_comes(stick, seed):
    """R-09.6: a home can place every record as soon as it reads the record. It does not matter in
    which order people were admitted, or how their device keys sort.
    """
    with Street(seed) as here:
        homes = chain(here, 5)
        for giver in (homes[0], homes[-1]):
            fresh = here.twin(homes[0])
            stick.write(giver)
            taken = stick.read(fresh)
            assert [(one["new"], one["waiting"]) for one in taken] == [(1, 0)] * len(homes[0].ids())
            assert fresh.ids() == homes[0].ids()
            assert fresh.state_hash() == homes[0].state_hash()


def test_nothing_is_taken_twice(stick):
    with street(homes=3) as (ada, ben, _):
        ada.post("offer", title="Bread")
        assert stick.carry(ada, ben) == (1, len(ada.ids()) - 1, 0, 0)
        before = ben.ids(), ben.state_hash()
        assert stick.carry(ada, ben) == (0, len(ada.ids()), 0, 0)
        assert stick.carry(ben, ada) == (0, len(ada.ids()), 0, 0)
        assert (ben.ids(), ben.state_hash()) == before


def test_for_a_home_goes_what_it_lacks_and_no_more(stick):
    with street(homes=3) as (ada, ben, cho):
        assert stick.write(ada, theirs=stick.have(ben)) == 0
        ada.post("offer", title="Bread")
        cho.post("offer", title="Soup")
        ben.post("offer", title="A ladder")
        settle(ada, cho)
        assert stick.write(ada, theirs=stick.have(ben)) == 2
        assert counts(stick.read(ben)) == (2, 0, 0, 0)
        assert stick.carry(ben, ada, theirs=stick.have(ada)) == (1, 0, 0, 0)
        assert ada.ids() == ben.ids()
        assert ada.state_hash() == ben.state_hash()
        fresh = ada.street.twin(ada)
        assert stick.write(ada, theirs=stick.have(fresh)) == len(ada.ids())


def test_a_have_map_that_lies_gets_records_and_nothing_else(stick):
    with street() as (ada, _):
        flat = [[b"d" * 8, 2**40, b"z" * 8, b""], [ada.me.device[:8], 2**40, b"z" * 8, b""]]
        assert stick.write(ada, theirs=flat) < len(ada.ids())
        with pytest.raises(Refused, match=r"R-05\.5"):
            stick.write(ada, theirs=[[b"d" * 8, -1, b"z" * 8, b""]])


def test_what_is_late_waits_for_what_came_before(stick):
    with street() as (ada, ben):
        first = ada.post("offer", title="Bread")
        ada.street.clock += 24 * HOUR
        since = ada.street.clock
        second = ada.post("offer", title="Rolls")
        assert stick.carry(ada, ben, since=since) == (0, 0, 0, 1)
        assert not ben.store.records.has(second.id)
        stick.write(ada)
        new, _, refused, waiting = counts(stick.read(ben))
        assert (new, refused, waiting) == (2, 0, 0)  # the third record came by the first stick
        assert ben.store.records.has(first.id)
        assert ben.ids() == ada.ids()
        assert stick.carry(ada, ben, since=since) == (0, 1, 0, 0)


# -- content --------------------------------------------------------------------------------------


def test_erased_content_is_not_brought_back(stick):
    with street(homes=3) as (ada, ben, cho):
        offer = ben.post("offer", title="quincunx")
        settle(ada, ben, cho)
        ben.post("retract", offer)
        settle(ben, cho)
        assert stick.carry(ada, cho)[0] == 0  # Ada's home does not know of the retraction
        for home in (ben, cho):
            assert home.store.records.find(offer.id).record.content is None
            assert home.view(offer).kind == "retracted"
        stick.carry(cho, ada)
        assert ada.store.records.find(offer.id).record.content is None
        fresh = ada.street.twin(ada)
        stick.carry(ada, fresh)
        assert fresh.store.records.find(offer.id).record.content is None
        assert fresh.state_hash() == cho.state_hash()


def test_content_that_was_missing_comes(stick):
    with street(homes=3) as (ada, ben, cho):
        offer = ben.post("offer", title="Bread")
        cho.take(offer._replace(content=None))
        assert cho.absent() == [offer.id]
        stick.write(cho)
        assert counts(stick.read(ben))[:3] == (0, len(cho.ids()), 0)
        assert stick.carry(ben, cho) == (0, len(ben.ids()), 0, 0)
        assert cho.absent() == []
        assert cho.view(offer).title == "Bread"
        assert ada.ids() != cho.ids()


def test_an_admission_whose_content_comes_lets_in_who_waited(stick):
    with Street() as here:
        ada, newcomer = here.found(), here.person()
        admit = ada.admit(newcomer)
        ben = here.home(ada, newcomer)
        ben.feed(ada.wires())
        own = ben.forge("offer", title="Bread", audience=0)
        ben.put(own)
        cho = here.twin(ada)
        cho.feed(
            one._replace(content=None).wire if one == admit else one.wire for one in ada.records()
        )
        cho.take(own)
        assert len(cho.inbox.pool) == 1
        heard = []
        taken = take(cho, [admit.wire], heard)
        assert (taken["new"], taken["known"], taken["waiting"]) == (1, 1, 0)
        assert heard == [own]


# -- forks ----------------------------------------------------------------------------------------


def forked(here):
    """Makes a street where Ben's log is forked. Other people have countersigned some of the log's
    records after the fork.
    """
    ada = here.found()
    ben, cho = here.neighbour(ada), here.neighbour(ada)
    ben.post("offer", title="before")
    settle(ada, ben, cho)
    twin = here.twin(ben)
    twin.feed(ben.wires())
    for n in range(3):
        ben.post("offer", title=f"here {n}")
    exchange(ben, ada)
    settle(ada, ben)
    twin.post("offer", title="and there")
    return ada, ben, cho, twin


@pytest.mark.parametrize("seed", range(4))
def test_a_fork_and_what_counts_beyond_it_come_in_one_reading(stick, seed):
    with Street(seed) as here:
        ada, _, _, twin = forked(here)
        ada.feed(twin.wires())
        known = ada.store.logs.find(twin.me.device)
        kept = ada.store.records.of_log(twin.me.device, known.fork, 100)
        assert known.fork > 1
        assert kept[-1].header.seq > known.fork + 3
        fresh = here.twin(ada)
        taken = stick.carry(ada, fresh)
        assert taken == (len(ada.ids()), 0, 0, 0)
        assert fresh.ids() == ada.ids()
        assert fresh.state_hash() == ada.state_hash()
        assert fresh.balances() == ada.balances()


def test_two_branches_meet_on_a_stick(stick):
    with Street() as here:
        ada, ben, cho, twin = forked(here)
        cho.feed(twin.wires())
        for _ in range(2):  # a dropped record comes again, once its countersignature is here
            stick.carry(cho, ada, theirs=stick.have(ada))
            stick.carry(ada, cho, theirs=stick.have(cho))
        assert cho.ids() == ada.ids()
        assert cho.state_hash() == ada.state_hash()
        assert ada.store.logs.find(ben.me.device).fork is not None
        assert stick.write(ada, theirs=stick.have(cho)) == 0


# -- hostile records ------------------------------------------------------------------------------


def test_what_is_new_is_announced_to_peers():
    with street() as (ada, ben):
        ada.post("offer", title="Bread")
        heard = []
        take(ben, ada.wires(), heard)
        assert [one.id for one in heard] == [ada.head.id]


def test_records_are_checked_like_any_peers(stick):
    with street() as (ada, ben), Street(7) as elsewhere:
        offer, stranger = ada.post("offer", title="Bread"), ada.street.person()
        outsider = ada.street.home(ada, stranger)
        outsider.feed(ada.wires())
        place = ben.state.neighbourhood
        wires = [
            offer._replace(signature=bytes(64)).wire,
            offer._replace(content=b"something else").wire,
            offer.wire[:-1],
            b"",
            b"../../etc/passwd",
            *elsewhere.found().wires(),
            outsider.forge("offer", title="spam", audience=0).wire,
            offer.wire,
            offer.wire,
        ]
        before = len(ben.ids())
        bundle.write_file(stick.folder / "bundle", BUNDLE, place, [wires])
        (taken,) = stick.read(ben)
        assert (taken["new"], taken["known"], taken["waiting"]) == (1, 0, 1)
        assert taken["refused"] == len(wires) - 3
        assert len(ben.ids()) == before + 1


@pytest.mark.parametrize("wires", [None, "wires", b"wires", [b"wire", "wire"], [1], {}])
def test_what_is_no_list_of_records_is_a_sentence(wires):
    with street(homes=1) as (ada,), pytest.raises(Refused, match=r"wires .*R-06\.15"):
        take(ada, wires)


def test_who_belongs_nowhere_is_told_so():
    def belonging():
        raise Mistake(NO_NEIGHBOURHOOD)

    with pytest.raises(Mistake, match="no neighbourhood"):
        trio.run(
            BundleMethods(SimpleNamespace(require_membership=belonging)).table()["take"],
            {"wires": []},
        )


# -- files ----------------------------------------------------------------------------------------

PLACE = b"n" * 32


def names(folder):
    return [one.name for one in folder.iterdir()]


def put(path, *wires, place=PLACE, sort=BUNDLE):
    return bundle.write_file(path, sort, place, frames.batch_records(wires))


def test_a_file_is_for_its_owner_and_replaces_an_older_one(tmp_path):
    path = tmp_path / "bundle"
    assert put(path, b"one") == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(path.read_bytes()[:-3])  # a bundle that was cut off is replaced as well
    assert put(path, b"one", b"two") == 2
    assert names(tmp_path) == ["bundle"]


def in_the_way(path, how):
    """Puts something at `path` that is no bundle of this neighbourhood. `how` names the thing.

    Returns a function that describes what lies at `path`, so that a test can see that nothing
    changed.
    """
    other = path.with_name("other")
    {
        "a file": lambda: path.write_bytes(b"a letter to my mother"),
        "an empty file": lambda: path.write_bytes(b""),
        "a have file": lambda: put(path, sort=HAVE_FILE),
        "another neighbourhood's": lambda: put(path, b"one", place=b"m" * 32),
        "a folder": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
        "a link to a bundle": lambda: (put(other, b"one"), path.symlink_to(other)),
        "a link to nothing": lambda: path.symlink_to(other),
    }[how]()
    return lambda: (os.lstat(path), path.is_file() and path.read_bytes(), os.path.lexists(other))


WAYS = [
    "a file", "an empty file", "a have file", "another neighbourhood's", "a folder", "a pipe",
    "a link to a bundle", "a link to nothing",
]  # fmt: skip


@pytest.mark.parametrize("how", WAYS)
def test_nothing_else_is_overwritten(tmp_path, how):
    path = tmp_path / "bundle"
    look = in_the_way(path, how)
    before = look()[1:], stat.S_IFMT(os.lstat(path).st_mode)
    with pytest.raises(Mistake, match="there already"):
        put(path, b"two")
    assert (look()[1:], stat.S_IFMT(os.lstat(path).st_mode)) == before


@pytest.mark.parametrize("how", ["a folder", "a pipe", "a link to a bundle", "a link to nothing"])
def test_only_a_file_is_read(tmp_path, how):
    path = tmp_path / "bundle"
    in_the_way(path, how)
    with pytest.raises(Mistake, match=r"name (one|the file itself)"), bundle.open_file(path):
        pass


def test_a_disk_without_room_leaves_the_older_one(tmp_path, monkeypatch):
    path = tmp_path / "bundle"
    put(path, b"one")
    before = path.read_bytes()

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Mistake, match="No space left"):
        put(path, b"two")
    assert path.read_bytes() == before
    assert names(tmp_path) == ["bundle"]


def test_what_is_refused_while_writing_leaves_nothing(tmp_path):
    def spoilt():
        yield [b"one"]
        raise Refused("R-05.5", "a have-map is something else")

    with pytest.raises(Refused):
        bundle.write_file(tmp_path / "bundle", BUNDLE, PLACE, spoilt())
    assert names(tmp_path) == []


def test_a_stick_that_is_pulled_out_is_a_fault_after_what_was_read(tmp_path):
    put(tmp_path / "bundle", *[b"w" * 16_000] * 20)
    data = (tmp_path / "bundle").read_bytes()

    class Pulled:
        def __init__(self):
            self.left = [data[:70_000], data[70_000:140_000]]

        def read(self, _size):
            if self.left:
                return self.left.pop(0)
            raise OSError(5, "Input/output error")

    reader = bundle.BundleReader(Pulled(), BUNDLE, PLACE)
    assert sum(map(len, reader.read_lists())) == 6
    assert "Input/output error" in reader.fault
