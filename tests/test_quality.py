"""Runs the linter, the formatter, the type checker and the import contracts as ordinary tests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

CHECKS = {
    "lint": ["ruff", "check", "--no-cache", "."],
    "format": ["ruff", "format", "--no-cache", "--check", "."],
    "types": ["mypy"],
    "contracts": ["lint-imports", "--no-cache"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_tree_is_in_order(name):
    program, *options = CHECKS[name]
    command = [str(Path(sys.executable).parent / program), *options]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_protocol_reaches_for_no_clock_and_no_chance():
    """`protocol` uses no clock and no random numbers. import-linter cannot see names that come from
    allowed modules.
    """
    forbidden = ("datetime.now", "utcnow", "date.today", "nacl.utils.random", "randombytes")
    found = [
        f"{path.name}: {word}"
        for path in (ROOT / "protocol").rglob("*.py")
        for word in forbidden
        if word in path.read_text(encoding="utf-8")
    ]

    assert found == []


def test_only_the_store_knows_sql():
    """Only the store sends SQL. import-linter cannot see SQL that other code sends over a
    connection of the store.
    """
    sql = re.compile(r"\.execute(many|script)?\(|\.db[.,)]|CREATE TABLE|INSERT INTO|PRAGMA ")
    places = [ROOT / "meshcoop", ROOT / "protocol", ROOT / "tui"]
    paths = [path for place in places for path in place.rglob("*.py")]
    outside = [path for path in paths if ROOT / "meshcoop" / "store" not in path.parents]

    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in outside
        for match in sql.finditer(path.read_text(encoding="utf-8"))
    ]

    assert found == []
