"""Adds to the views of services, measures, actions and feedback how their feedback loops
stand now.
"""

from collections.abc import Callable
from typing import Any

from meshcoop.api.loop_codes import Reading, read_result
from meshcoop.api.loop_rows import LoopRows, show_measure, show_service, show_totals
from meshcoop.api.presenter import Presenter
from meshcoop.api.standings import Standings
from meshcoop.api.trial_views import TrialViews
from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from protocol.fold.registry import names_of
from protocol.fold.view import View
from protocol.kinds.ideas import Idea
from protocol.kinds.services.actions import Action, Done, Verdict
from protocol.kinds.services.measures import Answer, Feedback, Measure
from protocol.kinds.services.services import Link, Service
from protocol.kinds.services.trials import Trial
from protocol.loops.account import account_of
from protocol.loops.action_state import Tally
from protocol.loops.change_detection import BASELINE
from protocol.loops.matters import Loop, Matter
from protocol.loops.points import sum_points
from protocol.loops.windows import parse_day

KINDS_WITH_STATUS = (Service, Measure, Action, Done, Verdict, Feedback, Answer, Trial, Idea)

Shown = dict[str, Any]

_NAMES_WITH_STATUS = frozenset(names_of(*KINDS_WITH_STATUS))


class LoopViews:
    """Adds to views how their feedback loops stand now. Each API call makes its own `LoopViews`
    object.

    `me` is the person who reads the views. The function `now` returns the time in milliseconds.
    """

    def __init__(
        self,
        state: State,
        following: LoopCache,
        presenter: Presenter,
        me: bytes | None,
        now: Callable[[], int],
    ) -> None:
        self._state = state
        self._following = following
        self._presenter = presenter
        self._me = me
        self._now = now
        self.rows = LoopRows(state, following, presenter, me, now)
        self.standings = Standings(following, presenter, now)
        self._trials = TrialViews(state, following, now())

    def with_loop_status(self, shown: Shown) -> Shown:
        """Adds to a shown view how its feedback loop stands. If views of this kind have no feedback
        loop, returns the view unchanged.
        """
        pause()
        if shown.get("kind") not in _NAMES_WITH_STATUS:
            return shown
        record_id = bytes.fromhex(shown["id"])
        first = self._following.successions.first_of(record_id)
        followed = self._following.loops_for(first, self._now())
        if followed is not None and first != record_id:
            return {**shown, **self._successor_status(followed)}
        if followed is None:  # an idea has a thread of its own
            idea = self._state.views.find(record_id)
            status = self._trials.status_of_idea(idea) if isinstance(idea, Idea) else {}
            return {**shown, **status}
        if record_id not in followed.views:
            return shown
        view = followed.views[record_id]
        return {
            **shown,
            **self._status_of(followed, view),
            **self.standings.show_standing(followed, view),
        }

    def citation_for(self, measure: bytes) -> Shown:
        """Returns the fields with which a new action names the open matter of its measure (R-23.2).
        The result is empty if no matter of this measure is open.
        """
        followed = self._following.loops_for(measure, self._now())
        loop = followed.loops.get(measure) if followed else None
        matter = _open_matter(loop) if loop else None
        if loop is None or matter is None:
            return {}
        window = loop.windows.get(matter.window)
        if window is None:
            return {"window": matter.window}
        point = window.point(loop.context.scale, 1)
        n, bad = point or (0, 0)
        return {"window": matter.window, "n": n, "bad": bad, "answers": window.digest.hex()}

    def _status_of(self, followed: FollowedService, view: View) -> Shown:
        match view:
            case Service():
                return self._service_status(followed, view)
            case Measure():
                return self._measure_status(followed, view)
            case Action():
                return self._action_status(followed, view)
            case Trial():
                return self._trials.status_of_trial(followed, view)
            case Feedback():
                return self._feedback_status(followed, view)
            case _:
                return {}

    def _service_status(self, followed: FollowedService, service: Service) -> Shown:
        links = [followed.view(link_id, Link) for link_id in service.links]
        successor = followed.successors[-1] if followed.successors else None
        if successor is None:
            ended: Shown = {}
        else:
            ended = {"state": str(Service.State.ENDED), "successor": show_service(successor)}
        return {
            **ended,
            "links": self._presenter.show_views(links),
            "measures": [
                {
                    "id": measure.id.hex(),
                    "question": measure.question,
                    **self._status(followed, measure),
                }
                for measure in followed.views_of(Measure)
            ],
            "i_hold": followed.chain[-1] == self._me,
            "i_take_part": self._me in followed.party_since,
            "i_said_something": any(
                feedback.author == self._me for feedback in followed.views_of(Feedback)
            ),
        }

    def _successor_status(self, followed: FollowedService) -> Shown:
        """Returns what a service takes over from the service in whose place it goes on (R-21.8)."""
        first = self._presenter.show_view(followed.service)
        taken = {name: first[name] for name in ("chain", "parties", "held_since")}
        status = self._service_status(followed, followed.service)
        holder = self._presenter.show_person(followed.chain[-1])
        status |= {"holder": holder, "first": followed.service.id.hex()}
        del status["successor"]  # of the first service, whose state this one shares
        return {**taken, **status, "state": str(followed.service.state)}

    def _measure_status(self, followed: FollowedService, measure: Measure) -> Shown:
        loop = followed.loops.get(measure.id)
        if loop is None:
            return self._status(followed, measure)
        has_baseline = len(loop.points) >= BASELINE[0]
        baseline = sum_points(point for _, point in loop.points[: BASELINE[-1]])
        earlier = followed.continued.get(measure.id)
        balance = followed.views.get(measure.balance or b"")
        return {
            **self._status(followed, measure),
            **({"state": str(Measure.State.ENDED)} if loop.is_over else {}),
            "account": account_of(loop, self._now())._asdict(),
            "continues": None if earlier is None else _show_earlier(earlier),
            "balanced_by": show_measure(balance) if isinstance(balance, Measure) else None,
            "points": _show_points(loop),
            "usual": show_totals(baseline) if has_baseline else None,
            "signals": [self.rows.show_signal(followed, loop, signal) for signal in loop.signals],
            "answered": self._show_answered(loop),
        }

    def _action_status(self, followed: FollowedService, action: Action) -> Shown:
        loop = followed.loops.get(action.about or b"")
        matter_and_tally = _find_tally(loop, action) if loop else None
        if matter_and_tally is None:
            return {"matter": None, "fixed": {}, "i_raised_it": False, "i_said": None}
        matter, tally = matter_and_tally
        verdict = followed.verdict_on(tally, self._me) if self._me else None
        return {
            "matter": matter.id.hex(),
            "leads": matter.leading is tally,
            "state": self.rows.state_of_action(action, tally),
            "fixed": tally.fixed,
            "i_raised_it": self._me in (tally.raisers if action.done else matter.raisers),
            "i_said": verdict.fixed if verdict else None,
        }

    def _feedback_status(self, followed: FollowedService, feedback: Feedback) -> Shown:
        """Hides an answer until enough people have answered in the same window (R-22.8). The author
        always sees the answer.

        The charter's smallest group says how many people are enough.
        """
        loop = followed.loops.get(feedback.about or b"")
        if loop is None:
            return {}
        if feedback.author == self._me:
            return {"matter": _matter_after(loop, feedback)}
        window = loop.windows.get(_answered_window(loop, feedback))
        people: set[bytes] = set()
        if window is not None:
            people = window.people | {report.person for report in window.not_charted}
        if len(people) >= self._smallest_group:
            return {}
        return {"value": None, "text": None, "held_back": True}

    def _status(self, followed: FollowedService, measure: Measure) -> Shown:
        """Returns fields that say how a measure is going. If the measure is not in use, the fields
        are empty.
        """
        loop = followed.loops.get(measure.id)
        if loop is None:
            return {"short": False, "change": None, "matter": None, "reading": None}
        matter = _open_matter(loop)
        matter_id = matter.id.hex() if matter else None
        latest = loop.latest
        if latest is None:
            return {
                "short": False,
                "change": None,
                "matter": matter_id,
                "reading": str(Reading.TOO_FEW_ANSWERS),
            }
        is_early = len(loop.points) <= BASELINE[0]
        return {
            "short": latest.misses_target,
            "change": latest.change,
            "matter": matter_id,
            "reading": str(
                read_result(latest.change, is_short=latest.misses_target, is_early=is_early)
            ),
        }

    def _show_answered(self, loop: Loop) -> Shown:
        """Shows how many people have answered in today's window. If enough parties of the service
        have answered, also sums up the parties' answers.
        """
        window = loop.windows.get(loop.context.calendar.window_at(self._now()))
        people = len(window.people) if window else 0
        by_parties = window.by_parties if window else []
        # If few parties answered, showing their answers would tell who said what.
        is_shown = len({report.person for report in by_parties}) >= self._smallest_group
        bad = sum(report.bad for report in by_parties)
        return {
            "people": people,
            "of": len(set(loop.context.members) - loop.context.party_since.keys()),
            "parties": {"n": len(by_parties), "bad": bad} if is_shown else None,
        }

    @property
    def _smallest_group(self) -> int:
        """How many people a group must have before others may see its answers. The charter sets
        this number.
        """
        authority = self._state.authority
        assert authority is not None, "the charter has been read: there are loops"
        people: int = authority.charter["smallest_group"]
        return people


