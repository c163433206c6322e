"""Backups: reading a backup returns what was written to it. Any file that is no backup is refused
with one sentence.
"""

import itertools
import os
import stat

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from meshcoop.errors import Mistake
from meshcoop.export import backup
from meshcoop.export.backup import FILE_MARK, BackupContents, BackupReader
from meshcoop.store.held_keys import KeptKey

SECRET = "brass kettle sings"
CONTENTS = BackupContents(
    b"n" * 32, b"p" * 32, b"r" * 32, [[b"d" * 32, b"b" * 32]], ["/ip4/192.0.2.1/tcp/4001/p2p/Q"]
)
KEYS = [KeptKey(os.urandom(32), b"m" * 32, b"d" * 32, b"l" * 48) for _ in range(400)]
RECORDS = [bytes([n % 256]) * (n % 997) for n in range(500)]


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Replaces the slow key derivation by a fast one. These tests need a key, but the derivation
    need not be slow.
    """

    def kdf(size, secret, salt, ops, mem):
        return (secret + salt + bytes(size))[:size]

    monkeypatch.setattr(argon2id, "kdf", kdf)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "backup"
    assert backup.write_backup(path, SECRET, CONTENTS, KEYS, iter(RECORDS)) == len(RECORDS)
    return path


def read(path, secret=SECRET):
    reader = BackupReader(path, secret)
    try:
        return reader.contents, reader.keys, [one for some in reader.read_records() for one in some]
    finally:
        reader.close()


def refused(path, secret=SECRET):
    with pytest.raises(Mistake) as caught:
        read(path, secret)
    assert str(path) in caught.value.sentence
    return caught.value.sentence


def pieces(path):
    """Yields the positions in the file at which its pieces begin, and then the end of the file."""
    data, at = path.read_bytes(), len(FILE_MARK)
    while at < len(data):
        yield at
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    yield at


def test_what_went_in_comes_out(path):
    assert read(path) == (CONTENTS, KEYS, RECORDS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(list(path.parent.iterdir())) == 1
    assert len(list(pieces(path))) >= 8


def test_nothing_in_it_is_in_the_clear(path):
    data = path.read_bytes()
    for one in (
        b"nnnn",
        b"pppp",
        b"rrrr",
        b"dddd",
        b"bbbb",
        b"mmmm",
        b"llll",
        b"192.0.2.1",
        RECORDS[100][:16],
    ):
        assert one not in data


def test_what_is_no_list_of_keys_of_whoever_knows_the_passphrase(tmp_path):
    for number, row in enumerate(([b"too", b"few"], [b"i", b"m", b"d", 7], b"row", 7)):
        path = tmp_path / str(number)
        backup.write_backup(path, SECRET, CONTENTS, [row], iter([]))
        assert "damaged" in refused(path)


def test_an_empty_one_and_one_of_someone_whose_words_are_on_paper(tmp_path):
    contents = BackupContents(b"n" * 32, b"p" * 32, None, [])
    backup.write_backup(tmp_path / "empty", SECRET, contents, [], iter([]))
    assert read(tmp_path / "empty") == (contents, [], [])


def test_another_passphrase(path):
    assert "passphrase does not open" in refused(path, "brass kettle sing")


def test_nothing_is_replaced(path):
    with pytest.raises(Mistake, match="there already"):
        backup.write_backup(path, SECRET, CONTENTS, [], iter([]))
    assert read(path) == (CONTENTS, KEYS, RECORDS)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(Mistake, match="cannot be written"):
        backup.write_backup(tmp_path / "no" / "backup", SECRET, CONTENTS, [], iter([]))
    with pytest.raises(Mistake, match="cannot be read"):
        BackupReader(tmp_path / "none", SECRET)


def test_a_backup_that_fails_leaves_nothing(tmp_path):
    def spoilt():
        yield b"one"
        raise OSError(28, "No space left on device")

    with pytest.raises(Mistake, match="No space left"):
        backup.write_backup(tmp_path / "backup", SECRET, CONTENTS, [], spoilt())
    assert list(tmp_path.iterdir()) == []


def test_cut_off_anywhere(path):
    data, ends = path.read_bytes(), list(pieces(path))
    for at in [*ends[:-1], *(end + 2 for end in ends[:-1]), len(data) - 1, 5]:
        path.write_bytes(data[:at])
        refused(path)


def test_pieces_in_another_order_left_out_doubled_or_added(path):
    data, at = path.read_bytes(), list(pieces(path))
    parts = [data[a:b] for a, b in itertools.pairwise(at)]
    for wrong in (
        [*parts[:3], parts[4], parts[3], *parts[5:]],
        [*parts[:3], *parts[4:]],
        [*parts[:3], parts[3], *parts[3:]],
        [*parts, parts[-1]],
        [*parts, b"\0"],
    ):
        path.write_bytes(FILE_MARK + b"".join(wrong))
        refused(path)


@pytest.mark.parametrize("length", [0, 1, 16, 65_536 + 18, 2**31, 2**32 - 1])
def test_lengths_that_no_backup_has(path, length):
    data, at = path.read_bytes(), list(pieces(path))
    for piece in (0, 1, 2):
        start = at[piece]
        path.write_bytes(data[:start] + length.to_bytes(4, "big") + data[start + 4 :])
        assert "cut off or damaged" in refused(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"version": 3},
        {"version": "1"},
        {"ops": 10**9},
        {"mem": 2**40},
        {"salt": b""},
        {"stream": b"short"},
        {"stream": None},
    ],
)
def test_a_head_that_no_backup_has(path, fields):
    data, at = path.read_bytes(), list(pieces(path))
    head = msgpack.unpackb(data[at[0] + 4 : at[1]]) | fields
    packed = msgpack.packb(head)
    path.write_bytes(FILE_MARK + len(packed).to_bytes(4, "big") + packed + data[at[1] :])
    refused(path)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"neighbourhood": "../../etc/passwd", "person": b"p" * 32, "root": None, "boxes": []},
        {"neighbourhood": b"n" * 32, "person": b"p" * 31, "root": None, "boxes": []},
        {"neighbourhood": b"n" * 32, "person": b"p" * 32, "root": b"", "boxes": []},
        {"neighbourhood": b"n" * 32, "person": b"p" * 32, "root": None, "boxes": [[b"d" * 32]]},
        {"neighbourhood": b"n" * 32, "person": b"p" * 32, "root": None, "boxes": 7},
        {
            "neighbourhood": b"n" * 32,
            "person": b"p" * 32,
            "root": None,
            "boxes": [],
            "path": "../x",
        },
        {
            "neighbourhood": b"n" * 32,
            "person": b"p" * 32,
            "root": None,
            "boxes": [],
            "addresses": [1],
        },
    ],
)
def test_contents_of_whoever_knows_the_passphrase(tmp_path, monkeypatch, value):
    monkeypatch.setattr(backup, "asdict", lambda _: value)
    backup.write_backup(tmp_path / "made", SECRET, CONTENTS, [], iter([]))
    assert "damaged" in refused(tmp_path / "made")


@settings(max_examples=200)
@given(data=st.data())
def test_any_changed_byte_is_one_sentence(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("backup") / "backup"
    backup.write_backup(path, SECRET, CONTENTS, KEYS[:2], iter(RECORDS[:20]))
    whole = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(whole)
    refused(path)


@pytest.mark.parametrize("make", ["pipe", "link", "folder", "nothing"])
def test_what_is_no_file_is_refused_at_once(tmp_path, make):
    path = tmp_path / "backup"
    if make == "pipe":
        os.mkfifo(path)
    elif make == "link":
        path.symlink_to("/dev/zero")
    elif make == "folder":
        path.mkdir()

    with pytest.raises(Mistake, match="name"):
        BackupReader(path, "a secret")
