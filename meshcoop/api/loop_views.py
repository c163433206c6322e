"""Services, measures, matters and actions as people see them: what the loop comes to, in words."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso
from meshcoop.fold.loop_cache import Followed, Following
from meshcoop.fold.state import State
from protocol.fold.thread import View
from protocol.loops.action_state import Tally
from protocol.loops.change_detection import BASELINE
from protocol.loops.matters import Loop, Matter, Signal
from protocol.loops.outcome import outcome
from protocol.loops.points import Totals, totals
from protocol.loops.windows import day_of

Shown = dict[str, Any]

_QUIET = "As agreed, and as usual. Ups and downs like these are normal."
_WORSE = "No sign that the target is missed, but worse than usual here. Something changed: what?"
_SHORT = (
    "As usual, and usual is not good enough. Trying harder won't help; the arrangement must change."
)
_BOTH = "Worse than usual and short of the target."
_EARLY = "Short of the target; it is too early to know what is usual."
_BETTER = "As agreed, and better than usual."
_NOTHING = "Too few people have answered yet to say anything."
_FADED = "With late answers this no longer stands out."
_CAME = {
    "better": "It is better than before.",
    "fewer": "It is less than before; that could still be chance.",
    "no better": "It is no better than before.",
}


class Looping:
    """Shows the loops of one home to `me`, as of `now` (ms)."""

    def __init__(
        self,
        state: State,
        following: Following,
        presenter: Presenter,
        me: bytes | None,
        now: Callable[[], int],
    ) -> None:
        self._state = state
        self._following = following
        self._presenter = presenter
        self._me = me
        self._now = now

    def over(self, shown: Shown) -> Shown:
        """A view with what the loop makes of it."""
        overlay = _OVERLAYS.get(shown["kind"])
        record = bytes.fromhex(shown["id"])
        followed = self._following.of(record, self._now()) if overlay else None
        if overlay is None or followed is None or record not in followed.views:
            return shown
        return {**shown, **overlay(self, followed, followed.views[record])}

    def matters(self, services: Iterator[View]) -> list[Shown]:
        """What signals have opened in these services, the newest first."""
        found = [
            self._matter(followed, loop, matter)
            for service in services
            if (followed := self._following.of(service["id"], self._now()))
            for loop in followed.loops.values()
            for matter in loop.matters
        ]
        return sorted(found, key=lambda one: (one["created"], one["id"]), reverse=True)

    def signals(self, services: Iterator[View]) -> list[Shown]:
        """What the tests say stands out, the newest first."""
        found = [
            self._signal(followed, loop, signal)
            for service in services
            if (followed := self._following.of(service["id"], self._now()))
            for loop in followed.loops.values()
            for signal in loop.signals
        ]
        return sorted(found, key=lambda one: (one["created"], one["id"]), reverse=True)

    def cited(self, measure: bytes) -> Shown:
        """R-23.2: what an action about a measure cites of the matter that is open."""
        followed = self._following.of(measure, self._now())
        loop = followed.loops.get(measure) if followed else None
        matter = loop.matters[-1] if loop and loop.matters else None
        if loop is None or matter is None or matter.closed is not None:
            return {}
        window = loop.windows.get(matter.window)
        if window is None:
            return {"window": matter.window}
        point = window.point(loop.asked.scale, 1)
        n, bad = point or (0, 0)
        return {"window": matter.window, "n": n, "bad": bad, "answers": window.digest.hex()}

    # -- overlays ---------------------------------------------------------------------------------

    def _service(self, followed: Followed, service: View) -> Shown:
        links = [followed.views[one] for one in service["links"]]
        measures = [one for one in followed.views.values() if one["kind"] == "measure"]
        said = any(
            one["author"] == self._me
            for one in followed.views.values()
            if one["kind"] == "feedback"
        )
        return {
            "links": self._presenter.views(links),
            "measures": [
                {"id": one["id"].hex(), "question": one["question"], **self._status(followed, one)}
                for one in measures
            ],
            "i_hold": service["holder"] == self._me,
            "i_take_part": self._me in service["parties"],
            "i_said_something": said,
        }

    def _measure(self, followed: Followed, measure: View) -> Shown:
        loop = followed.loops.get(measure["id"])
        if loop is None:
            return self._status(followed, measure)
        baseline = totals(point for _, point in loop.points[: BASELINE[-1]])
        return {
            **self._status(followed, measure),
            "points": [
                {
                    "window": n,
                    "from": loop.asked.calendar.first_day(n),
                    "n": point.n,
                    "bad": point.bad,
                    "by_proxy": loop.windows[n].by_proxy,
                    "limit": loop.limits.get(n),
                }
                for n, point in loop.points
            ],
            "usual": _pair(baseline) if len(loop.points) >= BASELINE[0] else None,
            "signals": [self._signal(followed, loop, one) for one in loop.signals],
            "answered": self._answered(loop),
        }

    def _action(self, followed: Followed, action: View) -> Shown:
        loop = followed.loops.get(action["about"])
        found = [
            (matter, one)
            for matter in (loop.matters if loop else ())
            for one in matter.tallies
            if one.action["id"] == action["id"]
        ]
        if not found:
            return {"matter": None, "fixed": {}, "i_raised_it": False, "i_said": None}
        matter, tally = found[0]
        leads = matter.leading is tally
        return {
            "matter": matter.id.hex(),
            "leads": leads,
            "state": self._state_of(tally),
            "fixed": tally.fixed,
            "i_raised_it": self._me in matter.raisers,
            "i_said": self._said_of(followed, tally),
        }

    def _said_of(self, followed: Followed, tally: Tally) -> str | None:
        """What I said of an action since it was last reported done."""
        mine = [
            one
            for one in followed.views.values()
            if one["kind"] == "verdict" and one["about"] == tally.action["id"]
            if one["author"] == self._me and one["created"] >= (tally.done or 0)
        ]
        return max(mine, key=lambda one: (one["created"], one["id"]))["fixed"] if mine else None

    def _feedback(self, followed: Followed, feedback: View) -> Shown:
        """R-22.8: what fewer than the smallest group have said is shown to its author alone."""
        loop = followed.loops.get(feedback["about"])
        assert self._state.authority is not None
        least = self._state.authority.charter["smallest_group"]
        if loop is None:
            return {}
        if feedback["author"] == self._me:
            return {"matter": self._came_of(loop, feedback)}
        window = loop.windows.get(loop.asked.calendar.window(day_of(feedback["on"])))
        told = (
            {one.person for one in window.apart + window.beside} | window.people if window else ()
        )
        if len(told) >= least:
            return {}
        return {"value": None, "text": None, "held_back": True}

    def _came_of(self, loop: Loop, feedback: View) -> str | None:
        """The matter that was opened in the window of what I said, or was open then."""
        said = loop.asked.calendar.window(day_of(feedback["on"]))
        over = [
            one
            for one in loop.matters
            if one.window <= said
            if one.closed is None or said <= loop.asked.calendar.at(one.closed)
        ]
        return over[-1].id.hex() if over else None

    # -- parts ------------------------------------------------------------------------------------

    def _status(self, followed: Followed, measure: View) -> Shown:
        loop = followed.loops.get(measure["id"])
        if loop is None:
            return {"short": False, "change": None, "matter": None, "sentence": None}
        latest = loop.latest
        matter = loop.matters[-1] if loop.matters and loop.matters[-1].closed is None else None
        early = len(loop.points) <= BASELINE[0]
        return {
            "short": bool(latest and latest.short),
            "change": latest.change if latest else None,
            "matter": matter.id.hex() if matter else None,
            "sentence": _sentence(latest.short, latest.change, early) if latest else _NOTHING,
        }

    def _signal(self, followed: Followed, loop: Loop, signal: Signal) -> Shown:
        measure = loop.asked.measure
        early = signal.found.w1 is None
        return {
            "id": f"{measure['id'].hex()}:{signal.window}",
            "kind": "signal",
            "author": self._presenter.person(measure["author"]),
            "created": iso(signal.at),
            "state": "worse" if signal.calls else "better",
            "measure": {"id": measure["id"].hex(), "question": measure["question"]},
            "service": _named(followed.service),
            "window": signal.window,
            "from": loop.asked.calendar.first_day(signal.window),
            "n": signal.point.n,
            "bad": signal.point.bad,
            "short": signal.short,
            "change": signal.change,
            "by": signal.found.by,
            "sentence": _sentence(signal.short, signal.change, early),
        }

    def _matter(self, followed: Followed, loop: Loop, matter: Matter) -> Shown:
        measure, charter = loop.asked.measure, self._charter
        held = followed.holder(loop, matter, charter["answer_days"], self._now())
        window = loop.windows.get(matter.window)
        point = window.point(loop.asked.scale, 1) if window else None
        came, leading = outcome(loop, matter), matter.leading
        holder = followed.chain[held.level] if held.level >= 0 else None
        sentence = _sentence(matter.short, matter.change, matter.early)
        return {
            "id": matter.id.hex(),
            "kind": "matter",
            "author": self._presenter.person(measure["author"]),
            "created": iso(matter.opened),
            "state": "open" if matter.closed is None else "closed",
            "closed": None if matter.closed is None else iso(matter.closed),
            "measure": {"id": measure["id"].hex(), "question": measure["question"]},
            "service": _named(followed.service),
            "window": matter.window,
            "from": loop.asked.calendar.first_day(matter.window),
            "n": point.n if point else 0,
            "bad": point.bad if point else 0,
            "short": matter.short,
            "change": matter.change,
            "sentence": _FADED if matter.faded else sentence,
            "raised_by": len(matter.raisers),
            "i_raised_it": self._me in matter.raisers,
            "holder": self._presenter.person(holder) if holder else None,
            "level": held.level,
            "held_since": iso(held.since),
            "answer_by": None if held.answer_by is None else iso(held.answer_by),
            "actions": [one["id"].hex() for one in matter.actions],
            "leading": self._leading(leading) if leading else None,
            "outcome": None
            if came is None
            else {
                "before": _pair(came.before),
                "after": _pair(came.after),
                "words": _CAME[came.words],
            },
            "draft": None if holder else _draft(followed.service, measure),
        }

    def _leading(self, tally: Tally) -> Shown:
        action = tally.action
        return {
            "id": action["id"].hex(),
            "owner": self._presenter.person(action["author"]),
            "what": action["what"],
            "due": action["due"],
            "state": self._state_of(tally),
            "fixed": tally.fixed,
        }

    def _state_of(self, tally: Tally) -> str:
        late = date.fromisoformat(tally.action["due"]).isoformat() < iso(self._now())[:10]
        return "overdue" if late and tally.state in {"open", "reopened"} else tally.state

    def _answered(self, loop: Loop) -> Shown:
        """How many have answered in the window of today, and how the parties see it."""
        window = loop.windows.get(loop.asked.calendar.at(self._now()))
        least = self._charter["smallest_group"]
        people = len(window.people) if window else 0
        apart = window.apart if window else []
        return {
            "people": people,
            "of": len(set(loop.asked.members) - set(loop.asked.leave_out)),
            "parties": {"n": len(apart), "bad": sum(one.bad for one in apart)}
            if len({one.person for one in apart}) >= least
            else None,
        }

    @property
    def _charter(self) -> Shown:
        assert self._state.authority is not None
        return self._state.authority.charter


_OVERLAYS: dict[str, Callable[[Looping, Followed, View], Shown]] = {
    "service": Looping._service,  # noqa: SLF001 -- its own
    "measure": Looping._measure,  # noqa: SLF001
    "action": Looping._action,  # noqa: SLF001
    "feedback": Looping._feedback,  # noqa: SLF001
}


def _sentence(short: bool, change: str | None, early: bool) -> str:
    if short and change == "worse":
        return _BOTH
    if short:
        return _EARLY if early else _SHORT
    return {"worse": _WORSE, "better": _BETTER, None: _QUIET}[change]


def _named(service: View) -> Shown:
    return {"id": service["id"].hex(), "title": service["title"]}


def _pair(many: Totals) -> Shown:
    return {"n": many.n, "bad": many.bad}


def _draft(service: View, measure: View) -> Shown:
    """R-23.6: what the neighbourhood may propose once a matter has climbed past the top."""
    return {
        "title": f"What shall become of {service['title']}?"[:120],
        "text": f"Nobody in its chain has put this right: {measure['question']}",
    }
