import logging
import subprocess
import sys

import pytest

from meshcoop.network.libp2p.library_logs import redirect_logs
from tests.support.paths import ROOT

PROGRAM = """
import logging, sys, trio
from pathlib import Path
from meshcoop.home.log_files import LogFile
from meshcoop.network.libp2p.host import open_host
from libp2p.network.connection import swarm_connection

async def main():
    log = LogFile(Path(sys.argv[1])) if len(sys.argv) > 1 else None
    async with open_host(bytes(32), ["/ip4/127.0.0.1/tcp/0"], log=log, mdns=False) as one:
        logging.getLogger("libp2p.network.swarm").warning("from libp2p")
        logging.getLogger("multiaddr").error("from multiaddr")
        logging.getLogger("zeroconf").error("from zeroconf")
        swarm_connection.logging.warning("from libp2p to the root logger")
    logging.getLogger("libp2p").error("after the end")

trio.run(main)
"""


@pytest.mark.parametrize("with_file", [True, False])
def test_nothing_reaches_the_screen(tmp_path, with_file):
    file = tmp_path / "net.log"
    arguments = [str(file)] if with_file else []
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("", "")
    if with_file:
        text = file.read_text()
        assert "WARNING libp2p.network.swarm: from libp2p" in text
        assert "from multiaddr" in text
        assert "from zeroconf" in text


def test_handlers_are_taken_off_again(tmp_path):
    with redirect_logs(None):
        pass
    before = {
        name: list(logging.getLogger(name).handlers)
        for name in ("libp2p", "meshcoop.network.libp2p")
    }
    with redirect_logs(logging.FileHandler(tmp_path / "net.log")):
        assert logging.getLogger("libp2p").handlers != before["libp2p"]
    assert {name: logging.getLogger(name).handlers for name in before} == before
