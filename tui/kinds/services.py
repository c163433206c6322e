"""Services: how a chain stands, as a tree, and what a person can do in it. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import measures
from tui.kinds.next_steps import Act

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

_FIELDS = ("area", "category", "hours", "contact")
_LATELY = 3  # words shown with a service


def card(view: Shown, me: str | None) -> Card:
    """One in a list: who holds it, what is only offered, and a mark where something is amiss."""
    amiss = [one for one in view.get("measures") or [] if measures.is_amiss(one)]
    open_matters = any(one.get("matter") for one in view.get("measures") or [])
    parts = [
        _("a matter is open") if open_matters else "",
        _holds(view, me),
        *(
            _("offered to {who}, not accepted").format(who=telling.name(one["to"], me))
            for one in view.get("links") or []
            if one["state"] == "offered"
        ),
        line(amiss[0]["sentence"], 60) if amiss and not open_matters else "",
        words.state(view["state"]) if view["state"] != "open" else "",
    ]
    mark = "! " if amiss or open_matters else ""
    told = " · ".join(part for part in parts if part)
    return Card(view["id"], mark + telling.title(view), told, view["state"] != "open")


def order(view: Shown) -> int:
    """What I hold stands first, then what I passed on and what I rely on, then the rest."""
    marks = ("i_hold", "i_take_part", "i_said_something")
    mine = [at for at, mark in enumerate(marks) if view.get(mark)]
    return len(marks) + 1 if view["state"] != "open" else min(mine, default=len(marks))


def story(view: Shown, said: list[Shown], today: date, me: str | None) -> Content:
    """The chain, its measures, and what was said lately, the newest first."""
    return Content.assemble(*_told(view, said, today, me))


def acts(view: Shown, asked: list[Shown], me: str | None) -> list[Act]:
    """What waits for `me` first. `asked`: the measures of the service."""
    if me is None or view["state"] != "open":
        return []
    found = [
        *_answering(view, me),
        *(act for one in asked for act in measures.saying(one)),
        _words(view),
        *_handing_on(view, me),
        *_handing_over(view, me),
        _asking(view),
        *_ending(view, me),
    ]
    return sorted(found, key=lambda act: not act.waits)


# -- how it is told -------------------------------------------------------------------------------


def _told(view: Shown, said: list[Shown], today: date, me: str | None) -> Iterator[Part]:
    yield (telling.title(view), "bold")
    yield "\n" + _holds(view, me)
    since = telling.moment(view.get("held_since"), today)
    yield " " + _("since {day}").format(day=since) if since else ""
    if view["state"] != "open":
        yield " · " + words.state(view["state"])
    yield from _tree(view, today, me)
    if view.get("text"):
        yield "\n\n" + safe(view["text"]).strip()
    for field in _FIELDS:
        if view.get(field):
            yield ("\n" + words.field(field) + ": ", "dim")
            yield telling.line_or_hidden(view[field])
    for one in view.get("measures") or []:
        yield ("\n\n" + telling.line_or_hidden(one["question"]), "bold")
        yield "\n" + measures.sentence(one)
    if said:
        yield ("\n\n" + _("Said lately"), "bold")
    for one in said[:_LATELY]:
        who, at = telling.signer_names(one, me), telling.moment(one["on"], today)
        yield (f"\n{who[:1].upper()}{who[1:]} · {at}: ", "dim")
        yield telling.line_or_hidden(one["text"])


def _tree(view: Shown, today: date, me: str | None) -> Iterator[Part]:
    provider, top = view.get("provider"), view["answers_for"]
    yield "\n\n"
    if provider and provider.get("id") is None:
        told = _("{provider} provides it; {who} answers for it")
        yield told.format(provider=telling.name(provider), who=telling.name(top, me))
    else:
        who = telling.name(top, me)
        told = _("You answer for it") if who != telling.name(top) else _("{who} answers for it")
        yield told.format(who=who)
    yield from _holder_mark(view, top, None)
    yield from _branches(view, view["id"], "", today, me)


def _branches(view: Shown, above: str, indent: str, today: date, me: str | None) -> Iterator[Part]:
    links = [one for one in view.get("links") or [] if one["about"] == above]
    for n, one in enumerate(links):
        last = n == len(links) - 1
        yield f"\n{indent}{'└─ ' if last else '├─ '}"
        over = one["state"] in {"ended", "declined"}
        who = telling.name(one["to"], me)
        told = f"{who[:1].upper()}{who[1:]}: {telling.line_or_hidden(one['title'])} · {_link_stands(one, today)}"
        yield (told, "dim") if over else told
        yield from _holder_mark(view, one["to"], one)
        yield from _branches(view, one["id"], indent + ("   " if last else "│  "), today, me)


def _holder_mark(view: Shown, person: Shown, link: Shown | None) -> Iterator[Part]:
    """Beside the one who holds it: the end of the chain."""
    chain = view.get("chain") or []
    end = chain[-1] if chain else None
    if person["id"] == view["holder"]["id"] and end == (link["id"] if link else None):
        yield ("  ◄ " + _("holds it now"), "bold")


def _link_stands(one: Shown, today: date) -> str:
    match one["state"]:
        case "offered":
            return _("offered, not accepted")
        case "accepted":
            return _("accepted, since {day}").format(day=telling.moment(one["since"], today))
    return words.state(one["state"])


def _holds(view: Shown, me: str | None) -> str:
    if view["holder"]["id"] == me and me is not None:
        return _("You hold it")
    who = telling.name(view["holder"])
    if view.get("i_take_part"):
        return _("You passed it on: {who} holds it").format(who=who)
    if view.get("i_said_something"):
        return _("You rely on it: {who} holds it").format(who=who)
    return _("{who} holds it").format(who=who)


# -- acts -----------------------------------------------------------------------------------------


def _words(view: Shown) -> Act:
    return Act(
        kind="feedback",
        about=view["id"],
        label=_("Say something about it"),
        said=_(
            "In your own words. Everybody in the neighbourhood can read it, and that it is yours. "
            "Urgent tells everybody who holds a part of it at once, one time a week."
        ),
        fields=("text", "on", "urgent"),
    )


def _answering(view: Shown, me: str) -> Iterator[Act]:
    for one in view.get("links") or []:
        if one["state"] != "offered" or one["to"]["id"] != me:
            continue
        who, what = telling.name(one["author"]), telling.line_or_hidden(one["title"], 60)
        said = _("{who} hands this on to you: “{what}”. With this you say that you do it.")
        over = _(" You take over from somebody else.") if one.get("instead") else ""
        yield Act(
            kind="accept",
            about=one["id"],
            label=_("Accept what {who} hands on to you: {what}").format(who=who, what=what),
            waits=True,
            said=said.format(who=who, what=what) + over,
            fields=(),
        )
        yield _close(one, "declined", _("Decline it: {what}").format(what=what))


def _handing_on(view: Shown, me: str) -> Iterator[Act]:
    said = _(
        "It stays yours until they accept. Then they hold it, and you answer for it to others."
    )
    if me in {view["author"]["id"], view["answers_for"]["id"]}:
        yield Act(
            kind="link",
            about=view["id"],
            label=_("Hand on a part of it"),
            said=said,
            fields=("to", "title", "text"),
            without=frozenset({me}),
        )
    for one in view.get("links") or []:
        if one["state"] == "accepted" and one["to"]["id"] == me:
            yield Act(
                kind="link",
                about=one["id"],
                label=_("Hand on a part of: {what}").format(
                    what=telling.line_or_hidden(one["title"], 50)
                ),
                said=said,
                fields=("to", "title", "text"),
                without=frozenset({me}),
            )


def _handing_over(view: Shown, me: str) -> Iterator[Act]:
    """R-21.4: by who holds what is handed on, and by either end of the link."""
    links = {one["id"]: one for one in view.get("links") or []}
    for one in links.values():
        above = links.get(one["about"])
        holds = {above["to"]["id"]} if above else {view["author"]["id"], view["answers_for"]["id"]}
        ends = {one["author"]["id"], one["to"]["id"]}
        if one["state"] == "accepted" and me in holds | ends:
            yield Act(
                kind="link",
                about=one["about"],
                label=_("Hand it over to somebody else: {what}").format(
                    what=telling.line_or_hidden(one["title"], 50)
                ),
                said=_("{who} holds it until the other has accepted.").format(
                    who=telling.name(one["to"])
                ),
                fields=("to", "title", "text"),
                given={"title": telling.line_or_hidden(one["title"])},
                fixed={"instead": one["id"]},
                without=frozenset({me, one["to"]["id"]}),
            )


def _asking(view: Shown) -> Act:
    return Act(
        kind="measure",
        about=view["id"],
        label=_("Ask a question about it that everybody answers"),
        said=_("A question counts once a decision adopts it. You can propose that on its page."),
    )


def _ending(view: Shown, me: str) -> Iterator[Act]:
    for one in view.get("links") or []:
        ends = {one["author"]["id"], one["to"]["id"]}
        what = telling.line_or_hidden(one["title"], 50)
        if one["state"] == "accepted" and me in ends:
            yield _close(one, "ended", _("End it: {what}").format(what=what))
        elif one["state"] == "offered" and one["author"]["id"] == me:
            yield _close(one, "withdrawn", _("Take back what you offer: {what}").format(what=what))
    if me in {view["author"]["id"], view["answers_for"]["id"]}:
        yield _close(view, "ended", _("Say that this service has ended"))


def _close(one: Shown, state: str, label: str) -> Act:
    return Act(
        kind="close", about=one["id"], label=label, fixed={"as_state": state}, fields=("why",)
    )
