"""Shows a person's diary: when the person meets others, and where the person has promised to be.

Each kind says which of its views belong in a person's diary.
"""

from collections.abc import Iterator
from contextlib import suppress
from zoneinfo import ZoneInfo

from meshcoop.api.plain_values import Shown
from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso_time
from meshcoop.fold.state import State
from protocol import recurrence
from protocol.display_text import safe_line
from protocol.errors import Refused
from protocol.fold.facets import Certainty, DiaryEntry
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS
from protocol.fold.view import View


class Diary:
    """The diary of one person. Each API call makes its own `Diary` object."""

    # A person may share a calendar file. So the diary reads views only: they hold no private words.

    def __init__(self, state: State, presenter: Presenter, person: bytes) -> None:
        self._state = state
        self._presenter = presenter
        self._person = person

    @property
    def timezone(self) -> str | None:
        """The name of the neighbourhood's time zone, or None if the charter does not name it."""
        zone = self._presenter.clock.zone
        return zone.key if isinstance(zone, ZoneInfo) else None

    def entries(self) -> Iterator[Shown]:
        """Yields the entries of the diary as the local API shows them."""
        for view_type in _kinds_in_diaries():
            for view in self._state.views.newest(view_type):
                entry = self._entry_of(view)
                if entry is not None:
                    yield self._show(view, entry)

    def _entry_of(self, view: Kind) -> DiaryEntry | None:
        """Returns the diary entry for a view. Returns None if the view belongs in no diary, or if
        the code of the view's kind fails.
        """
        with suppress(Refused), self._state.failures.contained(view.kind, "diary_entry"):
            return view.diary_entry(self._person, self._find)
        return None

    def _find(self, record_id: bytes | None) -> View | None:
        return None if record_id is None else self._state.views.find(record_id)

    def _show(self, view: Kind, entry: DiaryEntry) -> Shown:
        return {
            "id": view.id.hex(),
            "created": iso_time(view.created),
            "title": self._title(view, entry),
            "starts": entry.starts,
            "minutes": entry.minutes,
            "repeats": _readable_rule(entry),
            "area": safe_line(entry.area or "") or None,
            "state": self._certainty(view, entry).value,
        }

    def _certainty(self, view: Kind, entry: DiaryEntry) -> Certainty:
        """Returns how sure a diary entry is. If it needs somebody who has left, it is at best
        tentative (R-06.10e).
        """
        is_sure = entry.certainty == Certainty.CONFIRMED
        return (
            Certainty.TENTATIVE if is_sure and self._presenter.find_left(view) else entry.certainty
        )

    def _title(self, view: Kind, entry: DiaryEntry) -> str:
        """Returns the title of a diary entry, with the reader's role and the other person's name.
        If no character of this name can be shown, leaves the name out.
        """
        title = safe_line(entry.title or view.kind)
        if entry.role:
            title += f" ({safe_line(entry.role)})"
        name = self._presenter.name_person(entry.other) if entry.other else ""
        return f"{title}, {name}" if name else title


def _kinds_in_diaries() -> list[type[Kind]]:
    """Returns the kinds whose views can be in a diary."""
    view_types = [declared.view_type for declared in KINDS.values()]
    return [view_type for view_type in view_types if view_type.diary_entry is not Kind.diary_entry]


def _readable_rule(entry: DiaryEntry) -> str | None:
    """Returns the rule by which a diary entry repeats. Returns None if this program does not
    understand the rule.
    """
    try:
        recurrence.occurrence_days(entry.starts, entry.repeats)
    except Refused:
        # The signer's software knows further rules of repetition. Only the first day is sure.
        return None
    return entry.repeats
