import os
import stat
import unicodedata
from dataclasses import replace

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from meshcoop.errors import Mistake
from meshcoop.home import key_file as keystore
from meshcoop.home.key_file import (
    Guest,
    HeldDevice,
    Keys,
    create_key_file,
    is_locked,
    machine_id,
    unlock_key_file,
)

PASSPHRASE = "four w\u00f6rds for us"
KEYS = Keys(
    network_seed=b"n" * 32,
    store_key=b"k" * 48,
    devices=(
        HeldDevice(b"p" * 32, b"d" * 32, b"statement", "f" * 64),
        HeldDevice(b"q" * 32, b"e" * 32, b""),
    ),
    recovery_seed=b"r" * 32,
    guests=(Guest(b"g" * 32, b"h" * 32, "Grace", b"", {"salt": b"s" * 16}),),
    boxes=((b"i" * 32, b"j" * 32),),
    neighbourhood=b"l" * 32,
    invitation="mcq-letters",
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def cheap(monkeypatch):
    """Makes key derivation fast, for tests that are about something else. Returns a list of the
    calls so far: the cost settings of each derivation.
    """
    calls = []

    def kdf(size, secret, salt, ops, mem):
        calls.append((ops, mem))
        return (secret + salt + bytes(size))[:size]

    monkeypatch.setattr(argon2id, "kdf", kdf)
    return calls


def refused(path, passphrase=PASSPHRASE):
    with pytest.raises(Mistake) as caught:
        unlock_key_file(path, passphrase)
    assert caught.value.sentence.count(str(path)) >= 1
    return caught.value.sentence


def change(path, **fields):
    table = msgpack.unpackb(path.read_bytes())
    table.update(fields)
    path.write_bytes(msgpack.packb(table))


def test_keys_come_back_as_they_were(path):
    create_key_file(path, PASSPHRASE, KEYS)
    assert unlock_key_file(path, PASSPHRASE).keys == KEYS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "does not open" in refused(path, "four words for us")
    data = path.read_bytes()
    for secret in (b"n" * 32, b"p" * 32, b"d" * 32, b"r" * 32, b"statement", b"f" * 64):
        assert secret not in data
    table = msgpack.unpackb(data)
    assert (table["version"], table["ops"], table["mem"]) == (2, 2, 64 * 1024 * 1024)


def test_the_same_passphrase_from_another_keyboard(path, cheap):
    create_key_file(path, unicodedata.normalize("NFC", PASSPHRASE), KEYS)
    assert unlock_key_file(path, unicodedata.normalize("NFD", PASSPHRASE)).keys == KEYS


def test_saving_again_derives_nothing_and_repeats_no_nonce(path, cheap):
    unlocked = create_key_file(path, PASSPHRASE, KEYS)
    first = msgpack.unpackb(path.read_bytes())
    later = unlocked.save(replace(KEYS, recovery_seed=None))
    second = msgpack.unpackb(path.read_bytes())
    assert len(cheap) == 1
    assert first["nonce"] != second["nonce"]
    assert later.keys.recovery_seed is None
    assert unlock_key_file(path, PASSPHRASE).keys == replace(KEYS, recovery_seed=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_printed_holds_a_secret(path, cheap):
    printed = repr(create_key_file(path, PASSPHRASE, KEYS)) + repr(KEYS)
    for secret in ("nnnn", "dddd", "eeee", "rrrr", "four"):
        assert secret not in printed


def test_keys_are_never_overwritten_by_new_ones(path, cheap):
    create_key_file(path, PASSPHRASE, KEYS)
    with pytest.raises(Mistake, match="already exists"):
        create_key_file(path, PASSPHRASE, KEYS)
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(Mistake, match="already exists"):
        create_key_file(path, PASSPHRASE, KEYS)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
def test_a_file_that_others_can_get_at_is_refused(path, cheap, mode):
    create_key_file(path, PASSPHRASE, KEYS)
    path.chmod(mode)
    assert f"chmod 600 {path}" in refused(path)
    assert len(cheap) == 1


def test_a_link_is_refused(path, tmp_path, cheap):
    create_key_file(tmp_path / "elsewhere", PASSPHRASE, KEYS)
    path.symlink_to(tmp_path / "elsewhere")
    assert "is a link" in refused(path)


def test_what_is_no_file_is_refused(path, tmp_path):
    os.mkfifo(path, 0o600)
    assert "not a file" in refused(path)
    path.unlink()
    path.mkdir(mode=0o700)
    assert "not a file" in refused(path)


def test_a_missing_file_is_said(path):
    assert "There are no keys" in refused(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"ops": 17},
        {"ops": 1},
        {"ops": 0},
        {"ops": -1},
        {"ops": 2**63},
        {"mem": 2**40},
        {"mem": 512 * 1024 * 1024 + 1},
        {"mem": 8192},
        {"mem": -1},
    ],
)
def test_a_hostile_cost_is_refused_before_it_is_paid(path, cheap, fields):
    create_key_file(path, PASSPHRASE, KEYS)
    change(path, **fields)
    assert "cost" in refused(path)
    assert len(cheap) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "1"},
        {"version": True},
        {"salt": b"short"},
        {"salt": "x" * 16},
        {"nonce": b""},
        {"box": None},
        {"ops": 2.0},
        {"mem": True},
    ],
)
def test_wrong_shapes_are_refused(path, cheap, fields):
    create_key_file(path, PASSPHRASE, KEYS)
    change(path, **fields)
    assert "damaged" in refused(path)


