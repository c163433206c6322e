"""The commands that the screen runs: secrets go through pipes, and a failure is a sentence."""

import asyncio
import sys

import pytest

from tui.node.api_client import Declined
from tui.node.program import Program

SECRET = "brass kettle sings"
READER = """
import json, os, sys
read = lambda path: open(path).read()
secret = os.environ.get("MESHCOOP_PASSPHRASE_FILE")
words = sys.argv[1:]
if "fail" in words:
    sys.exit("Something above.\\nThat cannot be; try again.")
print(json.dumps({
    "words": [word for word in words if not word.startswith("/dev")],
    "secret": secret and read(secret),
    "file": read(words[-1]) if words[-1].startswith("/dev") else None,
    "line": read("/proc/self/cmdline") + read("/proc/self/environ"),
}))
"""


def run(*words, **secrets):
    return asyncio.run(Program([sys.executable, "-c", READER]).run(*words, **secrets))


def test_secrets_go_through_pipes_and_stand_in_no_list_of_processes():
    answer = run("join", "--words", passphrase=SECRET, secret_file="one\ntwo")
    line = answer.pop("line")
    assert answer == {
        "words": ["--json", "join", "--words"],
        "secret": f"{SECRET}\n",
        "file": "one\ntwo\n",
    }
    assert SECRET not in line
    assert "two" not in line


def test_without_a_secret_nothing_is_passed_on(monkeypatch):
    monkeypatch.delenv("MESHCOOP_PASSPHRASE_FILE", raising=False)
    answer = run("relay", "ticket")
    assert (answer["secret"], answer["file"]) == (None, None)


def test_a_failure_is_the_last_sentence_of_the_program():
    with pytest.raises(Declined) as declined:
        run("fail")
    assert declined.value.sentence == "That cannot be; try again."


def test_who_goes_back_stops_the_command():
    async def leave():
        program = Program([sys.executable, "-c", "import time; time.sleep(600)"])
        task = asyncio.create_task(program.run("join"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
