"""Editors on some systems begin each text file with a byte order mark, which nobody sees."""

import io
import json
import sys

import pytest

from meshcoop.cli import addresses
from meshcoop.cli.loops import point_file
from meshcoop.home import passphrase, recovery_words
from meshcoop.home.settings import read_settings

MARK = b"\xef\xbb\xbf"
ROOT_SEED = bytes(range(32))


def read_secret(path, monkeypatch):
    monkeypatch.setenv(passphrase.PASSPHRASE_VARIABLE, str(path))
    return passphrase.obtain_passphrase()


def read_pin(path, monkeypatch):
    monkeypatch.setenv(passphrase.PIN_VARIABLE, str(path))
    return passphrase.obtain_pin("Grace")


def read_address(path, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(path.read_text(encoding="utf-8")))
    return addresses._read_address()


# What people write to a file of their own, and the function that reads it. The lines of
# `post --lines` have a test of their own.
READERS = {
    "passphrase": (b"a secret\n", read_secret),
    "PIN": (b"2468\n", read_pin),
    "recovery words": (
        " ".join(recovery_words.to_words(ROOT_SEED)).encode(),
        lambda path, _: recovery_words.read_root_seed(path),
    ),
    "settings": (b'relay = "Mill"\n', lambda path, _: read_settings(path)),
    "points": (json.dumps({"points": []}).encode(), lambda path, _: point_file._read_object(path)),
    "address": ("3 Rushey Lane, Łódź".encode(), read_address),
}


@pytest.mark.parametrize("name", READERS)
def test_text_with_a_mark_reads_as_without(name, tmp_path, monkeypatch):
    text, read = READERS[name]
    path = tmp_path / "text"

    path.write_bytes(text)
    without = read(path, monkeypatch)
    path.write_bytes(MARK + text)

    assert read(path, monkeypatch) == without
