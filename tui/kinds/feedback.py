"""Shows reports, which are what people say about a service or answer to a measure. Also offers to
answer a report, or to say that two reports are the same. All functions here are pure.
"""

from collections.abc import Iterator
from datetime import date

from protocol.display_text import safe_line, safe_text
from protocol.schema.shared_rules import MERGEABLE_DAYS
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _
from tui.kinds.measures import answer_in_words
from tui.kinds.next_steps import NextStep


def report_card(report: Shown, measure: Shown | None, today: date, me: str | None) -> Card:
    """Makes the card of a report: its answer and words, who said it, and when. `measure` is the
    measure that the report answers, or None.
    """
    author = phrases.capitalized(phrases.signer_names(report, me))
    parts = [author, phrases.moment(report["on"], today)]
    parts += [_("urgent")] if report.get("urgent") == "yes" else []
    title = _report_title(report, measure)
    return Card(report["id"], title, " · ".join(parts), quiet=bool(report.get("held_back")))


def answer_parts(answers: list[Shown], today: date, me: str | None) -> Iterator[Part]:
    """Yields, as text, the replies that people gave to everybody whom a measure asked."""
    for answer in answers:
        parts = [
            phrases.capitalized(phrases.signer_names(answer, me)),
            phrases.moment(answer["created"], today),
            labels.state(answer["reason"]) if answer.get("reason") else "",
        ]
        yield (f"\n\n{phrases.dotted(parts)}: ", "dim")
        yield safe_text(answer["text"]).strip()


def report_steps_for(report: Shown, reports: list[Shown], measure: Shown | None, service: Shown,
              me: str | None, today: date) -> list[NextStep]:  # fmt: skip
    """Lists what `me` can do about a report.

    `measure` is the measure that the report answers, or None. `reports` holds the reports that `me`
    could call the same as this one.
    """
    if me is None or report.get("held_back"):
        return []
    steps = [answer_step(report, service)]
    others = tuple(
        _report_choice(other, measure, today, me)
        for other in reports
        if _may_be_the_same(other, report)
    )
    if measure is None or not others:
        return steps
    party_ids = {party["id"] for party in service.get("parties") or []}
    if me not in party_ids:
        steps.append(
            NextStep(
                kind="same_as",
                about=report["id"],
                label=_("This is the same as what somebody else reported"),
                meaning=_(
                    "Both stay, but count as one. Either of the two people can say that this is "
                    "wrong."
                ),
                fields=("other",),
                choices={"other": others},
            )
        )
    if report["author"]["id"] == me:
        steps.append(
            NextStep(
                kind="not_same",
                about=report["id"],
                label=_("This is not the same as what somebody else reported"),
                meaning=_("It is your report, so you decide."),
                fields=("other",),
                choices={"other": others},
            )
        )
    return steps


def answer_step(view: Shown, service: Shown) -> NextStep:
    """Returns the step that replies to a report. If `view` is a measure, the step replies to
    everybody whom the measure asked.
    """
    is_report = view["kind"] == "feedback"
    author = phrases.name(view["author"])
    holders = tuple(
        _link_choice(link) for link in service.get("links") or [] if link["state"] == "accepted"
    )
    return NextStep(
        kind="answer",
        about=view["id"],
        label=_("Reply to {who}").format(who=author) if is_report else _("Reply to everybody"),
        meaning=_(
            "Everybody can read it. If you choose “not ours”, say whose it is; the time to "
            "answer keeps running."
        ),
        fields=("text", "reason", "to") if holders else ("text", "reason"),
        choices={"to": holders} if holders else {},
    )


def _report_title(report: Shown, measure: Shown | None) -> str:
    if report.get("held_back"):
        return _("Not shown until a few more have answered")
    parts = [answer_in_words(measure, report.get("value")), safe_text(report.get("text") or "")]
    return " · ".join(safe_line(part) for part in parts if part)


def _report_choice(
    report: Shown, measure: Shown | None, today: date, me: str | None
) -> tuple[str, str]:
    title = report_card(report, measure, today, me).title
    return f"{title} · {phrases.name(report['author'])}", report["id"]


def _link_choice(link: Shown) -> tuple[str, str]:
    title = phrases.line_or_hidden(link["title"], 50)
    return f"{phrases.name(link['to'])}: {title}", link["id"]


def _may_be_the_same(other: Shown, report: Shown) -> bool:
    """Returns whether two reports may be merged. They need two authors, the same measure or
    service, and days that are close together.
    """
    if other["author"]["id"] == report["author"]["id"] or other["about"] != report["about"]:
        return False
    return abs((_day(other) - _day(report)).days) <= MERGEABLE_DAYS


def _day(report: Shown) -> date:
    return date.fromisoformat(report["on"])
