"""The page on security says for each attacker and asset what holds, and which test tries it."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGE = (ROOT / ".github" / "SECURITY.md").read_text()
ASSETS = ["words", "names", "who belongs", "hours", "testimony", "availability"]
ATTACKERS = {
    *("a stranger on the wire", "a relay", "a member", "an ally of a party"),
    *("an expelled person with kept keys", "one's own software"),
    *("a thief of a disk", "a thief of a running machine"),
}


def table():
    """Reads the table. Returns the cells of each attacker, by asset."""
    part = PAGE.split("## Attackers and assets", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in row] for row in rows]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


CELLS = [(who, what, cell) for who, row in table().items() for what, cell in row.items()]


def test_every_attacker_is_set_against_every_asset():
    assert set(table()) == ATTACKERS
    assert all(list(row) == ASSETS for row in table().values())


@pytest.mark.parametrize(("who", "what", "cell"), CELLS)
def test_a_cell_says_what_holds_and_names_its_test(who, what, cell):
    for part in cell.split("; "):
        files = re.findall(r"`([^`]+)`", part)
        if part.startswith("not stopped: "):
            assert not files
        else:
            assert re.match(r"held, `|bounded by [^`]+, `", part), f"{who}, {what}: {part}"
            assert files
        for file in files:
            assert (ROOT / "tests" / Path(file)).is_file(), f"{who}, {what}: no test {file}"
