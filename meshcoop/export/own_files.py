"""Writes everything that a person has written into files that any program can read."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from meshcoop.client import Client
from meshcoop.errors import NO_MEMBER, NO_NEIGHBOURHOOD, Mistake
from meshcoop.home.private_files import open_replacement
from protocol.wire import calls

_PAGE = 500  # records asked for at once


def write_own_files(
    node: Client, folder: Path, readme: str, guest: str | None, pin: str | None
) -> int:
    """Makes a folder with files of everything that a person has written. The person is this home's
    person, or a guest. The text `readme` explains the files. Returns the number of the person's
    records.

    Raises Mistake if the folder exists and is not empty, or if this home never belonged to a
    member.
    """
    status = node.call(calls.Status())
    if status["neighbourhood"] is None:
        raise Mistake(NO_NEIGHBOURHOOD)
    owner = status["person"] or status["former"]
    if owner is None:
        raise Mistake(NO_MEMBER)
    _make_empty(folder)
    person = guest or owner["id"]
    lines = _encode_lines(_each_written(node, guest, pin), status["neighbourhood"]["id"])
    count = _write(folder / "written.jsonl", lines)
    balance = node.show_whole(calls.Balance(person=person))
    devices = calls.Devices(person=person)
    me = {
        "person": balance["person"],
        "neighbourhood": status["neighbourhood"]["name"],
        "devices": [device["device"] for device in node.list_all(devices)],
        "balance": {name: balance[name] for name in ("given", "received", "balance")},
    }
    _write(folder / "me.json", [json.dumps(me, ensure_ascii=False, indent=2).encode()])
    people = node.list_all(calls.List(what="people"))
    _write(folder / "people.csv", _encode_table(("id", "name"), people))
    columns = ("on", "kind", "minutes", "balance", "with", "id")
    hours = [{**line, "with": line["person"]["id"]} for line in balance["history"]]
    _write(folder / "hours.csv", _encode_table(columns, hours))
    if guest is None:
        _write(folder / "diary.ics", [_make_calendar(node)])
    _write(folder / "README.txt", [readme.encode()])
    return count


def _make_empty(folder: Path) -> None:
    """Makes the folder. Raises Mistake if the folder exists and is not empty."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not any(folder.iterdir()):
            return
    raise Mistake("The folder {folder} is not empty; name a new one.", folder=folder)


def _each_written(node: Client, guest: str | None, pin: str | None) -> Iterator[Any]:
    page = node.list_rows(calls.Written(as_=guest, pin=pin, limit=_PAGE))
    yield from page.rows
    while page.next is not None:
        page = node.list_rows(calls.Written(as_=guest, pin=pin, limit=_PAGE, after=page.next))
        yield from page.rows


def _encode_lines(rows: Iterable[Any], neighbourhood: str) -> Iterator[bytes]:
    """Yields each row as a line. Leaves out the neighbourhood's id, because people who know this id
    can pass the neighbourhood's door.
    """
    for row in rows:
        line = json.dumps(row, ensure_ascii=False) + "\n"
        yield line.replace(neighbourhood, "neighbourhood").encode()


def _encode_table(columns: tuple[str, ...], rows: list[Any]) -> list[bytes]:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return [text.getvalue().encode()]


def _make_calendar(node: Client) -> bytes:
    from meshcoop.export import icalendar  # late: no other part needs the library

    timezone = node.call(calls.Diary(limit=0))["timezone"]
    return icalendar.encode_calendar(node.list_all(calls.Diary()), timezone)


def _write(path: Path, pieces: Iterable[bytes]) -> int:
    """Writes a whole file from pieces. Returns the number of pieces."""
    count = 0
    try:
        with open_replacement(path) as file:
            for piece in pieces:
                file.write(piece)
                count += 1
    except OSError as error:
        raise Mistake(
            "{path} cannot be written: {strerror}; make room, or name another folder.",
            path=path,
            strerror=error.strerror,
        ) from None
    return count
