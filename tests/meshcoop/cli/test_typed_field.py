"""A refusal on the command line names the field as the person typed it: as an option."""

from inspect import signature

import pytest

from meshcoop.cli.context import Context
from meshcoop.cli.main import run_command
from meshcoop.cli.membership import found_command
from meshcoop.cli.post import post_app, propose_renewal
from meshcoop.cli.typed_field import name_typed_field
from meshcoop.home.folder import Home
from protocol.errors import Refused
from protocol.fold.registry import KINDS

POSTED = [kind for kind in KINDS.values() if kind.posted]


def refusals_of(field, name):
    """Yields a refusal for each value that the field may not have, among values of many types."""
    for value in (object(), "", " " * 9000, -(10**9), 10**15, [], [object()], {}):
        for check in (field.check, lambda name, value: field.read(name, value, refuse)):
            try:
                check(name, value)
            except Refused as refusal:
                yield refusal
            except (AttributeError, TypeError):
                pass  # a value that nobody can type


def refuse(what, typed):
    raise Refused("R-10.3", "no such " + what)


@pytest.mark.parametrize("kind", POSTED, ids=lambda kind: kind.name)
def test_every_field_is_named_as_its_option(kind):
    about = () if kind.is_root else ("--about", "x")
    command, bound, _ = post_app.parse_args(
        [kind.name, *about], exit_on_error=False, print_error=False
    )
    for name, field in kind.fields.items():
        option = "--" + name.replace("_", "-")
        _, typed, _ = post_app.parse_args(
            [kind.name, *about, option, "word"], exit_on_error=False, print_error=False
        )
        assert name in typed.arguments
        for refusal in refusals_of(field, name):
            if refusal.field is not None:
                sentence = name_typed_field(refusal, bound.signature).reason
                assert sentence.startswith((option, "there is no")), sentence
        needed = Refused("R-10.2", "{name} needs {field}", field=name, name=kind.name)
        assert name_typed_field(needed, signature(command)).reason == f"{kind.name} needs {option}"


def test_no_field_is_named_but_by_its_argument():
    for kind in KINDS.values():
        for field in kind.fields.values():
            for refusal in refusals_of(field, "odd_name"):
                assert "odd_name" not in refusal.naming("X").reason


@pytest.mark.parametrize(
    ("command", "field", "typed"),
    [
        (found_command, "settle_hours", "--settle-hours"),
        (found_command, "name", "NAME"),
        (found_command, "as", "--as"),
        (propose_renewal, "moderators", "--moderator"),
        (propose_renewal, "will_vote", "--will-vote"),
        (propose_renewal, "settle_hours", "`settle-hours`"),
    ],
)
def test_name_stands_as_the_help_has_it(command, field, typed):
    refusal = Refused("R-10.3", "{field} must be short", field=field)

    assert name_typed_field(refusal, signature(command)).reason == f"{typed} must be short"


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["--as", "Ada", "--settle-hours", "1"], "--settle-hours must be"),
        (["--as", "Ada", "--answer-days", "8"], "--answer-days must be a whole number from 1 to 7"),
        (["--as", " "], "--as must be"),
    ],
)
def test_founding_is_refused_in_the_words_that_were_typed(tmp_path, words, begins):
    with pytest.raises(Refused) as refused:
        run_command(["found", "Rushey Lane", *words], Context(Home(tmp_path), json=False))

    assert refused.value.reason.startswith(begins)
