"""A relay belongs to nobody: a command of a person says so, whatever the command needs."""

import pytest

from meshcoop.cli import context as cli_context
from meshcoop.cli.context import Context
from meshcoop.cli.main import run_command
from meshcoop.errors import IS_RELAY, Mistake
from meshcoop.home.folder import Home
from meshcoop.node import process
from tests.street.test_any_state import ALL, WORDS

# These are for relays, or for every home, or need no home.
OF_NO_PERSON = {
    *("relay found", "relay ticket", "relay list", "relay leave", "relay limits", "relay storage"),
    *("relay metrics", "relay unit", "run", "up", "down", "status", "wait", "log", "doctor"),
    *("help", "kinds", "loops", "found", "restore"),
}


class ReachesTheNode(Exception):
    """Raised in place of a start. The node of a relay says itself that it is a relay."""


@pytest.fixture(scope="module")
def relay(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("relay") / "home")
    run_command(["relay", "found", "Surgery"], Context(home, json=False))
    return home


@pytest.mark.parametrize("command", sorted(set(ALL) - OF_NO_PERSON))
def test_a_command_of_a_person_says_that_a_relay_belongs_to_nobody(command, relay, monkeypatch):
    def start(*_args, **_options):
        raise ReachesTheNode

    monkeypatch.setattr(process, "start", start)
    monkeypatch.setattr(cli_context.process, "start", start)
    words = [*command.split(), *(word.format(path=relay.path) for word in WORDS[command])]
    with pytest.raises((Mistake, ReachesTheNode)) as caught:
        run_command(words, Context(relay, json=True))

    if isinstance(caught.value, Mistake):
        assert caught.value.sentence == IS_RELAY
