"""Which modules the screen imports, and what it says when there is no terminal that can show it."""

import subprocess
import sys

import pytest

LATE = ("meshcoop", "trio", "libp2p", "multiaddr", "zeroconf")


def test_importing_the_app_loads_neither_the_node_nor_its_libraries():
    code = (
        "import sys, tui.app, tui.screens.home, tui.screens.post_form, protocol.kinds\n"
        f"print([one for one in {LATE!r} if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_splash_waits_for_no_kind_and_no_cryptography():
    code = "import sys, tui.app\nprint([one for one in ('protocol.kinds', 'nacl') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", [("-m", "tui", "--socket", "/nowhere"), ("-m", "meshcoop")])
def test_without_a_terminal_the_plain_commands_are_named(command, tmp_path):
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"MESHCOOP_HOME": str(tmp_path), "TERM": "xterm"},
    )
    assert "list" in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
