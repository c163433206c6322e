"""What leaves the home as files: export."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.client import Client
from meshcoop.commands.context import Given
from meshcoop.errors import Mistake

_USAGE = 2


def _export(
    form: Annotated[str, Parameter(help="ics: what you have promised to be at, as a calendar")],
    /,
    *,
    to: Annotated[Path, Parameter(help="the folder to write to")],
    context: Given,
) -> None:
    """Writes what is here as files that other programs read: ics."""
    writes = _FORMS.get(form)
    if writes is None:
        raise Mistake(f"There is no export {form!r}; there are: {', '.join(_FORMS)}.", _USAGE)
    with context.node() as node:
        name, data, told = writes(node)
    try:
        to.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(data)
    except OSError as error:
        raise Mistake(
            f"{to} cannot be written to: {error.strerror}. Name another folder."
        ) from None
    file = to.absolute() / name
    context.answer({"files": [str(file)], **told}, lambda: f"{file} is written.")


def _calendar(node: Client) -> tuple[str, bytes, dict[str, Any]]:
    from meshcoop import ics  # late: no other command needs the library

    diary = node.call("diary")
    entries = diary["entries"]
    return "diary.ics", ics.written(entries, diary["timezone"]), {"entries": len(entries)}


_FORMS: dict[str, Callable[[Client], tuple[str, bytes, dict[str, Any]]]] = {"ics": _calendar}
