"""Four attacks on group keys in a street of real homes: whoever comes afterwards reads everything.

Attackers: a member (Mal) who makes keys with garbage in slots and keys for all but one, whose home
invites newcomers and gives them no key, and whose false friends are to answer those who ask for
keys; a member (Lea) who makes a key and leaves. Assets: words, that newcomers read them, and that
homes can write.
"""

import time
from types import SimpleNamespace

import pytest

from meshcoop import clock
from meshcoop.author.key_giving import first_to_answer
from meshcoop.export import bundle
from protocol.authority.record_index import AuthorityRecord
from protocol.fold.content import read_content
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import DAY_MS
from protocol.wire.bundle_file import BUNDLE
from tests.street.test_relays import enrolled, holds_all, relay
from tests.support.forked_programs import PATCH
from tests.support.hostile_keys import post_epoch
from tests.support.patched_homes import patched
from tests.support.real_homes import agree, eventually, folder, put_on_roll, titles, together

TWO, NINE = 2, 9  # hours

pytestmark = pytest.mark.long  # many nodes start and stop


class Street:
    """Four homes, and what their people have written. `keys` maps each attack to its key."""

    def __init__(self, place):
        self.place = place
        self.ada = place.founder("Ada")
        self.ben, self.lea, self.mal = together(
            *(lambda name=name: place.newcomer(self.ada, name) for name in ("Ben", "Lea", "Mal"))
        )
        self.homes = (self.ada, self.ben, self.lea, self.mal)
        put_on_roll(*self.homes)
        names = ("Ada", "Ben", "Lea", "Mal")
        self.devices = {
            name: bytes.fromhex(home("status")["device"])
            for name, home in zip(names, self.homes, strict=True)
        }
        self.written = []
        self.keys = {}

    def say(self, *homes):
        """Lets each home write an offer. Returns the ids of the keys that seal these offers."""
        used = set()
        for home in homes:
            self.written.append(f"offer {len(self.written)}")
            used.add(key_of(home, home.post("offer", "--title", self.written[-1])))
        return used

    def sign(self, home, **attacks):
        """Lets a home post epochs that its software would not make, and an offer under each.

        `attacks` maps a name to the people with right slots, with wrong slots, and named as gone.
        """
        home("down")
        with patched(home) as liar:
            authority = liar.state.authority
            for attack, (right, wrong, gone) in attacks.items():
                right_boxes, wrong_boxes = (
                    [authority.devices[self.devices[name]].box for name in names]
                    for names in (right, wrong)
                )
                names = [authority.owners[self.devices[name]] for name in gone]
                key = post_epoch(liar.author, right_boxes, wrong=wrong_boxes, names=names)
                liar.put(liar.forge("offer", title=attack, sealing_key=key))
                self.keys[attack] = key.id
                self.written.append(attack)
        home("up")

    def reads_everything(self, home):
        return titles(home("list", "offers")) == sorted(self.written)

    def all_read(self, *homes):
        for home in homes:
            eventually(lambda home=home: self.reads_everything(home), "somebody cannot read all")

    def newcomer(self, name):
        """Lets somebody join at Mal's home while no other home is up."""
        home = self.place.home(name.lower())
        home.env[PATCH] = "tests.support.patches.waits_little"
        joined = home("join", self.mal.invite(), "--as", name, "--listen", self.place.listen())
        assert joined["state"] == "member"
        home("wait", "--records", str(self.mal("status")["records"]))
        assert not titles(home("list", "offers"))
        return home


def key_of(home, record_id):
    with home.database() as db:
        row = db.execute("SELECT content FROM records WHERE id = ?", (bytes.fromhex(record_id),))
        ((content,),) = row.fetchall()
    return seal.read_epoch_key_id(content)


@pytest.fixture(scope="module")
def attacked():
    """Attacks the keys of a street. The homes of Ada and Ben are down in the end."""
    with folder() as place:
        street = Street(place)
        ada, ben, lea, mal = street.homes
        surgery = enrolled(ada, relay(place))
        mal("down")
        mal.env[PATCH] = "tests.support.patches.keeps_keys"
        garbage = (("Ada", "Ben", "Mal"), ("Lea",), ())
        all_but_ben = (("Ada", "Lea", "Mal"), (), ())
        street.sign(mal, garbage=garbage, all_but_one=all_but_ben)
        street.all_read(ada, ben, lea)
        assert street.say(ada, ben, lea) == {street.keys["all_but_one"]}
        everybody = tuple(street.devices)
        street.sign(
            lea, by_one_who_leaves=(everybody, (), ()), in_advance=(everybody, (), ("Lea",))
        )
        street.all_read(ada, ben, mal)
        assert street.say(ada, ben) == {street.keys["by_one_who_leaves"]}
        lea("leave")
        for home in (ada, ben, mal):
            eventually(lambda home=home: "left" in str(home("list", "people")), "Lea is not out")
        assert not street.say(ada, ben) & set(street.keys.values())
        street.all_read(ada, ben)
        agreed = ada("status")["set_hash"]
        for home in (ben, mal, surgery):
            eventually(lambda home=home: agreed in str(home("status")), "a record is missing")
        together(*(lambda home=home: home("down") for home in (ada, ben, lea)))
        yield street, surgery


