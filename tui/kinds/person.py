"""A person of the neighbourhood: standing, devices, who acts for whom, and what can be done. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from textual.content import Content

from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.next_steps import Act
from tui.kinds.proposal_steps import asking, ids, is_council, removing, restoring

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]


@dataclass(frozen=True)
class Folder:
    """What there is to tell of one person. Devices are those of this home's own person."""

    person: Shown
    term: Shown
    proxies: list[Shown] = field(default_factory=list)
    devices: list[Shown] = field(default_factory=list)


def door(waiting: Shown) -> list[Shown]:
    """Who waits to be let in: those who knocked, and those for whom somebody vouched."""
    found = {one["person"]["id"]: one for one in waiting.get("knocks") or []}
    for one in waiting.get("vouched") or []:
        found.setdefault(one["person"]["id"], one)
    return list(found.values())


def members(people: list[Shown], term: Shown, me: str | None) -> list[Card]:
    """Who belongs, and how."""
    return [_card(one, term, me) for one in people]


def at_the_door(one: Shown, me: str | None) -> Card:
    """Somebody who waits to be let in."""
    vouchers = ", ".join(telling.name(each, me) for each in one.get("vouchers") or [])
    told = _("waits to be let in")
    told += " · " + _("{who} vouched").format(who=vouchers) if vouchers else ""
    return Card(one["person"]["id"], telling.name(one["person"]), told)


def story(folder: Folder, today: date, me: str | None) -> Content:
    """The whole of it, for one pane."""
    return Content.assemble(*_told(folder, today, me))


def acts(folder: Folder, me: str | None, today: date) -> list[Act]:
    """What `me` can do about this person, or about themselves."""
    if me is None:
        return []
    offer = _for_oneself if folder.person["id"] == me else _for_another
    return list(offer(folder, me, today))


# -- how it is told -------------------------------------------------------------------------------


def _card(one: Shown, term: Shown, me: str | None) -> Card:
    told = telling.name(one) + (" " + _("(you)") if one["id"] == me else "")
    return Card(one["id"], told, ", ".join(_standing(one, term)), quiet=one["state"] == "removed")


def _standing(one: Shown, term: Shown) -> Iterator[str]:
    if one["state"] == "removed":
        yield _("removed")
        return
    on_roll = one["id"] in ids(term.get("roll"))
    yield _("on the roll") if on_roll else _("joins the roll by renewal")
    if one["id"] in ids(term.get("moderators")):
        yield _("moderator")


def _told(folder: Folder, today: date, me: str | None) -> Iterator[Part]:
    one, mine = folder.person, folder.person["id"] == me
    yield (telling.name(one) + (" " + _("(you)") if mine else ""), "bold")
    yield "\n" + _standing_in_full(one, folder.term)
    if mine:
        yield "\n\n"
        yield (_("Your devices"), "bold")
        for device in folder.devices:
            yield "\n" + _device(device)
        yield "\n"
        yield (
            _(
                "To end one that is lost or stolen takes your recovery words, which this screen "
                "never sees: meshcoop revoke DEVICE --words FILE"
            ),
            "dim",
        )
    given = [each for each in folder.proxies if each["author"]["id"] == one["id"]]
    held = [each for each in folder.proxies if each["person"]["id"] == one["id"]]
    if given or held or mine:
        yield "\n\n"
        yield (_("Who acts for whom"), "bold")
    if mine and not given and not held:
        yield "\n" + _("Nobody acts for you, and you act for nobody.")
    for each in [*given, *held]:
        yield "\n" + _proxy(each, today, me)


def _standing_in_full(one: Shown, term: Shown) -> str:
    if one["state"] == "removed":
        return _("Removed. Only a decision of the roll brings them back.")
    parts = []
    if one["id"] in ids(term.get("roll")):
        parts.append(_("On the roll: votes on decisions."))
    else:
        parts.append(_("Takes part in everything, and votes from the next renewal on."))
    if one["id"] in ids(term.get("moderators")):
        parts.append(_("A moderator: with the others, hides words and removes people."))
    return " ".join(parts)


def _device(one: Shown) -> str:
    counted = plural("{n} record", "{n} records", one["records"]).format(n=one["records"])
    parts = [one["device"][:8], words.state(one["state"]), counted]
    parts += [_("this home's")] if one["here"] else []
    return telling.plain_line(" · ".join(parts)).plain


def _proxy(one: Shown, today: date, me: str | None) -> str:
    told = _("{by} for {who}: {matters}").format(
        by=telling.name(one["person"], me),
        who=telling.name(one["author"], me),
        matters=", ".join(words.kind(each) for each in one["matters"]),
    )
    until = _("until {day}").format(day=telling.moment(one["until"], today))
    if one["state"] == "in force" and one["until"] < today.isoformat():
        until = _("over since {day}").format(day=telling.moment(one["until"], today))
    told = telling.plain_line(told[:1].upper() + told[1:]).plain
    return f"{told} · {until if one['state'] == 'in force' else words.state(one['state'])}"


# -- what can be done -----------------------------------------------------------------------------


def _for_oneself(folder: Folder, me: str, today: date) -> Iterator[Act]:
    for one in folder.proxies:
        live = one["state"] == "in force" and one["until"] >= today.isoformat()
        if one["author"]["id"] == me and live:
            who = telling.name(one["person"])
            said = _("What {who} signs for you from now on does not count. You can begin again.")
            yield Act(
                kind="close",
                about=one["id"],
                label=_("End what {who} does for you").format(who=who),
                said=said.format(who=who),
                fields=(),
                fixed={"as_state": "ended"},
            )
    yield Act(
        kind="proxy",
        about=None,
        label=_("Let somebody act for you"),
        said=_LETTING,
        without=frozenset({me}),
    )


_LETTING = _(
    "They sign in these matters for you, and everybody sees both names. You can end it at any time; "
    "what they signed by then stays."
)


def _for_another(folder: Folder, me: str, today: date) -> Iterator[Act]:
    del today
    one, term = folder.person, folder.term
    who = telling.name(one)
    if one["state"] == "removed":
        yield restoring(one)
        return
    yield Act(
        kind="proxy",
        about=None,
        label=_("Let {who} act for you").format(who=who),
        said=_LETTING,
        fields=("matters", "until"),
        fixed={"person": one["id"]},
    )
    yield asking(
        f"remove {one['id']}",
        _("Ask everybody to remove {who}").format(who=who),
        _("{who} leaves the neighbourhood").format(who=who),
    )
    if is_council(term, me):
        yield removing(one, term)


def vouching(person: Shown) -> Act:
    """Saying yes to somebody who waits at the neighbourhood's door."""
    who = telling.name(person)
    return Act(
        kind="approve",
        about=person["id"],
        label=_("Vouch for {who}").format(who=who),
        said=_("You say that you know {who}, and that this is really them.").format(who=who),
        fields=(),
    )
