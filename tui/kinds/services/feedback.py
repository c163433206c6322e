"""Shows reports. In a report, a person says something about a service, or answers the question of a
measure. All functions here are pure.
"""

from collections.abc import Iterator

from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.services.measures import answer_in_words
from tui.kinds.thread_data import Reader
from tui.node.shown import Shown


def report_card(report: Shown, measure: Shown | None, reader: Reader) -> Card:
    """Makes the card of a report: its answer and words, who said it, and when. `measure` is the
    measure that the report answers, or None.
    """
    parts = [
        phrases.capitalized(phrases.signer_names(report, reader.me)),
        phrases.moment(report.text("on"), reader.clock),
        _("urgent") if report.text("urgent") == "yes" else "",
        phrases.code_in_words(report.text("standing")),
    ]
    title = report_title(report, measure)
    return Card(report.id, title, phrases.dotted(parts), quiet=report.flag("held_back"))


def report_title(report: Shown, measure: Shown | None) -> str:
    """Returns what a report says, on one line."""
    if report.flag("held_back"):
        return _("Not shown until a few more have answered")
    answer = answer_in_words(measure, report.number("value"))
    return phrases.dotted([safe_line(answer), safe_line(safe_text(report.text("text") or ""))])


def moved_parts(
    records: list[Shown], total: int, clock: LocalClock, me: str | None
) -> Iterator[Part]:
    """Lists records that do not stand where their authors claim, each with its cause (R-24.14a).
    `total` is how many there are; `records` are the newest ones.
    """
    if not records:
        return
    yield ("\n\n" + _("What was seen late, or came after a result was final"), "bold")
    for record in records:
        what = labels.kind(record.text("record_kind") or "")
        line = phrases.dotted(
            [
                phrases.moment(record.created, clock),
                f"{phrases.capitalized(phrases.name(record.author, me))}: {what}",
                phrases.code_in_words(record.text("standing")),
            ]
        )
        yield f"\n{line}"
    if total > len(records):
        more = total - len(records)
        yield "\n" + plural(
            "and {n} more: `meshcoop list moved`", "and {n} more: `meshcoop list moved`", more
        ).format(n=more)


def answer_parts(answers: list[Shown], clock: LocalClock, me: str | None) -> Iterator[Part]:
    """Yields the text of each reply, with its author and its day. Each reply is for all people that
    a measure asked.
    """
    for answer in answers:
        parts = [
            phrases.capitalized(phrases.signer_names(answer, me)),
            phrases.moment(answer.created, clock),
            labels.state(answer.text("reason") or ""),
            phrases.code_in_words(answer.text("standing")),
        ]
        yield (f"\n\n{phrases.dotted(parts)}: ", "dim")
        yield safe_text(answer.text("text") or "").strip()
