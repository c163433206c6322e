"""Shows how trials stand, and what came of ideas through their trials (specs/25)."""

from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Any

from meshcoop.clock import iso_time
from meshcoop.errors import Remark
from meshcoop.fold.loop_cache import FollowedService, LoopCache
from meshcoop.fold.state import State
from meshcoop.fold.trial_reports import TrialReport, is_being_decided, report_trial
from protocol.kinds.ideas import Idea
from protocol.kinds.services.measures import Measure
from protocol.kinds.services.trials import Trial
from protocol.loops.points import Totals
from protocol.loops.trial_comparison import Comparison

Shown = dict[str, Any]

_GOES_ON = (Trial.State.RUNNING, Trial.State.ENDED)
_FATES: dict[str, str] = {
    Trial.State.ADOPTED: Idea.State.ADOPTED,
    Trial.State.DROPPED: Idea.State.DROPPED,
}


class Power(StrEnum):
    """The codes that say how much a trial can show. If a trial is too short, the node says so
    before the trial starts (R-25.12).
    """

    USUAL = "trial_power"
    SHORT = "trial_is_short"


def describe_power(report: TrialReport) -> Remark:
    """Says how probable it is that a trial notices a change. The change that is assumed here halves
    the bad answers.
    """
    return Remark(
        Power.SHORT if report.is_short else Power.USUAL,
        {
            "percent": report.power,
            "before": report.windows_before,
            "during": report.windows_during,
        },
    )


class TrialViews:
    """Shows the trials of one home at the time `now` (ms)."""

    def __init__(self, state: State, following: LoopCache, now: int) -> None:
        self._state = state
        self._following = following
        self._now = now

    def status_of_trial(self, followed: FollowedService, trial: Trial) -> Shown:
        """Returns fields that say how a trial stands, and what its answers show."""
        report = report_trial(self._state, self._following, trial.id, self._now)
        if report is None:
            return {}
        return {
            "state": str(report.state),
            "windows": {"before": report.windows_before, "during": report.windows_during},
            "power": {
                "percent": report.power,
                "answers": report.answers,
                "assumed": report.is_assumed,
            },
            "says": describe_power(report).as_dict(),
            "being_decided": is_being_decided(self._state, trial.id),
            "settles": iso_time(report.settles),
            "harm": [record_id.hex() for record_id in report.harm],
            "result": _show_result(followed, report),
        }

    def status_of_idea(self, idea: Idea) -> Shown:
        """Returns the state of an idea (R-25.2a), and its trials, the newest first."""
        reports = [
            report
            for trial in self._trials_by_idea[idea.id]
            if (report := report_trial(self._state, self._following, trial.id, self._now))
        ]
        return {
            "state": str(_state_of_idea(reports)),
            "trials": [
                {
                    "id": report.trial.id.hex(),
                    "what": report.trial.what,
                    "state": str(report.state),
                }
                for report in reports
            ],
        }

    @cached_property
    def _trials_by_idea(self) -> Mapping[bytes | None, list[Trial]]:
        """The trials of each idea, the newest first."""
        trials: Mapping[bytes | None, list[Trial]] = defaultdict(list)
        for trial in self._state.views.newest(Trial):
            trials[trial.idea].append(trial)
        return trials


def _state_of_idea(reports: list[TrialReport]) -> str:
    if any(report.state in _GOES_ON for report in reports):
        return Idea.State.ON_TRIAL
    # A trial that no decision began says nothing about its idea.
    begun = (report.trial for report in reports if report.trial.state != Trial.State.PROPOSED)
    latest = next(begun, None)
    return _FATES.get(latest.state, Idea.State.OPEN) if latest else Idea.State.OPEN


def _show_result(followed: FollowedService, report: TrialReport) -> Shown | None:
    """Shows what a trial found, according to the measure that decides about the trial. Also shows
    the further measures of the trial, and the places where nothing was tried.
    """
    compared = dict(report.comparisons)
    deciding = compared.pop(report.trial.measures[0], None)
    if deciding is None:
        return None
    elsewhere = report.elsewhere
    return {
        **_show_comparison(deciding),
        "elsewhere": None if elsewhere is None else _show_comparison(elsewhere),
        "measures": [
            {
                "id": measure.hex(),
                "question": followed.view(measure, Measure).question,
                **_show_comparison(comparison),
            }
            for measure, comparison in compared.items()
        ],
    }


def _show_comparison(comparison: Comparison) -> Shown:
    return {
        "finding": str(comparison.finding),
        "windows_before": comparison.windows_before,
        "windows_during": comparison.windows_during,
        "before": _show_totals(comparison.before),
        "during": _show_totals(comparison.during),
        "better": _show_fraction(comparison.better),
        "worse": _show_fraction(comparison.worse),
    }


def _show_totals(totals: Totals) -> Shown:
    return {"n": totals.n, "bad": totals.bad}


def _show_fraction(fraction: Fraction | None) -> str | None:
    return None if fraction is None else f"{fraction.numerator}/{fraction.denominator}"
