"""What leaves the home as files: export."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import Given
from meshcoop.client import Client
from meshcoop.clock import now
from meshcoop.errors import Mistake

File = tuple[str, bytes, dict[str, Any]]  # its name, what is in it, what else is told

_USAGE = 2
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_LISTS = ("services", "measures", "matters", "actions")


def _export(
    form: Annotated[
        str,
        Parameter(
            help="ics: what you have promised to be at, as a calendar; page: the month, to print"
        ),
    ],
    /,
    *,
    to: Annotated[Path, Parameter(help="the folder to write to")],
    month: Annotated[str | None, Parameter(help="of the page, such as 2026-11; else this")] = None,
    context: Given,
) -> None:
    """Writes what is here as files that other programs read: ics, page."""
    writes = _FORMS.get(form)
    if writes is None:
        raise Mistake(f"There is no export {form!r}; there are: {', '.join(_FORMS)}.", _USAGE)
    with context.node() as node:
        name, data, told = writes(node, month)
    try:
        to.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes(data)
    except OSError as error:
        raise Mistake(
            f"{to} cannot be written to: {error.strerror}. Name another folder."
        ) from None
    file = to.absolute() / name
    context.answer({"files": [str(file)], **told}, lambda: f"{file} is written.")


def _calendar(node: Client, month: str | None) -> File:
    from meshcoop.export import icalendar as ics  # late: no other command needs the library

    if month is not None:
        raise Mistake("A calendar has all that is ahead; leave out --month.", _USAGE)
    diary = node.call("diary")
    entries = diary["entries"]
    return "diary.ics", ics.written(entries, diary["timezone"]), {"entries": len(entries)}


def _page(node: Client, month: str | None) -> File:
    from meshcoop.export.month_page import Month

    if month is None:
        month = datetime.fromtimestamp(now() / 1000, UTC).strftime("%Y-%m")
    elif not _MONTH.fullmatch(month):
        raise Mistake(f"A month is written like 2026-11, not {month!r}.", _USAGE)
    lists = {what: node.call("list", what=what) for what in _LISTS}
    charter = node.call("show", id=node.call("status")["neighbourhood"]["id"])
    page = Month(month, **lists).page(charter["name"], charter["smallest_group"])
    return f"{month}.html", page.encode(), {"month": month}


_FORMS: dict[str, Callable[[Client, str | None], File]] = {"ics": _calendar, "page": _page}
