"""Shows a service: its card, and its chain as a tree. All functions here are pure.

A link is one part of a chain. One person offers a part of the service to another person. If that
person accepts the link, they hold that part.
"""

from collections.abc import Iterator

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds.services import measures
from tui.kinds.thread_data import Reader
from tui.node.shown import Person, Shown

_FIELDS = ("area", "category", "hours", "contact")
_MOST_REPORTS = 3  # the number of reports that a service shows


def service_card(view: Shown, me: str | None) -> Card:
    """Makes the card of a service. It says who holds the service, which links nobody has accepted
    yet, and whether the service needs attention.
    """
    service_measures = view.rows("measures")
    bad_measures = [measure for measure in service_measures if measures.needs_attention(measure)]
    has_matter = any(measure.has("matter") for measure in service_measures)
    reading = bad_measures[0].text("reading") if bad_measures and not has_matter else None
    parts = [
        _("a matter is open") if has_matter else "",
        _holder_sentence(view, me),
        *_offers(view, me),
        safe_line(phrases.code_in_words(reading), 60),
        labels.state(view.state, view.kind) if view.state != "open" else "",
    ]
    mark = "! " if bad_measures or has_matter else ""
    title = mark + phrases.title(view)
    return Card(view.id, title, phrases.dotted(parts), view.state != "open")


def service_rank(view: Shown) -> int:
    """Returns the rank of a service in a list. First come services that the reader holds, then
    services that the reader passed on, and then services that the reader relies on. All other open
    services follow. Ended services come last.
    """
    marks = ("i_hold", "i_take_part", "i_said_something")
    if view.state != "open":
        return len(marks) + 1
    ranks = (rank for rank, mark in enumerate(marks) if view.flag(mark))
    return next(ranks, len(marks))


def service_story(view: Shown, reports: list[Shown], reader: Reader) -> Content:
    """Describes a service: its chain, its measures, and the latest reports. The newest report must
    come first in `reports`.
    """
    return Content.assemble(*_story_parts(view, reports, reader))


def _offers(view: Shown, me: str | None) -> Iterator[str]:
    for link in view.rows("links"):
        if link.state == "offered":
            who = phrases.name(link.person("to"), me)
            yield _("offered to {who}, not accepted").format(who=who)


def _story_parts(view: Shown, reports: list[Shown], reader: Reader) -> Iterator[Part]:
    yield (phrases.title(view), "bold")
    yield from _standing_parts(view, reader)
    yield from _tree_parts(view, reader)
    if view.text("text"):
        yield "\n\n" + safe_text(view.text("text") or "").strip()
    for field in _FIELDS:
        if view.text(field):
            yield ("\n" + labels.field(field) + ": ", "dim")
            yield phrases.line_or_hidden(view.text(field))
    for measure in view.rows("measures"):
        yield ("\n\n" + phrases.line_or_hidden(measure.text("question")), "bold")
        yield "\n" + measures.standing_sentence(measure)
    if reports:
        yield ("\n\n" + _("Said recently"), "bold")
    for report in reports[:_MOST_REPORTS]:
        author = phrases.capitalized(phrases.signer_names(report, reader.me))
        yield (f"\n{author} · {phrases.moment(report.text('on'), reader.clock)}: ", "dim")
        yield phrases.line_or_hidden(report.text("text"))
    if len(reports) > _MOST_REPORTS:
        yield ("\n" + phrases.older_note(len(reports) - _MOST_REPORTS), "dim")


def _standing_parts(view: Shown, reader: Reader) -> Iterator[Part]:
    """Yields who holds a service, since when, and whether the service has ended or goes on as
    another service.
    """
    yield "\n" + _holder_sentence(view, reader.me)
    since = phrases.moment(view.text("held_since"), reader.clock)
    if since:
        yield " " + _("since {day}").format(day=since)
    if view.state != "open":
        yield " · " + labels.state(view.state, view.kind)
    successor = view.row("successor")
    if successor is not None:
        title = phrases.line_or_hidden(successor.text("title"))
        yield "\n" + _("It goes on as: {title}").format(title=title)


def _tree_parts(view: Shown, reader: Reader) -> Iterator[Part]:
    """Yields the chain as a tree. At the top is the person who answers for the service; below are
    the links.
    """
    provider = view.person("provider")
    top = view.person("answers_for")
    who = phrases.name(top, reader.me)
    yield "\n\n"
    if provider and provider.id is None:  # an organisation that is no member
        sentence = _("{provider} provides it; {who} answers for it")
        yield sentence.format(provider=phrases.name(provider), who=who)
    elif who != phrases.name(top):
        yield _("You answer for it")
    else:
        yield _("{who} answers for it").format(who=who)
    yield from _holder_mark(view, top, None)
    yield from _branch_parts(view, view.text("first") or view.id, "", reader)


def _branch_parts(view: Shown, above_id: str, indent: str, reader: Reader) -> Iterator[Part]:
    links = [link for link in view.rows("links") if link.about == above_id]
    for link in links:
        is_last = link is links[-1]
        who = phrases.capitalized(phrases.name(link.person("to"), reader.me))
        title = phrases.line_or_hidden(link.text("title"))
        sentence = f"{who}: {title} · {_link_standing(link, reader.clock)}"
        yield f"\n{indent}{'└─ ' if is_last else '├─ '}"
        yield (sentence, "dim") if link.state in {"ended", "declined"} else sentence
        yield from _holder_mark(view, link.person("to"), link.id)
        below = indent + ("   " if is_last else "│  ")
        yield from _branch_parts(view, link.id, below, reader)


def _holder_mark(view: Shown, person: Person | None, link_id: str | None) -> Iterator[Part]:
    """Yields a mark for `person` if this person holds the service now. The holder is at the end of
    the chain.
    """
    chain = view.texts("chain")
    end_id = chain[-1] if chain else None
    holder = view.person("holder")
    if person is not None and holder is not None and person.id == holder.id and end_id == link_id:
        yield ("  ◄ " + _("holds it now"), "bold")


def _link_standing(link: Shown, clock: LocalClock) -> str:
    match link.state:
        case "offered":
            return _("offered, not accepted")
        case "accepted":
            since = phrases.moment(link.text("since"), clock)
            return _("accepted, since {day}").format(day=since)
    return labels.state(link.state, link.kind)


def _holder_sentence(view: Shown, me: str | None) -> str:
    holder = view.person("holder")
    if holder is not None and me is not None and holder.id == me:
        return _("You hold it")
    who = phrases.name(holder)
    if view.flag("i_take_part"):
        return _("You passed it on: {who} holds it").format(who=who)
    if view.flag("i_said_something"):
        return _("You rely on it: {who} holds it").format(who=who)
    return _("{who} holds it").format(who=who)
