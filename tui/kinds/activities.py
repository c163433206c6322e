"""Activities: how each is told. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol import recurrence as series
from protocol.display_text import line, safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.thread_data import Case

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

_MOST_PLACES = 64  # where no roles are named


def card(view: Shown, today: date, me: str | None) -> Card:
    """One in a list: who organises it, the next time, and whether there is room."""
    days = view["upcoming"]
    free = sum(one["places"] - len(one["has"]) for one in roles(view, days[0])) if days else 0
    parts = [
        telling.signer_names(view, me),
        begins(view, days[0], today) if days else "",
        words.state(view["state"]) if view["state"] != "open" else "",
        _free(free) if days and view["roles"] and view["state"] == "open" else "",
        line(view.get("area") or "", 20),
    ]
    over = view["state"] in {"past", "cancelled"}
    return Card(view["id"], telling.title(view), " · ".join(one for one in parts if one), over)


def news(view: Shown, today: date, me: str | None) -> Card:
    """Anything new on the board, with its kind."""
    if view["kind"] != "activity":
        return telling.any_view(view, today, me)
    one = card(view, today, me)
    return Card(one.id, one.title, f"{words.kind('activity')} · {one.detail}", one.quiet)


def story(case: Case, today: date, me: str | None) -> Content:
    """The whole of it, for one pane."""
    return Content.assemble(*_story(case.root, today, me))


# -- told -----------------------------------------------------------------------------------------


def _story(root: Shown, today: date, me: str | None) -> Iterator[Part]:
    yield (telling.title(root), "bold")
    who = telling.name(root["author"], me)
    verb = _("You organise this") if _is(root["author"], me) else _("{who} organises this")
    parts = [
        verb.format(who=who),
        telling.moment(root["starts"], today),
        telling.minutes(root["minutes"]),
        _repeats(root["repeats"]),
        line(root["area"] or ""),
        words.state(root["state"]),
    ]
    yield "\n" + " · ".join(one for one in parts if one)
    if root["text"]:
        yield "\n\n" + safe(root["text"]).strip()
    told = {one["on"] for one in root["occurrences"]} | set(root["upcoming"][:1])
    for day in sorted(told):
        yield "\n\n"
        yield (begins(root, day, today), "bold")
        yield from _occurrence(root, day, me)


def _occurrence(root: Shown, day: str, me: str | None) -> Iterator[Part]:
    one = _day(root, day)
    for role in roles(root, day):
        named = line(role["role"] or _("who comes"))
        count = f" ({len(role['has'])}/{role['places']})" if root["roles"] else ""
        yield f"\n{named}{count}: {_names(role['has'], me) or '–'}"
        if role["waits"]:
            yield "\n  " + _("waiting: {who}").format(who=_names(role["waits"], me))
    if one["came"]:
        yield "\n" + _("came: {who}").format(who=_names(one["came"], me))
    if one["missed"]:
        yield "\n" + _("could not come: {who}").format(who=_names(one["missed"], me))


def _repeats(rule: str | None) -> str:
    """How it repeats; a rule that has no plain words as it stands."""
    parts = dict(one.partition("=")[::2] for one in (rule or "").split(";"))
    often, n = parts.pop("FREQ", ""), parts.pop("INTERVAL", "1")
    if often not in _OFTEN or not n.isdecimal() or set(parts) - {"WKST"}:
        return line(rule or "")
    one, several = _OFTEN[often]
    return plural(one, several, int(n)).format(n=n)


_OFTEN = {
    "DAILY": (_("every day"), _("every {n} days")),
    "WEEKLY": (_("every week"), _("every {n} weeks")),
    "MONTHLY": (_("every month"), _("every {n} months")),
    "YEARLY": (_("every year"), _("every {n} years")),
}


# -- parts ----------------------------------------------------------------------------------------


def _day(view: Shown, day: str) -> Shown:
    """What is told of a day; of one for which nobody has signed up, that there is room."""
    known = next((one for one in view["occurrences"] if one["on"] == day), None)
    roles = [
        {"role": role, "places": places, "has": [], "waits": []}
        for role, places in (view["roles"] or {None: _MOST_PLACES}).items()
    ]
    return known or {"on": day, "roles": roles, "came": [], "missed": []}


def roles(view: Shown, day: str) -> list[Shown]:
    """The roles on a day, with who has a place and who waits."""
    found: list[Shown] = _day(view, day)["roles"]
    return found


def begins(view: Shown, day: str, today: date) -> str:
    """The moment of the occurrence on a day."""
    return telling.moment(series.moment(view["starts"], day), today)


def _names(people: list[Shown], me: str | None) -> str:
    return ", ".join(telling.name(one, me) for one in people)


def _is(person: Shown | None, wanted: str | None) -> bool:
    return person is not None and wanted is not None and person["id"] == wanted


def _free(count: int) -> str:
    return (
        plural("{n} place free", "{n} places free", count).format(n=count) if count else _("full")
    )
