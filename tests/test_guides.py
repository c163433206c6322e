"""The README and the guides show only commands and options that exist."""

import re
import shlex

import pytest
from cyclopts import CycloptsError

from meshcoop.cli import main as command_line
from tests.support.paths import ROOT, SPECS

PAGES = [ROOT / "README.md", *sorted((SPECS / "guides").glob("*.md"))]
README_LINES = 130


def commands_in(text):
    """Yields the words after `meshcoop` of each indented line that calls meshcoop. Leaves out
    comments and fenced blocks.
    """
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    joined = re.sub(r"\\\n\s*", "", unfenced)
    for line in re.findall(r"^    .*$", joined, re.MULTILINE):
        for part in re.split(r"\||&&", line):
            words = shlex.split(re.sub(r"\s#.*", "", part))
            while words and words[0] in {"sudo", "uv", "run", "-u", "meshcoop"}:
                if words.pop(0) == "meshcoop" and words[:1] != ["meshcoop"]:
                    yield words
                    break


COMMANDS = [(page.name, words) for page in PAGES for words in commands_in(page.read_text())]


@pytest.fixture(scope="module")
def app():
    return command_line.build_app()


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=lambda value: str(value)[:60])
def test_a_command_in_a_guide_is_understood(page, words, app):
    del page
    while words[:1] == ["--home"]:  # options of every command are taken off before it is looked up
        words = words[2:]
    words = [word for word in words if word != "--json"]
    try:
        app.parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        pytest.fail(f"meshcoop {shlex.join(words)}: {error}")


def test_the_guides_show_commands():
    assert len(COMMANDS) > 80


def test_a_command_that_does_not_exist_is_found():
    (words,) = commands_in("    meshcoop post request --color red   # no such option")

    with pytest.raises(CycloptsError):
        command_line.build_app().parse_args(words, exit_on_error=False, print_error=False)


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


PLACES = re.findall(
    r"`((?:meshcoop|protocol|tui|tests)/[\w/.]+)`", (SPECS / "README.md").read_text()
)


@pytest.mark.parametrize("place", sorted(set(PLACES)))
def test_a_place_on_the_map_is_there(place):
    assert (ROOT / place).exists()


def test_no_page_holds_both_sides_of_a_conflict():
    pages = [page for page in ROOT.rglob("*.md") if ".venv" not in page.parts]
    texts = {page: page.read_text(encoding="utf-8").splitlines() for page in pages}
    sides = ("<<<<<<< ", "=======", ">>>>>>> ")
    torn = [page for page, lines in texts.items() if any(line.startswith(sides) for line in lines)]
    assert torn == []
