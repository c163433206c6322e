"""What people said of a service or to a measure, and how it is answered and merged. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from protocol.kinds.services.measures import MERGEABLE_DAYS
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import measures
from tui.kinds.next_steps import Act

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]


def card(one: Shown, view: Shown | None, today: date, me: str | None) -> Card:
    """What somebody said, in a list."""
    if one.get("held_back"):
        told = _("Not shown until a few more have answered")
    else:
        parts = [measures.told_value(view, one.get("value")), safe(one.get("text") or "")]
        told = " · ".join(line(part) for part in parts if part)
    who = telling.signer_names(one, me)
    parts = [who[:1].upper() + who[1:], telling.moment(one["on"], today)]
    parts += [_("urgent")] if one.get("urgent") == "yes" else []
    return Card(one["id"], told, " · ".join(parts), quiet=bool(one.get("held_back")))


def answered(answers: list[Shown], today: date, me: str | None) -> Iterator[Part]:
    """What somebody answered to all who were asked."""
    for one in answers:
        who, at = telling.signer_names(one, me), telling.moment(one["created"], today)
        reason = words.state(one["reason"]) if one.get("reason") else ""
        told = " · ".join(part for part in (who[:1].upper() + who[1:], at, reason) if part)
        yield (f"\n\n{told}: ", "dim")
        yield safe(one["text"]).strip()


def acts(one: Shown, reports: list[Shown], view: Shown | None, service: Shown, me: str | None,
              today: date) -> list[Act]:  # fmt: skip
    """What can be done about what somebody said. `view`: the measure that it answers."""
    if me is None or one.get("held_back"):
        return []
    found = list(answering(one, service))
    others = tuple(
        (
            card(each, view, today, me).title + f" · {telling.name(each['author'])}",
            each["id"],
        )
        for each in reports
        if each["author"]["id"] != one["author"]["id"] and each["about"] == one["about"]
        if abs((_day(each) - _day(one)).days) <= MERGEABLE_DAYS
    )
    parties = {each["id"] for each in service.get("parties") or []}
    if view is not None and others and me not in parties:
        found.append(
            Act(
                kind="same_as",
                about=one["id"],
                label=_("This is the same as what somebody else reported"),
                said=_("Both stay, and count as one. Either of the two can say that it is not so."),
                fields=("other",),
                choices={"other": others},
            )
        )
    if view is not None and others and one["author"]["id"] == me:
        found.append(
            Act(
                kind="not_same",
                about=one["id"],
                label=_("This is not the same as what somebody else reported"),
                said=_("It is your report, so your word stands."),
                fields=("other",),
                choices={"other": others},
            )
        )
    return found


def answering(one: Shown, service: Shown) -> Iterator[Act]:
    """Anybody answers a question's matter, or what somebody said."""
    links = [each for each in service.get("links") or [] if each["state"] == "accepted"]
    to = tuple(
        (f"{telling.name(each['to'])}: {telling.line_or_hidden(each['title'], 50)}", each["id"])
        for each in links
    )
    theirs = one["kind"] == "feedback"
    yield Act(
        kind="answer",
        about=one["id"],
        label=_("Answer {who}").format(who=telling.name(one["author"]))
        if theirs
        else _("Answer everybody"),
        said=_(
            "Everybody reads it. With “not ours”, choose whose it is; the time to answer goes on."
        ),
        fields=("text", "reason", *(("to",) if to else ())),
        choices={"to": to} if to else {},
    )


def _day(report: Shown) -> date:
    return date.fromisoformat(report["on"])
