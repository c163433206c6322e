"""The commands `export` and `take-out`. They write files that other programs read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import ContextArgument, read_clock
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.records import obtain_pin
from meshcoop.client import Client
from meshcoop.errors import Mistake
from meshcoop.home.private_files import open_replacement
from protocol.wire import calls

ExportFile = tuple[str, bytes, dict[str, Any]]  # the name, the content, and further answer fields

_USAGE = 2
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_README = """\
What is in this folder

me.json        who you are here: your name and id, the neighbourhood, your devices, your balance
written.jsonl  everything you have written, one JSON object a line, as far as your home can read it;
               "erased" says that the words are gone, "neighbourhood" stands for its secret id
people.csv     the names of the people whose ids stand in the other files
hours.csv      the minutes that you gave and received, with the id of the other person
diary.ics      what you have promised to attend, for a calendar

All files are text in UTF-8. No program of ours is needed to read them. They hold private words:
keep them as you would keep letters.
"""
_LISTS = ("services", "measures", "matters", "actions")


def export_file(
    form: Annotated[
        str,
        Parameter(
            help="ics: a calendar of what you have promised to attend; page: the month, to print"
        ),
    ],
    /,
    *,
    to: Annotated[Path, Parameter(help="the folder to write to")],
    month: Annotated[
        str | None, Parameter(help="for a page, such as 2026-11; this month if left out")
    ] = None,
    context: ContextArgument,
) -> None:
    """Writes a file for other programs: your diary (ics), or a page about one month for printing
    (page).
    """
    make_file = _FORMS.get(form)
    if make_file is None:
        raise Mistake(
            "There is no export {form!r}; there are: {choices}.",
            _USAGE,
            form=form,
            choices=", ".join(_FORMS),
        )
    with context.connect_node() as node:
        name, data, details = make_file(node, month)
    try:
        to.mkdir(parents=True, exist_ok=True)
        with open_replacement(to / name) as export_file:
            export_file.write(data)
    except OSError as error:
        raise Mistake(
            "{to} cannot be written to: {strerror}. Name another folder.",
            to=to,
            strerror=error.strerror,
        ) from None
    file = to.absolute() / name
    context.answer({"files": [str(file)], **details}, lambda: f"{file} is written.", is_done=True)


def take_out(
    folder: Path,
    /,
    *,
    as_: Annotated[
        str | None, Parameter(name="--as", help="a guest of this home; you if left out")
    ] = None,
    context: ContextArgument,
) -> None:
    """Makes a new folder with everything that you have written. Any program can read its files."""
    from meshcoop.export.own_files import write_own_files  # late: no other command needs it

    context.require_person()
    with context.connect_node() as node:
        count = write_own_files(node, folder, _README, as_, obtain_pin(node, as_))
    files = sorted(path.name for path in folder.iterdir())
    context.answer(
        {"folder": str(folder.absolute()), "records": count, "files": files},
        lambda: f"{folder} holds {format_count(count, 'record')} of yours; begin with README.txt.",
        is_done=True,
    )


def _make_calendar(node: Client, month: str | None) -> ExportFile:
    from meshcoop.export import icalendar  # late: no other command needs the library

    if month is not None:
        raise Mistake("A calendar holds everything that is ahead; leave out --month.", _USAGE)
    entries = node.list_all(calls.Diary())
    timezone = node.call(calls.Diary(limit=0))["timezone"]
    data = icalendar.encode_calendar(entries, timezone)
    return "diary.ics", data, {"entries": len(entries)}


def _make_month_page(node: Client, month: str | None) -> ExportFile:
    from meshcoop.cli.month_page import MonthPage

    clock = read_clock(node)
    if month is None:
        month = clock.today[: len("2026-11")]
    elif not _MONTH.fullmatch(month):
        raise Mistake("A month is written like 2026-11, not {month!r}.", _USAGE, month=month)
    lists: dict[str, Any] = {what: node.list_all(calls.List(what=what)) for what in _LISTS}
    charter = node.call(calls.Show(id=node.call(calls.Status())["neighbourhood"]["id"]))
    page = MonthPage(month, clock, **lists).render(charter["name"], charter["smallest_group"])
    return f"{month}.html", page.encode(), {"month": month}


_FORMS: dict[str, Callable[[Client, str | None], ExportFile]] = {
    "ics": _make_calendar,
    "page": _make_month_page,
}
