"""Shows a person's diary: their agreements, their signups and the activities that they organise."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso_time
from meshcoop.fold.state import State
from meshcoop.fold.time_zone import zone_of
from protocol import recurrence as series
from protocol.display_text import safe_line
from protocol.errors import Refused
from protocol.fold.thread import View

Shown = dict[str, Any]

_MAX_ENTRIES = 1000
_SHOWN_STATES = {"waiting": "tentative", "cancelled": "cancelled"}  # all others: confirmed


class Diary:
    """The diary of one person. Each API call makes its own `Diary` object."""

    # A person may share a calendar file. So the diary reads views only: they hold no private words.

    def __init__(self, state: State, presenter: Presenter, person: bytes) -> None:
        self._state = state
        self._presenter = presenter
        self._person = person

    def show(self) -> Shown:
        """Shows the diary's entries and the name of the neighbourhood's time zone. The name is None
        if the neighbourhood has only a fixed offset.
        """
        authority = self._state.authority
        assert authority is not None, "the charter has been read: the person is a member by it"
        zone = zone_of(authority.charter)
        entries = [*self._agreements(), *self._signups(), *self._organised()]
        return {
            "timezone": zone.key if isinstance(zone, ZoneInfo) else None,
            "entries": list(islice(entries, _MAX_ENTRIES)),
        }

    def _agreements(self) -> Iterator[Shown]:
        for agreement in self._state.views.of_kind("agreement"):
            parties = (agreement["giver"], agreement["receiver"])
            intent = self._state.views.find(agreement["intent"])
            if self._person not in parties or not agreement["when"] or not intent:
                continue
            if agreement["state"] == "cancelled":
                continue
            giver, receiver = parties
            other = giver if receiver == self._person else receiver
            yield _entry(
                agreement,
                self._title_with(_title(intent), other),
                agreement["when"],
                intent,
                agreement["repeats"],
            )

    def _signups(self) -> Iterator[Shown]:
        for signup in self._state.views.of_kind("signup"):
            activity = self._state.views.find(signup["about"])
            if signup["author"] != self._person or activity is None:
                continue
            if signup["state"] == "withdrawn":
                continue
            role = f" ({safe_line(signup['role'])})" if signup["role"] else ""
            title = self._title_with(_title(activity) + role, activity["author"])
            starts = series.occurrence_start(activity["starts"], signup["on"])
            is_cancelled = activity["state"] == "cancelled"
            state = "cancelled" if is_cancelled else signup["state"]
            yield {
                **_entry(signup, title, starts, activity),
                "minutes": activity["minutes"],
                "state": _SHOWN_STATES.get(state, "confirmed"),
            }

    def _organised(self) -> Iterator[Shown]:
        for activity in self._state.views.of_kind("activity"):
            if activity["author"] != self._person:
                continue
            starts = activity["starts"]
            yield {
                **_entry(activity, _title(activity), starts, activity, activity["repeats"]),
                "state": _SHOWN_STATES.get(activity["state"], "confirmed"),
            }

    def _title_with(self, title: str, other: bytes) -> str:
        """Adds the other person's name to a title. If no character of the name can be shown,
        returns the title alone.
        """
        name = safe_line(self._presenter.show_person(other)["name"])
        return f"{title}, {name}" if name else title


def _title(view: View) -> str:
    return safe_line(view["title"] or view["kind"])


def _entry(view: View, title: str, starts: str, about: View, repeats: str | None = None) -> Shown:
    """Makes a diary entry for a view. `about` is the request, offer or activity whose area the
    entry shows.
    """
    try:
        series.occurrence_days(starts, repeats)
    except Refused:
        # Software with other rules of repetition signed this. Only the first day is sure.
        repeats = None
    return {
        "id": view["id"].hex(),
        "created": iso_time(view["created"]),
        "title": title,
        "starts": starts,
        "minutes": view.get("minutes"),
        "repeats": repeats,
        "area": safe_line(about["area"] or "") or None,
        "state": "confirmed",
    }
