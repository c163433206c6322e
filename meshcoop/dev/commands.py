"""The commands `demo`, `specs` and `bench`. They are for curious people and for developers."""

import sys
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from meshcoop.cli.context import ContextArgument
from meshcoop.dev.bench.figure import Figure
from meshcoop.errors import Mistake

_AT_LEAST_ONE = Number(gte=1)


def _demo(
    *,
    households: Annotated[int, Parameter(help="how many homes, 3 to 12")] = 5,
    headless: Annotated[bool, Parameter(negative=(), help="tell the story, then end")] = False,
    context: ContextArgument,
) -> None:
    """Runs a neighbourhood of real nodes on this machine and tells its story."""
    from meshcoop.dev.demo import demo

    del context
    sys.exit(demo.tell_story(households, stay=not headless and sys.stdout.isatty()))


def _specs(
    *,
    check: Annotated[bool, Parameter(negative=(), help="only say what differs")] = False,
    context: ContextArgument,
) -> None:
    """Writes the generated parts of the specs again, and checks the specs against the code."""
    from meshcoop.dev.specs import check as specs

    root = specs.find_checkout()
    if root is None:
        raise Mistake("The specs are in a checkout of the project; run this from one.")
    if not check:
        specs.write_generated_parts(root)
    differences = specs.find_differences(root)
    context.answer(differences, lambda: "\n".join(differences) or "The specs and the code agree.")
    if differences:
        sys.exit(1)


def _bench(
    name: Annotated[
        Literal["ingest", "sync", "live", "feedback", "loops"], Parameter(help="what to measure")
    ],
    *,
    records: Annotated[
        int | None, Parameter(validator=_AT_LEAST_ONE, help="how many; few if left out")
    ] = None,
    runs: Annotated[
        int, Parameter(validator=_AT_LEAST_ONE, help="how many runs; their median counts")
    ] = 5,
    plain: Annotated[
        bool, Parameter(negative=(), help="compare with stores that are not encrypted")
    ] = False,
    profile: Annotated[
        bool, Parameter(negative=(), help="say in one more run where the time goes")
    ] = False,
    context: ContextArgument,
) -> None:
    """Measures how fast this machine is. Compares this with the speed at which one core verifies
    signatures.
    """
    from meshcoop.dev.bench import benches

    figures = benches.run_bench(name, records, runs, is_compared=plain, is_profiled=profile)
    context.answer(figures, lambda: "\n".join(_describe_figure(figure) for figure in figures))


def _describe_figure(figure: Figure) -> str:
    text = (
        f"{figure['name']}, {figure['records']} records: {figure['figure']:g} {figure['unit']}, "
        f"{figure['ratio']:g} of the limit {figure['limit']:g}"
    )
    if "of_plain" in figure:
        text += f", {figure['of_plain']:g} of the speed without encryption"
    return "\n    ".join([text, *figure.get("profile", ())])
