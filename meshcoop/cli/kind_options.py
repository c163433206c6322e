"""Makes the options of a command from the declaration of a kind of records. Each field of the kind
becomes an option.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from cyclopts import Parameter

from protocol.fold.registry import DeclaredKind
from protocol.schema.fields import Field


def add_field_options(
    kind: DeclaredKind, command: Callable[..., None], *, leave_out: tuple[str, ...] = ()
) -> Callable[..., None]:
    """Replaces the parameter `**fields` of a command by options: one option for each field of
    `kind`.
    """

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        command(*args, **{key: value for key, value in options.items() if value is not None})

    fields = {name: field for name, field in kind.fields.items() if name not in leave_out}
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    # The command's own parameters come first, because the options are keyword-only.
    parameters = own + [_make_option(name, field) for name, field in fields.items()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _make_option(name: str, field: Field) -> inspect.Parameter:
    typed: Any = list[str] if field.is_list or field.is_phrase else str
    notes = [f"{field.help} ({field.hint})" if field.help else field.hint]
    if field.required and not field.filled:
        notes.append("— needed")
    if field.private:
        notes.append("— private to both")
    if field.beside:
        notes.append("— for the neighbourhood only, not for relays")
    words = getattr(field, "words", ())
    if words:
        notes.append("— " + ", ".join(words))
    option = Parameter(
        name=f"--{name.replace('_', '-')}",
        help=" ".join(notes),
        negative=(),
        consume_multiple=field.is_phrase,
        # Several words end at the next option.
        allow_leading_hyphen=not field.is_phrase,
    )
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[typed | None, option],
    )
