"""Names the field that is wrong as a person types it on the command line."""

from inspect import Parameter as Input
from inspect import Signature
from typing import get_args

from cyclopts import Parameter

from protocol.errors import Refused


def name_typed_field(refusal: Refused, command: Signature) -> Refused:
    """Returns the refusal with the name of the option that takes the wrong field (R-06.5e).

    Example: `--settle-hours` for the field `settle_hours`. If the command has no option for the
    field, the field is a word in the value of an option, as in `--change charter settle-hours=3`.
    Such a word stands in backticks, and has hyphens too.
    """
    if refusal.field is None:
        return refusal
    for name, given in command.parameters.items():
        if name.strip("_") == refusal.field:
            return refusal.naming(_option_of(given))
    return refusal.naming(f"`{_hyphenate(refusal.field)}`")


def _option_of(given: Input) -> str:
    """Returns the name of an option. A value without an option is in capitals, as `--help` has
    it.
    """
    if given.kind is not Input.KEYWORD_ONLY:
        return _hyphenate(given.name).upper()
    for note in get_args(given.annotation):
        if isinstance(note, Parameter) and note.name:
            return next(iter(note.name))
    return f"--{_hyphenate(given.name)}"


def _hyphenate(name: str) -> str:
    return name.strip("_").replace("_", "-")
