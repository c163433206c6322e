"""A home that an older program made is refused by every command, and stays as it is (R-01.31)."""

import msgpack
import pytest

from meshcoop.cli import main as command_line
from meshcoop.cli import screen
from meshcoop.home.key_file import OlderHome

SENTENCE = "made by an older meshcoop; begin anew"
# A key file of version 1: the map of a lock, whose cost nobody pays here.
LOCKED = {
    "version": 1,
    "salt": b"s" * 16,
    "ops": 2,
    "mem": 67108864,
    "nonce": b"n" * 24,
    "box": b"",
}


@pytest.fixture
def older(tmp_path, monkeypatch):
    folder = tmp_path / "ada"
    folder.mkdir(mode=0o700)
    (folder / "keys").write_bytes(msgpack.packb(LOCKED))
    (folder / "keys").chmod(0o600)
    (folder / "store.db").write_bytes(b"SQLite format 3\0" + b"letters" * 999)
    (folder / "home.toml").write_text('neighbourhood = "ab"\n')
    secret = tmp_path / "passphrase"
    secret.write_text("brass kettle sings\n")
    monkeypatch.setenv("MESHCOOP_PASSPHRASE_FILE", str(secret))
    return folder


def as_it_lies(folder):
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*")}


def run(folder, *words):
    command_line.launch(*words, home=folder)


@pytest.mark.parametrize(
    "command", [name for name in command_line._COMMANDS if name not in command_line._WITHOUT_HOME]
)
def test_each_command_refuses_an_older_home_and_changes_nothing(older, command):
    before = as_it_lies(older)
    with pytest.raises(OlderHome, match=SENTENCE):
        run(older, command)
    assert as_it_lies(older) == before


def test_the_screen_refuses_an_older_home(older, monkeypatch):
    monkeypatch.setattr(screen, "can_show_screen", lambda: True)
    with pytest.raises(OlderHome, match=SENTENCE):
        run(older)


def test_a_guide_is_shown_beside_an_older_home(older, capsys):
    run(older, "help", "resident")
    assert "passphrase" in capsys.readouterr().out
