import ipaddress
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcoop.errors import Mistake
from meshcoop.home.folder import HOME_VARIABLE, Home
from meshcoop.home.private_files import open_replacement, write_private_file
from meshcoop.home.settings import Settings


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def far_home(tmp_path, monkeypatch):
    short = tempfile.mkdtemp(dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", short)
    yield Home(tmp_path / ("far" * 30) / "home")
    shutil.rmtree(short)


def test_the_option_goes_before_the_variable_and_that_before_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "variable"))
    assert Home.find(tmp_path / "option").path == tmp_path / "option"
    assert Home.find().path == tmp_path / "variable"
    monkeypatch.delenv(HOME_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert Home.find().path.name == "meshcoop"


def test_a_home_is_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Home.find("relative").path == tmp_path / "relative"
    assert Home.find("link").path == tmp_path / "real"


def test_a_home_is_for_its_owner_alone(home):
    assert mode(home.path) == 0o700
    assert mode(home.api_socket.parent) == 0o700
    home.create()


def test_an_empty_folder_becomes_a_home_for_its_owner_alone(tmp_path):
    tmp_path.chmod(0o775)
    Home(tmp_path).create()
    assert mode(tmp_path) == 0o700


def test_a_folder_that_others_can_change_is_no_home(home):
    home.path.chmod(0o770)
    with pytest.raises(Mistake, match="chmod 700"):
        home.create()


def test_a_file_is_no_home(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(Mistake, match="--home"):
            Home(path).create()


def test_the_socket_lies_in_the_home(home):
    assert home.api_socket == home.path / "run" / "api.sock"


def test_a_home_with_a_long_path_has_its_socket_elsewhere(far_home):
    far_home.create()
    path = far_home.api_socket
    assert len(os.fsencode(path)) <= 100
    assert path.parent.parent.as_posix() == tempfile.gettempdir()
    assert mode(path.parent) == 0o700
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(path))
    assert Home(far_home.path).api_socket == path
    assert Home(far_home.path.with_name("other")).api_socket != path


def test_a_folder_of_the_socket_that_others_can_enter_is_refused(far_home):
    far_home.create()
    folder = far_home.api_socket.parent
    folder.chmod(0o711)
    for use in (lambda: far_home.api_socket, far_home.create):
        with pytest.raises(Mistake, match="chmod 700"):
            use()


def test_a_link_in_place_of_the_folder_of_the_socket_is_refused(far_home, tmp_path):
    folder = far_home.api_socket.parent
    folder.symlink_to(tmp_path)
    for use in (lambda: far_home.api_socket, far_home.create):
        with pytest.raises(Mistake, match="not a folder of yours"):
            use()


def test_a_folder_of_somebody_else_is_refused(home, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(Mistake, match="not a folder of yours"):
        home.api_socket  # noqa: B018


def test_no_short_path_at_all_is_said(far_home, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "x" * 90)
    with pytest.raises(Mistake, match="TMPDIR"):
        far_home.api_socket  # noqa: B018


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(
    st.builds(
        Settings,
        st.lists(TEXTS, max_size=3).map(tuple),
        st.none() | st.integers(1, 65535),
        st.none() | TEXTS,
    )
)
def test_settings_are_read_as_they_were_written(settings):
    with tempfile.TemporaryDirectory() as folder:
        home = Home.find(folder)
        home.write_settings(settings)
        assert home.read_settings() == settings
        assert mode(home.settings_file) == 0o600


def test_settings_have_defaults(home):
    assert home.read_settings() == Settings()


@pytest.mark.parametrize(
    "text",
    [
        b"listen",
        b"\xff",
        b'listen = "/ip4/127.0.0.1/tcp/1"',
        b"listen = [1]",
        b"port = 0",
        b"port = 65536",
        b"port = true",
        b"relay = 5",
        b"neighbourhood = 'ab'",
        b"colour = 1",
    ],
)
def test_settings_that_make_no_sense_are_a_mistake(home, text):
    home.settings_file.write_bytes(text)
    with pytest.raises(Mistake, match=r"home\.toml cannot be read .*; correct it"):
        home.read_settings()


def test_the_default_addresses_keep_their_port(home):
    first = home.default_listen_addresses()
    assert home.default_listen_addresses() == first
    assert first[0].startswith("/ip4/127.0.0.1/tcp/")
    for address in first:
        _, ip4, host, tcp, port = address.split("/")
        assert (ip4, tcp, int(port)) == ("ip4", "tcp", home.read_settings().port)
        assert ipaddress.IPv4Address(host)
    assert len(set(first)) == len(first)


def test_choosing_a_port_keeps_the_other_settings(home):
    settings = Settings(listen=("/ip4/127.0.0.1/tcp/1",), relay="Mill")
    home.write_settings(settings)
    home.default_listen_addresses()
    assert replace(home.read_settings(), port=None) == settings


def test_a_private_file_is_replaced_as_a_whole(home):
    path = home.path / "file"
    path.write_bytes(b"before")
    path.chmod(0o644)
    write_private_file(path, b"after")
    assert path.read_bytes() == b"after"
    assert mode(path) == 0o600


def test_a_link_is_replaced_and_not_followed(home, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"mine")
    path = home.path / "file"
    path.symlink_to(target)
    write_private_file(path, b"secret")
    assert target.read_bytes() == b"mine"
    assert not path.is_symlink()


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "exports").symlink_to(elsewhere)
    with pytest.raises(Mistake):
        write_private_file(tmp_path / "exports" / "file", b"secret")
    assert not list(elsewhere.iterdir())


def test_a_link_put_in_place_of_the_folder_meanwhile_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path / "exports"
    folder.mkdir()
    with open_replacement(folder / "file") as file:
        file.write(b"secret")
        folder.rename(tmp_path / "moved")
        folder.symlink_to(elsewhere)
    assert not list(elsewhere.iterdir())
    assert (tmp_path / "moved" / "file").read_bytes() == b"secret"


def test_a_file_that_cannot_be_written_leaves_what_was_there(home, monkeypatch):
    path = home.path / "file"
    path.write_bytes(b"before")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Mistake, match="No space left"):
        write_private_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert {each.name for each in home.path.iterdir()} == {"file", "run"}


def test_the_lock_keeps_a_second_node_out(home):
    assert not home.is_running()
    with home.lock():
        assert home.is_running()
        with pytest.raises(Mistake, match="meshcoop down"), home.lock():
            pass
        assert home.is_running()
    assert not home.is_running()
    with home.lock():
        assert mode(home.lock_file) == 0o600


def test_the_lock_holds_between_processes_and_ends_with_them(home):
    program = (
        "import sys; from pathlib import Path; from meshcoop.home.folder import Home\n"
        "with Home(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(home.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        assert home.is_running()
        child.kill()
        child.wait()
        assert not home.is_running()


def test_where_there_is_no_home_nothing_runs(tmp_path):
    home = Home(tmp_path / "none")
    assert not home.is_running()
    with pytest.raises(Mistake, match="cannot be opened"), home.lock():
        pass