def test_a_newer_file_is_said(path, cheap):
    create_key_file(path, PASSPHRASE, KEYS)
    change(path, version=3)
    assert "newer" in refused(path)


def test_a_file_without_a_passphrase_is_open_to_its_owner_alone(path):
    unlocked = create_key_file(path, None, KEYS)
    assert not is_locked(path)
    assert not unlocked.has_passphrase
    assert unlock_key_file(path, None).keys == KEYS
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    assert "Others can get at" in refused(path)


def test_an_open_file_is_saved_open_and_read_again(path):
    unlocked = create_key_file(path, None, KEYS)
    changed = replace(KEYS, neighbourhood=None)
    unlocked.save(changed)
    assert unlocked.reread().keys == changed


def test_a_file_that_was_locked_meanwhile_is_another_file(path, cheap):
    unlocked = create_key_file(path, None, KEYS)
    path.unlink()
    create_key_file(path, PASSPHRASE, KEYS)
    assert is_locked(path)
    with pytest.raises(Mistake, match="another file"):
        unlocked.reread()


@pytest.mark.parametrize(
    "data", [b"", b"-----BEGIN", b"\x80", b"\x90", b"\x91" * 600, b"\xc7\x03\xff123", b"x" * 70_000]
)
def test_what_is_no_key_file_is_refused(path, data):
    path.write_bytes(data)
    path.chmod(0o600)
    assert "damaged or no key file" in refused(path)


@settings(max_examples=60)
@given(st.data())
def test_any_changed_byte_is_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("home") / "keys"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argon2id, "kdf", lambda size, secret, salt, ops, mem: bytes(size))
        create_key_file(path, PASSPHRASE, KEYS)
        changed = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(changed[: data.draw(st.integers(place + 1, len(changed)))])
        refused(path)


def test_too_little_memory_is_said(path, monkeypatch):
    def kdf(*args):
        raise RuntimeError("Unexpected failure in key derivation")

    monkeypatch.setattr(argon2id, "kdf", kdf)
    with pytest.raises(Mistake, match="64 MiB of free memory"):
        create_key_file(path, PASSPHRASE, KEYS)


def test_a_full_disk_leaves_the_keys_as_they_were(path, cheap, monkeypatch):
    unlocked = create_key_file(path, PASSPHRASE, KEYS)

    def full(handle):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Mistake, match="No space left"):
            unlocked.save(replace(KEYS, recovery_seed=None))
    assert unlock_key_file(path, PASSPHRASE).keys == KEYS


def test_a_machine_is_itself():
    assert machine_id() == machine_id()
    assert len(bytes.fromhex(machine_id())) == 32


def test_a_machine_without_an_id_has_a_name(monkeypatch):
    with_id = machine_id()
    monkeypatch.setattr(keystore.Path, "read_bytes", lambda self: b"")
    assert machine_id() != with_id
