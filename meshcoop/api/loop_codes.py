"""Codes that say how a measure is going. The sentences for these codes are in
`protocol/sentences.py`.
"""

from enum import StrEnum


class Reading(StrEnum):
    """The codes that say what the answers to a measure mean."""

    TOO_FEW_ANSWERS = "too_few_answers"
    FADED = "faded"  # the answers stood out, and no longer do so with late answers
    AS_USUAL = "as_usual"
    WORSE = "worse_than_usual"
    BETTER = "better_than_usual"
    SHORT = "short"  # the target is missed, as usual
    SHORT_AND_WORSE = "short_and_worse"
    SHORT_AND_BETTER = "short_and_better"  # only the windows together miss the target
    SHORT_AND_EARLY = "short_and_early"  # too early to know what is usual


class Running(StrEnum):
    """The codes that say when the homes of a neighbourhood run."""

    FEW_HOURS = "all_in_few_hours"  # all in the same few hours, without a relay


class Standing(StrEnum):
    """The codes for a record that does not stand at the time that its author claims."""

    LATE = "stands_late"  # it stands when it was seen
    TOO_LATE = "came_too_late"  # its window had settled
    UNSEEN = "unseen"  # it stands nowhere
    UNWITNESSED = "unwitnessed"  # no witness could see it


_BY_CHANGE = {"worse": Reading.WORSE, "better": Reading.BETTER, None: Reading.AS_USUAL}
_SHORT_BY_CHANGE = {
    "worse": Reading.SHORT_AND_WORSE,
    "better": Reading.SHORT_AND_BETTER,
    None: Reading.SHORT,
}


def read_result(change: str | None, *, is_short: bool, is_early: bool) -> Reading:
    """Returns the code that says what the result of a measure in one window means.

    `change` compares the result with the usual results: it is "worse", "better" or None. `is_short`
    means that the result misses the target. `is_early` means that there are too few results to say
    what is usual.
    """
    if is_short and is_early and change is None:
        return Reading.SHORT_AND_EARLY
    return (_SHORT_BY_CHANGE if is_short else _BY_CHANGE)[change]
