"""`meshcoop help` shows guides from a checkout or from the package, and lists the topics of the
guides.
"""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from meshcoop.cli import guides, screen
from meshcoop.cli.context import Context
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.settings import Settings
from tests.support.paths import SPECS

IN_THE_CHECKOUT = SPECS / "guides"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Makes a folder with three guides, in place of the real guides."""
    texts = {
        "developer": "# For developers\n\nYou add a kind\nin one file. You test it.\n",
        "resident": "<!-- a note -->\n# For residents\n\nSee [the street](street.md). Ask.\n",
        "zebras": "# Nothing but a heading\n",
    }
    for topic, text in texts.items():
        (tmp_path / f"{topic}.md").write_text(text, encoding="utf-8")
    monkeypatch.setattr(guides, "find_guides", lambda: tmp_path)
    return tmp_path


def show(topic, capsys, *, as_json=False):
    guides.show_guide(topic, context=Context(Home(Path("/nowhere")), as_json))
    return capsys.readouterr().out


def test_help_lists_the_topics_with_their_first_sentences(folder, capsys):
    lines = show(None, capsys).splitlines()
    assert lines[:3] == [
        "resident   See the street.",
        "developer  You add a kind in one file.",
        "zebras",
    ]
    assert "meshcoop help TOPIC" in lines[-1]


def test_help_shows_a_guide_as_it_is_written(folder, capsys):
    assert show("developer", capsys) == (folder / "developer.md").read_text(encoding="utf-8")


def test_help_answers_with_json(folder, capsys):
    topics = json.loads(show(None, capsys, as_json=True))
    assert topics[0] == {"topic": "resident", "about": "See the street."}
    text = (folder / "resident.md").read_text(encoding="utf-8")
    assert json.loads(show("resident", capsys, as_json=True)) == {"topic": "resident", "text": text}


@pytest.mark.parametrize("topic", ["nothing", "../resident", "resident.md"])
def test_an_unknown_topic_is_refused_with_the_topics_there_are(folder, topic):
    with pytest.raises(Mistake, match="there are: resident, developer, zebras") as refusal:
        guides.show_guide(topic, context=Context(Home(Path("/nowhere")), json=False))
    assert refusal.value.code == 2


@pytest.mark.parametrize("missing", [None, Path("/nowhere")])
def test_an_installation_without_guides_says_so(monkeypatch, missing):
    monkeypatch.setattr(guides, "find_guides", lambda: missing)
    with pytest.raises(Mistake, match="no guides"):
        guides.show_guide(None, context=Context(Home(Path("/nowhere")), json=False))


def test_a_checkout_takes_the_guides_from_the_specs():
    assert guides.find_guides() == IN_THE_CHECKOUT


def test_the_screen_is_told_where_the_guides_are(tmp_path):
    command = screen.screen_command(Home(tmp_path))
    assert command[command.index("--guides") + 1] == str(IN_THE_CHECKOUT)


@pytest.mark.parametrize("is_first_run", [False, True])
def test_the_screen_is_told_how_to_run_commands_of_its_home(tmp_path, is_first_run):
    command = screen.screen_command(Home(tmp_path), is_first_run=is_first_run)
    program = command[command.index("--program") + 1 :]
    assert program[-4:] == ["-m", "meshcoop", "--home", str(tmp_path)]
    assert ("--first-run" in command) == is_first_run


@pytest.mark.parametrize("no_log", [True, False])
def test_the_screen_keeps_a_log_if_the_home_does(tmp_path, monkeypatch, no_log):
    home = Home(tmp_path / "home")
    home.create()
    home.key_file.touch()
    home.write_settings(Settings(no_log=no_log))
    home.screen_log_file.touch()
    os.utime(home.screen_log_file, (0, 0))
    commands = []
    monkeypatch.setattr(screen.process, "running", lambda home: True)
    monkeypatch.setattr(Context, "connect_node", lambda context: nullcontext())
    monkeypatch.setattr(screen.os, "execv", lambda program, command: commands.append(command))
    screen.become_screen(Context(home, json=False))

    assert (str(home.screen_log_file) in commands[0]) is not no_log
    if not no_log:
        assert list(home.screen_log_file.parent.glob("screen.log*")) == []  # it is too old
    home.erase_logs()
    assert list(home.screen_log_file.parent.glob("screen.log*")) == []


def test_the_program_shows_every_guide_and_refuses_other_topics():
    def run(*words):
        command = [sys.executable, "-m", "meshcoop", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    topics = json.loads(run("--json", "help").stdout)
    assert {"resident", "technician", "developer"} <= {row["topic"] for row in topics}
    assert all(row["about"] for row in topics)
    text = (IN_THE_CHECKOUT / "technician.md").read_text(encoding="utf-8")
    assert run("help", "technician").stdout.rstrip() == text.rstrip()
    refused = run("help", "nothing")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
