"""What a node tells systemd, and the unit file that the node gives to systemd."""

import json
import logging
import os
import shutil
import socket
import subprocess

import pytest

from meshcoop.home.folder import Home
from meshcoop.node import systemd
from meshcoop.node.json_log import JsonLines


@pytest.mark.parametrize("abstract", [False, True])
def test_it_is_told_on_the_socket_that_it_names(tmp_path, monkeypatch, abstract):
    where = f"\0meshcoop-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(where)
        heard.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", where.replace("\0", "@"))
        systemd.notify("READY=1")
        assert heard.recv(100) == b"READY=1"


@pytest.mark.parametrize("where", ["", "relative", "/no/such/socket", "@"])
def test_who_does_not_listen_is_no_trouble(monkeypatch, where):
    monkeypatch.setenv("NOTIFY_SOCKET", where)
    systemd.notify("READY=1")


def test_signs_of_life_are_for_the_process_that_is_watched(monkeypatch):
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    assert systemd.watchdog_seconds() == 60
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert systemd.watchdog_seconds() == 60
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert systemd.watchdog_seconds() is None
    monkeypatch.setenv("WATCHDOG_USEC", "soon")
    assert systemd.watchdog_seconds() is None


@pytest.mark.parametrize("folder", ["relay", "a relay's home", "100%"])
def test_the_unit_is_one_that_systemd_reads(tmp_path, folder):
    home = Home(tmp_path / folder)
    home.path.mkdir()
    text = systemd.unit(home, "Surgery 100%", "daemon")
    assert "Type=notify" in text
    assert "PASSPHRASE" not in text  # the keys of a relay have none
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd here that could read the unit")
    unit = tmp_path / "meshcoop-relay.service"
    unit.write_text(text)
    read = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    about_it = [line for line in read.stderr.splitlines() if "meshcoop-relay.service" in line]
    assert about_it == []


def test_a_log_line_is_one_object(caplog):
    logger = logging.getLogger("meshcoop.test")
    with caplog.at_level(logging.INFO):
        logger.info("%s says\n%s", "somebody", "\u202e two lines")
        try:
            raise ValueError("a fault")
        except ValueError:
            logger.exception("it failed")
    first, second = (JsonLines().format(one) for one in caplog.records)
    assert "\n" not in first + second
    assert json.loads(first)["message"] == "somebody says\n\u202e two lines"
    assert json.loads(first)["level"] == "info"
    assert "ValueError: a fault" in json.loads(second)["error"]
