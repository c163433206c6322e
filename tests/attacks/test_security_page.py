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


# -- games ----------------------------------------------------------------------------------------

GAMES = 25  # moves of the catalogue


def games():
    """Reads the table of moves. Returns its rows."""
    part = PAGE.split("## Games with a loop", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[1:]]


def test_each_move_of_the_catalogue_has_a_rule_what_remains_and_a_test():
    rules = "".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    tests = ROOT / "tests" / "attacks"

    assert len({row[0] for row in games()}) == GAMES
    for move, answered, remains, seen, named in games():
        assert remains, f"{move}: what remains?"
        assert seen, f"{move}: what do people see?"
        for number in re.findall(r"[RA]-[0-9.]+[a-z]?", f"{answered} {remains}"):
            assert f"**{number}**" in rules, f"{move}: {number}"
        file, name = named.strip("`").split("::")
        assert f"def {name}(" in (tests / file).read_text(encoding="utf-8"), f"{move}: {named}"


# -- what is not stopped --------------------------------------------------------------------------

NUMBER = re.compile(r"\bA-(\d\d)\.\d+\b")
HEADING = "## Attacks that this does not stop\n"
CHAPTERS = sorted((ROOT / "specs").glob("[0-9][0-9]-*.md"))

# What remains by the rules of version 2, each with the entry of the specs that says it. The promises
# about witnesses come with later rules.
REMAINS = {
    "the bad majority of an old roll": "A-03.2",
    "a council's majority that cuts at 0": "A-03.3",
    "two who invent hours together": "A-13.1",
    "metadata at relays": "A-08.2",
    "who runs the home where a guest's PIN is typed": "A-06.2",
    "a stolen live device until it is revoked": "A-03.5",
    "a root key's thief": "A-03.11",
    "storage of past days": "A-03.14",
    "what was written while a restored person was out": "A-11.5",
}


def entries_of(path):
    """Returns the entries in a chapter's list of what is not stopped."""
    _, _, rest = path.read_text(encoding="utf-8").partition(HEADING)
    return re.findall(r"(?m)^- (.*)", rest.partition("\n## ")[0])


def page_entries():
    """Returns the entries in the page's list, each as one line."""
    part = PAGE.split("## What is not stopped", 1)[1].partition("\nKnown gap")[0]
    return [" ".join(entry.split()) for entry in re.split(r"(?m)^- ", part)[1:]]


IN_SPECS = [(path.name, entry) for path in CHAPTERS for entry in entries_of(path)]


def test_each_entry_of_the_specs_has_a_number_of_its_chapter():
    """A new entry takes the next number that is free in its chapter."""
    wrong = [entry for name, entry in IN_SPECS if not entry.startswith(f"**A-{name[:2]}.")]
    numbers = [NUMBER.search(entry)[0] for _, entry in IN_SPECS if NUMBER.search(entry)]

    assert wrong == []
    assert len(set(numbers)) == len(numbers) > 90


def test_what_the_specs_do_not_stop_stands_on_the_page_and_the_other_way_round():
    in_specs = {NUMBER.search(entry)[0] for _, entry in IN_SPECS}
    on_page = {match[0] for entry in page_entries() for match in NUMBER.finditer(entry)}

    assert in_specs - on_page == set()
    assert on_page - in_specs == set()


def test_each_entry_of_the_page_names_entries_of_the_specs():
    assert [entry for entry in page_entries() if not NUMBER.search(entry)] == []


@pytest.mark.parametrize("what", REMAINS)
def test_what_the_rules_leave_open_is_said(what):
    assert any(f"**{REMAINS[what]}**" in entry for _, entry in IN_SPECS)
    assert any(NUMBER.search(entry) and REMAINS[what] in entry for entry in page_entries())


def test_no_chapter_hides_such_a_list_under_another_heading():
    headings = [
        f"{path.name}: {line}"
        for path in CHAPTERS
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("## ")
        and re.search(r"what not|not (?:stop|protect)", line)
        and f"{line}\n" != HEADING
    ]
    unlisted = [
        f"{path.name}: {line}"
        for path in CHAPTERS
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"- (?:Not protected|Not stopped|Known gap)", line)
    ]

    assert [*headings, *unlisted] == []
