"""The command `rehearse`: says before a vote how often a measure would open a matter (R-06.20)."""

from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import ContextArgument, show_progress
from meshcoop.cli.counted_noun import format_count
from protocol.wire import calls

_WEEK = 7


def rehearse_measure(
    measure: str,
    /,
    *,
    target: Annotated[int | None, Parameter(help="another target")] = None,
    share: Annotated[int | None, Parameter(help="another percentage of good answers")] = None,
    window: Annotated[int | None, Parameter(help="another number of days in a window")] = None,
    rate: Annotated[
        float | None,
        Parameter(help="assumes so many percent of good answers, or incidents in a window"),
    ] = None,
    answers: Annotated[int | None, Parameter(help="assumes so many answers in a window")] = None,
    context: ContextArgument,
) -> None:
    """Says what a measure would have raised here: how many matters a year, and how soon a change
    for the worse is seen. Changes nothing.
    """
    call = calls.Rehearse(
        measure=measure, target=target, share=share, window=window, rate=rate, answers=answers
    )
    with context.connect_node() as node:
        for step in calls.rehearsal_steps():
            answer = node.call(replace(call, resamplings=step))
            show_progress(f"{answer['resamplings']} of {answer['of']} resamplings")
    context.answer(answer, lambda: _format_rehearsal(answer))


def _format_rehearsal(answer: dict[str, Any]) -> str:
    lines = [_describe_source(answer)]
    replayed = answer["replayed"]
    if replayed is not None:
        opened = f" (from {', '.join(replayed['opened'])})" if replayed["opened"] else ""
        lines.append(
            f"They would have opened {format_count(replayed['matters'], 'matter')}{opened}."
        )
    alarms = answer["alarms"]
    lines.append(f"A year would bring {_format_range(alarms['low'], alarms['high'], 'matter')}.")
    lines.append(_describe_change(answer))
    lines.append(f"{answer['resamplings']} resamplings; the ranges hold 8 of 10 of them.")
    if answer["by_chance"] is None:
        lines.append("Nobody can say which of these matters only chance would open.")
    else:
        lines.append("The assumed answers keep the target, so only chance opens these matters.")
    return "\n".join(lines)


def _describe_source(answer: dict[str, Any]) -> str:
    if not answer["assumed"]:
        others = "" if answer["source"] == answer["measure"] else " of an earlier measure"
        return f"From the neighbourhood's own {answer['points']} points{others}."
    if answer["answers"] is None:
        return f"Assumed, not measured: {answer['rate']:g} incidents in each window."
    return (
        f"Assumed, not measured: {format_count(answer['answers'], 'answer')} in each window, "
        f"{answer['rate']:g} % of them good."
    )


def _describe_change(answer: dict[str, Any]) -> str:
    change = answer["detects"]
    if change is None:
        return "No answers are good, so they cannot become worse."
    if answer["share"] is None:
        begin = f"A rise from {change['before']:g} to {change['after']:g} incidents in a window"
    else:
        begin = f"A fall from {change['before']:g} to {change['after']:g} % of good answers"
    if change["low"] is None:
        return f"{begin} would seldom be seen within a year."
    in_weeks = answer["window"] % _WEEK == 0
    unit = "week" if in_weeks else "day"
    length = answer["window"] // _WEEK if in_weeks else answer["window"]
    low = change["low"] * length
    if change["high"] is None:
        return f"{begin} would be seen after {format_count(low, unit)}, or not within a year."
    span = _format_range(low, change["high"] * length, unit)
    return f"{begin} would be seen after {span}."


def _format_range(low: int, high: int, noun: str) -> str:
    counted = format_count(high, noun)
    return counted if low == high else f"{low} to {counted}"
