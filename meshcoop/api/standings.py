"""Says where the records of a service's thread stand in time, if that is not where their authors
claim (specs/24-witnesses.md), and lists the records that moved.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from meshcoop.api.loop_codes import Standing
from meshcoop.api.loop_rows import show_measure, show_service
from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso_time
from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.slices import pause
from protocol.fold.view import View
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.measures import Answer, Feedback, Measure
from protocol.kinds.services.services import Service

Shown = dict[str, Any]

_WITNESSED = (Action, Done, Verdict, Feedback, Answer)
MOVED = (Standing.LATE, Standing.TOO_LATE, Standing.UNSEEN)
_DEEPEST = 4  # a verdict is about an action, which is about a measure


class Standings:
    """Says where records stand in time. Each API call makes its own `Standings` object.

    The function `now` returns the time in milliseconds.
    """

    def __init__(self, following: LoopCache, presenter: Presenter, now: Callable[[], int]) -> None:
        self._following = following
        self._presenter = presenter
        self._now = now
        self._late: dict[bytes, set[bytes]] = {}  # by service

    def show_standing(self, followed: FollowedService, view: View) -> Shown:
        """Shows where a record stands (R-24.14). If witnesses do not name records of this kind,
        returns nothing.
        """
        if not isinstance(view, _WITNESSED):
            return {}
        standing = self._find_standing(followed, view.id)
        return {"standing": None if standing is None else str(standing)}

    def list_moved(self, services: Iterable[Service]) -> list[Shown]:
        """Lists the records about the measures of the given services that do not stand where their
        authors claim, each with its cause (R-24.14a). The newest come first.
        """
        rows: list[Shown] = []
        for service in services:
            followed = self._following.loops_for(service.id, self._now())
            if followed is not None:
                rows += self._moved_of(followed)
        return sorted(rows, key=lambda row: (row["created"], row["id"]), reverse=True)

    def _moved_of(self, followed: FollowedService) -> Iterator[Shown]:
        pause()
        for record_id, times in followed.times.items():
            standing = self._find_standing(followed, record_id)
            view = followed.views.get(record_id)
            if standing not in MOVED or not isinstance(view, _WITNESSED):
                continue
            measure = _find_measure(followed, view)
            if measure is None:
                continue  # words about the service itself are in no result
            stands_at = times.stands_at(self._now())
            yield {
                "id": record_id.hex(),
                "kind": "moved",
                "record_kind": view.kind,
                "author": self._presenter.show_person(view.author),
                "created": iso_time(times.claimed),
                "state": str(standing),
                "standing": str(standing),
                "stands_at": None if stands_at is None else iso_time(stands_at),
                "measure": show_measure(measure),
                "service": show_service(followed.described),
            }

    def _find_standing(self, followed: FollowedService, record_id: bytes) -> Standing | None:
        times = followed.times.get(record_id)
        if record_id in self._too_late(followed):
            return Standing.TOO_LATE
        if times is None:
            return None
        if times.is_unwitnessed:
            return Standing.UNWITNESSED
        if times.stands_at(self._now()) is None:
            return Standing.UNSEEN
        return Standing.LATE if times.is_late else None

    def _too_late(self, followed: FollowedService) -> set[bytes]:
        """Returns the answers that stand after their windows had settled (R-24.8)."""
        if followed.service.id not in self._late:
            self._late[followed.service.id] = {
                report.id
                for loop in followed.loops.values()
                for window in loop.windows.values()
                for report in window.late
            }
        return self._late[followed.service.id]


def _find_measure(followed: FollowedService, view: View) -> Measure | None:
    """Returns the measure that a record is about, directly or through other records."""
    target: View | None = view
    for _ in range(_DEEPEST):
        if target is None or isinstance(target, Measure):
            break
        target = followed.views.get(target.about or b"")
    return target if isinstance(target, Measure) else None