def _show_earlier(measure: Measure) -> Shown:
    """Shows an earlier measure that a later measure continues. Shows the target of the earlier
    measure too (R-22.12c).
    """
    names = ("scale", "better", "target", "share", "window", "until")
    return {**show_measure(measure), **{name: vars(measure)[name] for name in names}}


def _show_points(loop: Loop) -> list[Shown]:
    return [
        {
            "window": number,
            "from": loop.context.calendar.first_day(number),
            "n": point.n,
            "bad": point.bad,
            "by_proxy": loop.windows[number].by_proxy,
            "limit": loop.alarm_limits.get(number),
        }
        for number, point in loop.points
    ]


def _open_matter(loop: Loop) -> Matter | None:
    """Returns the open matter of a measure, or None. Only the latest matter can be open."""
    latest = loop.matters[-1] if loop.matters else None
    return latest if latest and latest.closed is None else None


def _find_tally(loop: Loop, action: Action) -> tuple[Matter, Tally] | None:
    """Finds the matter to which an action belongs. Also finds the tally of the action, which counts
    the verdicts on it. Returns None if the action belongs to no matter.
    """
    for matter in loop.matters:
        for tally in matter.tallies:
            if tally.action.id == action.id:
                return matter, tally
    return None


def _matter_after(loop: Loop, feedback: Feedback) -> str | None:
    """Returns the id of the latest matter that was open in the window of an answer. Returns None if
    there was no such matter.

    A matter that was opened or closed in this window counts as open.
    """
    calendar = loop.context.calendar
    answered_in = _answered_window(loop, feedback)
    matters = [
        matter
        for matter in loop.matters
        if matter.window <= answered_in
        and (matter.closed is None or answered_in <= calendar.window_at(matter.closed))
    ]
    return matters[-1].id.hex() if matters else None


def _answered_window(loop: Loop, feedback: Feedback) -> int:
    """Returns the number of the window to which an answer belongs. An answer is about a day, and
    belongs to the window of this day.
    """
    assert feedback.on is not None, "feedback that counts is about a day"
    return loop.context.calendar.window_of_day(parse_day(feedback.on))
