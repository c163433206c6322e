"""The doctor examines homes in every state. It changes nothing, and never fails itself."""

import os
import random
import shutil
from contextlib import closing

import pytest

from meshcoop.author import founding
from meshcoop.author.founding import Identity
from meshcoop.cli.doctor.examination import CHECKS, examine_home
from meshcoop.home import key_file as keystore
from meshcoop.home.folder import Home
from meshcoop.home.key_file import HeldDevice, Keys
from meshcoop.home.passphrase import PASSPHRASE_VARIABLE
from meshcoop.home.settings import Settings
from meshcoop.store.store import Store
from protocol import kinds
from protocol.fold import registry
from tests.support.stores import STORE_KEY, open_rows

NOW = 1_795_000_000_000
HOUR = 3_600_000


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes the home of a founder. Its node does not run."""
    home = Home(tmp_path_factory.mktemp("homes") / "ada")
    home.create()
    identity = Identity.new(random.Random(1).randbytes)
    with closing(Store(home.store_file, STORE_KEY)) as store:
        author = founding.found_neighbourhood(
            store, identity, {"name": "Rushey Lane"}, "Ada", lambda: NOW, random.Random(2).randbytes
        )
        place = author.state.neighbourhood
    held = HeldDevice(identity.person, identity.device_seed, identity.statement, "")
    keys = Keys(bytes(32), STORE_KEY, (held,), neighbourhood=place)
    keystore.create_key_file(home.key_file, "brass kettle", keys)
    home.write_settings(Settings(listen=("/ip4/127.0.0.1/tcp/0",)))
    return home


@pytest.fixture
def home(made, tmp_path, monkeypatch):
    """A copy of the home. A file gives its passphrase."""
    secret = tmp_path / "passphrase"
    secret.write_text("brass kettle\n")
    monkeypatch.setenv(PASSPHRASE_VARIABLE, str(secret))
    copy = Home(tmp_path / "ada")
    shutil.copytree(made.path, copy.path)
    copy.path.chmod(0o700)
    return copy


def found(home, name, now=NOW):
    (one,) = [one for one in examine_home(home, now) if one.name == name]
    return one


def test_a_sound_home_has_nothing_wrong_and_is_not_changed(home):
    def content():
        files = (one for one in home.path.rglob("*") if one.is_file())
        return {
            one.name: one.read_bytes() for one in files if not one.name.endswith(("-shm", "-wal"))
        }

    before = content()
    told = examine_home(home, NOW)
    assert len(told) == len(CHECKS)
    assert not [one for one in told if one.state == "wrong"]
    assert content() == before
    assert found(home, "clock").state == "fine"
    assert "3 records" in found(home, "store").sentence


def test_it_looks_at_files_only_and_says_so_without_the_passphrase(home, monkeypatch):
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    states = {one.name: one for one in examine_home(home, NOW)}
    unseen = {name for name, one in states.items() if "only files are looked at" in one.sentence}
    assert unseen == {"clock", "store", "threads", "newer", "peers"}
    assert all(states[name].state == "unknown" for name in unseen)
    assert states["keys"].state == states["folder"].state == "fine"


def test_it_needs_no_passphrase_if_the_home_has_none(home, monkeypatch):
    monkeypatch.delenv(PASSPHRASE_VARIABLE)
    keys = keystore.unlock_key_file(home.key_file, "brass kettle").keys
    home.key_file.unlink()
    keystore.create_key_file(home.key_file, None, keys)
    assert "3 records" in found(home, "store").sentence


def test_it_names_packages_that_failed(home, monkeypatch):
    assert found(home, "packages").sentence == "No further kinds of records are installed."

    monkeypatch.setitem(kinds.FAULTS, "toollib 1.0", "ImportError: no loans")

    finding = found(home, "packages")
    assert finding.state == "wrong"
    assert finding.sentence == "The kinds of toollib 1.0 are left out: ImportError: no loans."
    assert finding.remedy


def test_it_names_packages_that_work(home, monkeypatch):
    monkeypatch.setattr(
        registry.DeclaredKind, "is_core", property(lambda kind: kind.name != "pact")
    )

    finding = found(home, "packages")
    assert finding.state == "fine"
    assert finding.sentence == f"Further kinds come from {kinds.ORIGINS['pact']}."


def test_the_worst_comes_first_and_says_what_to_do(home):
    home.path.chmod(0o777)
    first = examine_home(home, NOW - 5 * HOUR)[:2]
    assert {one.name for one in first} == {"folder", "clock"}
    assert all(one.state == "wrong" and one.remedy for one in first)
    assert "5 hours" in found(home, "clock", NOW - 5 * HOUR).sentence


def test_one_device_that_is_ahead_of_many_makes_no_wrong_clock_here(home):
    with closing(Store(home.store_file, STORE_KEY)) as store, store.transaction():
        for device, ahead in ((b"a", 0), (b"b", 71 * HOUR)):
            store.logs.find_or_add(device.ljust(32))
            store.db.execute(
                "UPDATE logs SET time = ? WHERE device = ?", (NOW + ahead, device.ljust(32))
            )

    finding = found(home, "clock")
    assert finding.state == "note"
    assert "1 of 3 devices signed something up to 71 hours later" in finding.sentence
    assert "If this machine's clock is right" in finding.remedy


def test_keys_that_others_can_read_are_not_opened(home):
    home.key_file.chmod(0o644)
    assert "chmod 600" in found(home, "keys").remedy
    assert "only files are looked at" in found(home, "store").sentence


def test_who_else_can_change_the_folder(home):
    home.path.chmod(0o777)
    assert "chmod 700" in found(home, "folder").remedy


def test_a_port_that_another_program_has(home):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        home.write_settings(Settings((f"/ip4/127.0.0.1/tcp/{port}",)))
        one = found(home, "port")
    assert one.state == "wrong"
    assert str(port) in one.sentence


def test_a_record_that_is_not_what_was_signed(home):
    with open_rows(home.store_file, write=True) as db:
        db.execute("UPDATE records SET content = x'00' WHERE n = 2")
    one = found(home, "store")
    assert one.state == "wrong"
    assert "not what was signed: 1" in one.sentence
    assert "meshcoop up" in one.remedy


def spoil_nothing_left(home):
    for one in home.path.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def drop_logs(home):
    with open_rows(home.store_file, write=True) as db:
        db.execute("DROP TABLE logs")


STRANGE = {
    "nothing left": spoil_nothing_left,
    "a folder for a store": lambda home: (home.store_file.unlink(), home.store_file.mkdir()),
    "no database": lambda home: home.store_file.write_bytes(b"letters" * 999),
    "an empty store": lambda home: home.store_file.write_bytes(b""),
    "garbage for settings": lambda home: home.settings_file.write_bytes(b"\xff\x00 = ["),
    "a folder for settings": lambda home: (home.settings_file.unlink(), home.settings_file.mkdir()),
    "settings of another version": lambda home: home.settings_file.write_text("colour = 'red'"),
    "a folder for keys": lambda home: (home.key_file.unlink(), home.key_file.mkdir()),
    "a pipe for keys": lambda home: (home.key_file.unlink(), os.mkfifo(home.key_file)),
    "a strange lock": lambda home: home.lock_file.write_text("not a number"),
    "a link for a lock": lambda home: home.lock_file.symlink_to("/dev/null"),
    "a cut store": lambda home: home.store_file.write_bytes(home.store_file.read_bytes()[:5000]),
    "a strange log of writes": lambda home: home.path.joinpath("store.db-wal").write_bytes(
        b"x" * 5000
    ),
    "no port chosen": lambda home: home.write_settings(Settings()),
    "a relay": lambda home: home.write_settings(Settings(relay="Surgery")),
    "tables missing": drop_logs,
}


@pytest.mark.parametrize("how", STRANGE)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_doctor_survives_every_patient(home, how):
    STRANGE[how](home)
    told = examine_home(home, NOW)
    assert {one.name for one in told} == set(CHECKS)
    assert all(one.sentence for one in told)
