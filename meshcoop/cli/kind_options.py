"""Options of a command, made from a kind's declaration: a field declared once is an option."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from cyclopts import Parameter

from protocol.fold.kind import Kind
from protocol.schema.fields import Field


def of_kind(
    kind: Kind, command: Callable[..., None], *, leave_out: tuple[str, ...] = ()
) -> Callable[..., None]:
    """The command, whose **fields have become an option for each field of `kind`."""

    @wraps(command)
    def run(*args: Any, **given: Any) -> None:
        command(*args, **{key: value for key, value in given.items() if value is not None})

    fields = {key: one for key, one in kind.fields.items() if key not in leave_out}
    own = [
        one
        for one in inspect.signature(command).parameters.values()
        if one.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    options = [_option(key, one) for key, one in fields.items()]
    # The command's own come first in the signature; options of fields are keyword-only after them.
    run.__signature__ = inspect.Signature(own + options)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in own + options}
    return run


def _option(name: str, field: Field) -> inspect.Parameter:
    typed: Any = list[str] if field.many or field.phrase else str
    notes = [f"{field.help} ({field.hint})" if field.help else field.hint]
    if field.required and not field.filled:
        notes.append("— needed")
    if field.private:
        notes.append("— private to both")
    if field.beside:
        notes.append("— for the neighbourhood only, not for relays")
    if words := getattr(field, "words", ()):
        notes.append("— " + ", ".join(words))
    option = Parameter(
        name=f"--{name.replace('_', '-')}",
        help=" ".join(notes),
        negative=(),
        consume_multiple=field.phrase,
        allow_leading_hyphen=True,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[typed | None, option],
    )
