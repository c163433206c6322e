"""`meshcoop --version` prints the version of this build."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest


def run(*words):
    command = [sys.executable, "-m", "meshcoop", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_the_version_is_printed_alone_on_a_line():
    assert run("--version").stdout == version("meshcoop") + "\n"


@pytest.mark.parametrize("words", [("--json", "--version"), ("--version", "--json")])
def test_the_version_is_printed_as_json(words):
    assert json.loads(run(*words).stdout) == {"version": version("meshcoop")}
