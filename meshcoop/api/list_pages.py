"""Divides lists into pages. A page says how many rows its list has and where the next page begins.
So readers see whether rows are missing (R-06.16).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeAlias, TypeVar

from meshcoop.api.plain_values import Shown
from meshcoop.errors import Mistake
from meshcoop.fold.slices import pause
from protocol.errors import Refused
from protocol.wire.calls import List, Listing
from protocol.wire.local_rpc import MAX_FRAME, Response, encode

MAX_ROWS = 500

# R-06.16g: the text that names a row, and the number of the row in its list
_WHOLE_CURSOR = re.compile(r"(.*):([0-9]{1,18})", re.DOTALL)

_MAX_BYTES = MAX_FRAME // 2  # of the rows; the frame also holds what comes beside them

T = TypeVar("T")
Place: TypeAlias = tuple[int, bytes]  # where a row stands in its list; lower places come first


@dataclass(frozen=True)
class Rows(Generic[T]):
    """All rows of a list, in order, before they are shown.

    `cursor` takes a row, and returns a text that no other row of the list has. `total` is the
    number of rows, or None if the rows still have to be counted. A page has `usual_limit` rows if
    the caller does not ask for another number. A page never has more than `most` rows.

    Some lists are sorted by the places of their rows. For these lists, `place` returns the place of
    a row. If a row has left the list, `place_of` returns its former place; the argument is the
    cursor of the row. If `items` leaves out the first rows of the list, `left_out` is the number of
    these rows.
    """

    items: Iterable[T]
    show: Callable[[list[T]], list[Shown]]
    cursor: Callable[[T], str]
    total: int | None = None
    usual_limit: int = MAX_ROWS
    most: int = MAX_ROWS
    place: Callable[[T], Place] = lambda _: (0, b"")
    place_of: Callable[[str], Place | None] = lambda _: None
    left_out: int = 0

    def each_shown(self) -> Iterator[Shown]:
        """Yields every row as the local API shows it."""
        return (shown for item in self.items for shown in self.show([item]))


# Makes the rows of a list that does not show the views of one kind.
Lister = Callable[[List], Awaitable[Rows[Any]]]

C = TypeVar("C", bound=Listing)


def shown_rows(
    rows: Iterable[Shown],
    cursor: Callable[[Shown], str] = lambda row: str(row["id"]),
    total: int | None = None,
) -> Rows[Shown]:
    """Makes `Rows` of rows that already have the form that the local API shows."""
    return Rows(rows, list, cursor, total)


def paged(list_rows: Callable[[C], Awaitable[Rows[Any]]]) -> Callable[[C], Awaitable[Shown]]:
    """Returns a method that answers with a page of a list. `list_rows` makes the whole list."""

    @wraps(list_rows)
    async def answer_page(call: C) -> Shown:
        return take_page(call, await list_rows(call))

    return answer_page


def take_page(call: Listing, rows: Rows[Any]) -> Shown:
    """Returns the page of a list that the caller asks for, as `{rows, total, next}`.

    The page has at most `limit` rows. The page begins after the row that has the cursor `after`. If
    this row has left the list, the page begins where the row was (R-06.16f).

    A client may send only the beginning of a cursor. Raises Mistake if this is not enough to find
    the place.
    """
    limit = min(rows.usual_limit if call.limit is None else call.limit, rows.most, MAX_ROWS)
    after, number = read_cursor(call.after)
    gone = None if after is None else rows.place_of(after)
    page = _Page(limit)
    page_if_gone = _Page(limit)
    has_begun = after is None
    count = rows.left_out
    for item in rows.items:
        count += 1
        if not has_begun and rows.cursor(item).startswith(str(after)):
            has_begun = True
            continue
        has_begun = has_begun or (gone is not None and rows.place(item) > gone)
        if has_begun:
            page.add(item, count)
        elif number is not None and count >= number:
            page_if_gone.add(item, count)
        if page.is_cut and rows.total is not None:
            break
    if not has_begun and gone is None:
        if number is None:
            raise Mistake(
                "No row of this list is {after!r} now; begin with its first page.", after=after
            )
        page = page_if_gone
    shown = _fit_frame(rows.show(page.items))
    is_cut = page.is_cut or len(shown) < len(page.items)
    last = call.after
    if shown:
        end = len(shown) - 1
        last = f"{rows.cursor(page.items[end])}:{page.first + end}"
    return {
        "rows": shown,
        "total": count if rows.total is None else rows.total,
        "next": last if is_cut else None,
    }


class _Page:
    """The rows of a page. `first` is the number that the page's first row has in the list."""

    def __init__(self, limit: int) -> None:
        self.items: list[Any] = []
        self.first = 0
        self.is_cut = False
        self._limit = limit

    def add(self, item: Any, number: int) -> None:
        """Adds the row with this number. If the page is full, notes that the list goes on."""
        if len(self.items) == self._limit:
            self.is_cut = True
            return
        self.first = self.first or number
        self.items.append(item)


def read_cursor(after: str | None) -> tuple[str | None, int | None]:
    """Reads a cursor. Returns the text that names a row, and the number that this row had in its
    list. The number is None if the client sent only the beginning of the cursor.
    """
    whole = _WHOLE_CURSOR.fullmatch(after or "")
    return (whole[1], int(whole[2])) if whole else (after, None)


def take_lines(
    before: str | None,
    lines: Sequence[Shown],
    show_views: Callable[[set[str]], list[Shown]] | None = None,
) -> Shown:
    """Returns the last lines of a history, as `{history, history_total, earlier}`. The oldest line
    comes first.

    If `before` names a line, returns the lines before this line. If there are still earlier lines,
    `earlier` is the id of the first returned line. `show_views` makes the views of the returned
    lines. If `show_views` is given, the result has these views as `views`. Raises Mistake if no
    line has the id `before`.
    """
    end = _find_end(before, lines)
    start = max(0, end - MAX_ROWS)
    while True:
        part = list(lines[start:end])
        views = show_views({line["id"] for line in part}) if show_views else []
        if len(part) <= 1 or _frame_bytes([*part, *views]) <= _MAX_BYTES:
            break
        start = (start + end) // 2
    answer: Shown = {
        "history": part,
        "history_total": len(lines),
        "earlier": lines[start]["id"] if start else None,
    }
    return answer if show_views is None else {**answer, "views": views}


def _fit_frame(rows: Sequence[Shown]) -> Sequence[Shown]:
    """Returns as many of the first rows as fit into one frame. Leaves space in the frame for other
    values.
    """
    left = _MAX_BYTES
    for count, row in enumerate(rows):
        pause()
        left -= _frame_bytes([row])
        if left < 0 and count > 0:
            return rows[:count]
    return rows


def _find_end(before: str | None, lines: Sequence[Shown]) -> int:
    """Returns the number of lines before the line `before`. If `before` is None, returns the number
    of all lines.
    """
    if before is None:
        return len(lines)
    for place, line in enumerate(lines):
        if line["id"].startswith(before):
            return place
    raise Mistake("No line of this history is {before!r}.", before=before)


def _frame_bytes(rows: Sequence[Shown]) -> int:
    """Returns how many bytes a frame with these rows has. If some row is too long for any frame,
    returns a number above the limit.
    """
    try:
        return len(encode(Response(0, result=list(rows))))
    except Refused:
        return _MAX_BYTES + 1
