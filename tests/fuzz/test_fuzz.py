"""Runs each fuzz target a limited number of times. If atheris is not installed, skips the
targets.
"""

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from tests.support.paths import ROOT, SUPPORT

TARGETS = SUPPORT / "fuzz_targets.py"
RUNS = 20_000
WITHIN = 300.0  # seconds for each target; 20,000 runs take only a few seconds

NAMES = [
    "record",
    "codec",
    "frames",
    "control",
    "bundle",
    "sync",
    "invitation",
    "statement",
    "content",
    "private",
    "text",
]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="Fuzzing needs atheris: run `uv run --group fuzz pytest -m long tests/fuzz`.",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_a_refusal_comes_out(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz_targets", name, f"-runs={RUNS}", "-seed=1", "-max_len=4096"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=WITHIN, check=False,
    )  # fmt: skip
    told = done.stdout[-2000:] + done.stderr[-4000:]
    assert done.returncode == 0, told
    assert re.search(rf"Done {RUNS} runs|DONE", done.stderr), told


def test_every_target_is_run():
    found = re.findall(r'^    "(\w+)": \w+,$', TARGETS.read_text(), re.MULTILINE)
    assert found == NAMES
