"""The command `doctor`: finds faults of this home. For each fault, says what to do about it."""

import sys

from meshcoop.cli.context import ContextArgument
from meshcoop.cli.doctor.examination import examine_home
from meshcoop.cli.doctor.finding import Finding
from meshcoop.clock import now
from meshcoop.errors import Mistake
from protocol.display_text import safe_line

_MARKS = {"wrong": "!!", "note": " !", "unknown": " ?", "fine": "  "}


def show_findings(*, context: ContextArgument) -> None:
    """Says what is wrong with this home and what to do about it. The exit code is 1 if anything is
    wrong.
    """
    if not context.home.path.exists():
        raise Mistake(
            (
                "There is no home in {path} yet: `meshcoop found` begins a neighbourhood, "
                "`meshcoop join` enters one."
            ),
            path=context.home.path,
        )
    findings = examine_home(context.home, now())
    faults = sum(finding.state == "wrong" for finding in findings)
    context.answer(
        [finding.as_dict() for finding in findings],
        lambda: "\n".join([*map(_describe_finding, findings), "", _count_faults(faults)]),
    )
    if faults:
        sys.exit(1)


def _describe_finding(finding: Finding) -> str:
    text = f"{_MARKS[finding.state]} {finding.name}: {safe_line(finding.sentence)}"
    return text if finding.remedy is None else f"{text}\n     {safe_line(finding.remedy)}"


def _count_faults(faults: int) -> str:
    if not faults:
        return "Nothing is wrong."
    return "One thing is wrong." if faults == 1 else f"{faults} things are wrong."
