"""Says in a few lines where the time of a run went."""

import cProfile
import pstats
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SHOWN = 12  # functions


@contextmanager
def profiled(lines: list[str]) -> Iterator[None]:
    """Watches which functions take time in the block of a `with` statement. Then adds a line to
    `lines` for each of the slowest functions: its seconds, its part of the whole time, its calls,
    and its place.

    With a profile, the block takes longer. So the speed of such a run does not count.
    """
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
    lines += _describe(pstats.Stats(profile))


def _describe(stats: pstats.Stats) -> list[str]:
    rows = [
        (own, calls, function)
        for function, (_, calls, own, _, _) in stats.stats.items()  # type: ignore[attr-defined]  # the stubs lack it
        if function[2] != "<method 'poll' of 'select.epoll' objects>"  # the node waits
    ]
    whole = sum(own for own, _, _ in rows) or 1.0
    rows.sort(reverse=True)
    return [
        f"{own:.3f} s, {own / whole:.0%}, {calls} calls: {_name(*function)}"
        for own, calls, function in rows[:_SHOWN]
    ]


def _name(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{function} ({'/'.join(Path(file).parts[-2:])}:{line})"
