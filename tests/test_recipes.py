"""The recipes in CONTRIBUTING work as written: the test follows each recipe in a copy of the
checkout.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from dataclasses import dataclass

import pytest

from tests.support.paths import ROOT

TEXT = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
COPIED = ("meshcoop", "protocol", "tui", "tests", "specs", ".github", "pyproject.toml")
COPIED_PAPERS = ("README.md", "CHANGELOG.md")


@dataclass(frozen=True)
class Block:
    """A fenced block of a recipe: its language and its text."""

    language: str
    text: str


def recipes():
    """Maps the heading of each recipe to its blocks. The recipe for a rule builds on the recipe for
    a kind.
    """
    section = TEXT.split("## Four recipes", 1)[1].split("\n## ", 1)[0]
    parts = re.split(r"^### (.+)$", section, flags=re.MULTILINE)[1:]
    return {
        heading: [Block(*pair) for pair in re.findall(r"```(\w+)\n(.*?)```", body, re.DOTALL)]
        for heading, body in zip(parts[::2], parts[1::2], strict=True)
    }


def follow(block, tree):
    """Does what a block says, in the copy of the checkout."""
    if block.language == "sh":
        for line in block.text.splitlines():
            words = shlex.split(line)
            if words == ["uv", "sync"]:
                write_metadata(tree)
            else:
                run(words, tree)
        return
    first, text = block.text.split("\n", 1)
    if new := re.fullmatch(r"# new file: (\S+)", first):
        path = tree / new[1]
        assert not path.exists(), f"{new[1]} is there already"
        path.write_text(text, encoding="utf-8")
        return
    edit = re.fullmatch(r"# in (\S+), (?P<where>after|instead of): (.*)", first)
    assert edit, f"a block begins with the file that it is for, not with {first!r}"
    path = tree / edit[1]
    before = path.read_text(encoding="utf-8")
    line = f"{edit[3]}\n"
    assert before.count(line) == 1, f"{edit[1]} has this line once: {line}"
    after = text if edit["where"] == "instead of" else line + text
    path.write_text(before.replace(line, after), encoding="utf-8")


def write_metadata(tree):
    """Gives the copy its entry points, as `uv sync` does. The copy runs in the environment of the
    checkout, so nothing is installed there.
    """
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = tree / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    points = ConfigParser()
    points.read_dict(project["entry-points"])
    with info.joinpath("entry_points.txt").open("w", encoding="utf-8") as file:
        points.write(file)


def run(words, tree):
    assert words[0] == "python"
    done = subprocess.run(
        [sys.executable, *words[1:]],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(words)}\n{done.stdout}\n{done.stderr}"


@pytest.fixture
def tree(tmp_path):
    """Copies the part of the checkout that a recipe may change, with the code that Python has
    compiled.
    """
    for name in COPIED[:-1]:
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in (COPIED[-1], *COPIED_PAPERS):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_recipes_work_as_they_stand(tree):
    for blocks in recipes().values():
        for block in blocks:
            follow(block, tree)

    run(["python", "-m", "ruff", "check", "."], tree)
    run(["python", "-m", "ruff", "format", "--check", "."], tree)


@pytest.mark.long
def test_what_the_recipes_write_is_typed(tree):
    for blocks in recipes().values():
        for block in blocks:
            if block.language != "sh":
                follow(block, tree)

    run(["python", "-m", "mypy"], tree)


def test_there_are_four_recipes_and_each_is_checked_by_a_command():
    blocks = recipes()

    assert list(blocks) == ["A kind of record", "A command", "A screen", "A rule"]
    assert all(any(block.language == "sh" for block in parts) for parts in blocks.values())
