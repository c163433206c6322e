"""The global options of the command line: they may stand anywhere before `--`."""

from pathlib import Path

import pytest

from meshcoop.cli.main import split_global_options
from meshcoop.errors import Mistake

HERE = Path("here")


@pytest.mark.parametrize(
    ("line", "words", "options"),
    [
        ("list requests", "list requests", {}),
        ("--json --home here list requests", "list requests", {"json": True, "home": HERE}),
        ("list --home=here requests --json", "list requests", {"json": True, "home": HERE}),
        ("--home --json here list", "list", {"json": True, "home": HERE}),
        ("post request -- --json --home", "post request -- --json --home", {}),
        ("--version", "", {"version": True}),
    ],
)
def test_global_options_are_taken_out_wherever_they_stand(line, words, options):
    assert split_global_options(line.split()) == (words.split(), options)


@pytest.mark.parametrize("line", ["list --home", "--home --as Ada", "--home a list --home b"])
def test_a_home_that_is_missing_or_given_twice_is_refused(line):
    with pytest.raises(Mistake, match="--home") as refusal:
        split_global_options(line.split())
    assert refusal.value.code == 2