def test_a_newcomer_reads_everything_with_any_members_home_on(attacked):
    street, _ = attacked
    for name, member in (("Emil", street.ada), ("Fay", street.ben)):
        newcomer = street.newcomer(name)
        member("up")
        on = time.monotonic()
        eventually(lambda home=newcomer: street.reads_everything(home), f"{name} cannot read all")
        print(f"{name} read all after {time.monotonic() - on:.1f} s")  # noqa: T201 -- a figure
        street.say(newcomer)
        street.all_read(member)
        together(*(lambda home=home: home("down") for home in (newcomer, member)))


# -- a relay alone --------------------------------------------------------------------------------


def moved(home, hours):
    """Starts a home whose clock goes ahead by this many hours."""
    home.env["MESHCOOP_CLOCK_AHEAD"] = str(hours)
    home("up")
    return home


def kinds_by(home, device):
    """Returns the kinds of the open records in a home's store that a device has signed."""
    with home.database() as db:
        rows = db.execute(
            "SELECT content FROM records JOIN logs ON log = logs.n"
            " WHERE device = ? AND open AND content NOT NULL",
            (device,),
        ).fetchall()
    return [read_content(row[0])[0] for row in rows]


def let_friends_answer(mal, device):
    """Lets Mal vouch for false friends, whom the draw asks first to answer the newcomer's device."""
    with patched(mal) as liar:
        honest = liar.state.authority
        friends = {friend.person: friend for friend in (liar.street.person() for _ in range(99))}
        everybody = SimpleNamespace(members={**honest.members, **friends}, owners=honest.owners)
        today = liar.now() // DAY_MS
        for day in (today, today + 1):
            want = AuthorityRecord(b"", device, 1, day * DAY_MS, "", {})
            first = set(first_to_answer(everybody, want))
            assert first <= {*friends, liar.me.person}
            for person in first & friends.keys() - liar.state.authority.members.keys():
                liar.admit(friends[person])
            assert set(first_to_answer(liar.state.authority, want)) == first


@pytest.mark.parametrize(("name", "hours"), [("Gil", TWO), ("Hal", NINE)])
def test_a_newcomer_with_a_relay_alone_reads_everything_after_one_visit(attacked, name, hours):
    """The home that visits is asked first, or comes six hours later."""
    street, surgery = attacked
    ada, mal = street.ada, street.mal
    newcomer = street.newcomer(name)
    device = bytes.fromhex(newcomer("status")["device"])
    together(*(lambda home=home: home("down") for home in (newcomer, mal)))
    if hours == NINE:
        let_friends_answer(mal, device)
    mal("up")
    holds_all(surgery, mal)
    mal("down")

    moved(newcomer, TWO)
    eventually(lambda: "want_keys" in kinds_by(newcomer, device), "it does not ask for keys")
    holds_all(surgery, newcomer)
    assert not street.reads_everything(newcomer)
    newcomer("down")
    before = kinds_by(ada, street.devices["Ada"]).count("given_keys")
    moved(ada, hours)
    eventually(
        lambda: kinds_by(ada, street.devices["Ada"]).count("given_keys") > before, "nobody answers"
    )
    holds_all(surgery, ada)
    ada("down")
    moved(newcomer, hours)
    on = time.monotonic()
    street.all_read(newcomer)
    print(f"{name} read all after {time.monotonic() - on:.1f} s")  # noqa: T201 -- a figure
    together(lambda: newcomer("down"), lambda: mal("up"))


# -- everybody writes -----------------------------------------------------------------------------


def test_after_each_of_40_rounds_of_revocations_and_certificates_everybody_writes(tmp_path):
    """Attacker: one member who certifies and revokes devices. Asset: that homes can write."""
    with folder() as place:
        ada = place.founder("Ada")
        ben, mal = (place.newcomer(ada, name) for name in ("Ben", "Mal"))
        agree(ada, ben, mal)
        mal("down")
        stick = tmp_path / "bundle"
        with patched(mal) as liar:
            for number in range(40):
                seq = liar.head.seq
                spare = liar.street.person()
                ended = statement.revoke_device(
                    liar.me.root_seed, spare.device, 0, liar.street.place
                )
                liar.street.clock = clock.now() - 120_000
                certificate = liar.write("device", statement=liar.certificate(spare))
                revocation = liar.write("device", statement=ended)
                wires = [certificate.wire, revocation.wire]
                bundle.write_file(stick, BUNDLE, liar.state.neighbourhood, [wires])
                ada("bundle", "read", str(stick))
                ben.has(revocation.id.hex())
                offers = [home.post("offer", "--title", f"{number}") for home in (ada, ben)]
                for home in (ada, ben):
                    home.has(*offers)
                assert liar.head.seq == seq + 2
        agree(ada, ben)
        for home in (ada, ben):
            assert len(home("list", "offers", "--limit", "999")) == 80
