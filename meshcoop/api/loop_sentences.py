"""Writes sentences that say how a measure is going and what an action has changed."""

from typing import Any

from protocol.kinds.services.measures import Measure
from protocol.kinds.services.services import Service
from protocol.loops.outcome import Outcome

TOO_FEW_ANSWERS = "Too few people have answered yet to say anything."
FADED = "With late answers this no longer stands out."

_AS_USUAL = "As agreed, and as usual. Ups and downs like these are normal."
_WORSE = "No sign that the target is missed, but worse than usual here. Something changed: what?"
_BETTER = "As agreed, and better than usual."
_SHORT = (
    "As usual, and usual is not good enough. Trying harder won't help; the arrangement must change."
)
_SHORT_AND_WORSE = "Worse than usual and short of the target."
_SHORT_AND_EARLY = "Short of the target; it is too early to know what is usual."
_BY_CHANGE = {"worse": _WORSE, "better": _BETTER, None: _AS_USUAL}
_BY_OUTCOME = {
    "better": "It is better than before.",
    "fewer": "It is less than before; that could still be chance.",
    "no better": "It is no better than before.",
}
_MAX_TITLE = 120


def describe_signal(change: str | None, *, is_short: bool, is_early: bool) -> str:
    """Describes the result of a measure in one window, as a sentence.

    `change` is "worse", "better" or None, compared with what is usual. `is_short` means that the
    result misses the target. `is_early` means that it is too early to know what is usual.
    """
    if is_short and change == "worse":
        return _SHORT_AND_WORSE
    if is_short:
        return _SHORT_AND_EARLY if is_early else _SHORT
    return _BY_CHANGE[change]


def describe_outcome(outcome: Outcome) -> str:
    """Returns a sentence that says what an action changed."""
    return _BY_OUTCOME[outcome.result]


def draft_proposal(service: Service, measure: Measure) -> dict[str, Any]:
    """Drafts a proposal about a matter that nobody in the service's chain has solved (R-23.6)."""
    return {
        "title": f"What shall become of {service.title}?"[:_MAX_TITLE],
        "text": f"Nobody in its chain has put this right: {measure.question}",
    }
