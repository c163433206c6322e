"""What a person has promised to be at: their agreements, their signups, what they organise."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso
from meshcoop.fold.state import State
from meshcoop.fold.time_zone import zone_of
from protocol import recurrence as series
from protocol.display_text import line
from protocol.errors import Refused
from protocol.fold.thread import View

Shown = dict[str, Any]

_MOST = 1000
_STATES = {"waiting": "tentative", "cancelled": "cancelled"}


class Diary:
    """Reads for one call. Views hold no private words, so there are none in here."""

    def __init__(self, state: State, presenter: Presenter, person: bytes) -> None:
        self._state = state
        self._presenter = presenter
        self._person = person

    def shown(self) -> Shown:
        """The neighbourhood's time zone, if it has one, and what there is to be at."""
        assert self._state.authority is not None
        zone = zone_of(self._state.authority.charter)
        entries = [*self._agreements(), *self._signups(), *self._organised()]
        return {
            "timezone": zone.key if isinstance(zone, ZoneInfo) else None,
            "entries": list(islice(entries, _MOST)),
        }

    def _agreements(self) -> Iterator[Shown]:
        for one in self._state.views.of_kind("agreement"):
            two = (one["giver"], one["receiver"])
            intent = self._state.views.get(one["intent"])
            if self._person in two and one["when"] and intent and one["state"] != "cancelled":
                other = self._name(two[0] if two[1] == self._person else two[1])
                yield _entry(one, _title(intent), other, one["when"], intent, one["repeats"])

    def _signups(self) -> Iterator[Shown]:
        for one in self._state.views.of_kind("signup"):
            activity = self._state.views.get(one["about"])
            if one["author"] != self._person or one["state"] == "withdrawn" or activity is None:
                continue
            starts = series.moment(activity["starts"], one["on"])
            role = f" ({line(one['role'])})" if one["role"] else ""
            state = "cancelled" if activity["state"] == "cancelled" else one["state"]
            entry = _entry(
                one, _title(activity) + role, self._name(activity["author"]), starts, activity
            )
            yield {
                **entry,
                "minutes": activity["minutes"],
                "state": _STATES.get(state, "confirmed"),
            }

    def _organised(self) -> Iterator[Shown]:
        for one in self._state.views.of_kind("activity"):
            if one["author"] == self._person:
                starts, repeats = one["starts"], one["repeats"]
                entry = _entry(one, _title(one), None, starts, one, repeats)
                yield {**entry, "state": _STATES.get(one["state"], "confirmed")}

    def _name(self, person: bytes) -> str:
        return line(self._presenter.person(person)["name"])


def _title(view: View) -> str:
    return line(view["title"] or view["kind"])


def _entry(
    view: View,
    title: str,
    other: str | None,
    starts: str,
    about: View,
    repeats: str | None = None,
) -> Shown:
    try:
        series.days(starts, repeats)
    except Refused:
        repeats = None  # signed by software that takes other rules: the first day is sure
    return {
        "id": view["id"].hex(),
        "created": iso(view["created"]),
        "title": f"{title}, {other}" if other else title,
        "starts": starts,
        "minutes": view.get("minutes"),
        "repeats": repeats,
        "area": line(about["area"] or "") or None,
        "state": "confirmed",
    }
