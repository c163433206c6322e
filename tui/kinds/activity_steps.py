"""What a person can do in an activity, and what of it waits for them. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from protocol.display_text import line
from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds.activities import begins, roles
from tui.kinds.next_steps import Act
from tui.kinds.thread_data import Case

Shown = dict[str, Any]

ANSWERS = ("signups", "attendances", "receipts")  # what a thread is told with


def waits(
    activities: list[Shown],
    signups: list[Shown],
    receipts: list[Shown],
    me: str | None,
    today: date,
) -> Iterator[Card]:
    """What waits for `me`, and where they wait themselves."""
    for view in activities:
        for one in _unwritten(view, me, today):
            said = _("Write down who came to {title}").format(title=telling.title(view))
            yield Card(view["id"], said, begins(view, one["on"], today))
        mine = [one for one in signups if one["about"] == view["id"]]
        for one in mine:
            if (
                _is(one["author"], me)
                and one["state"] == "waiting"
                and one["on"] in view["upcoming"]
            ):
                said = _("You are on the waiting list for {title}")
                why = _why(view, one, mine, today)
                yield Card(view["id"], said.format(title=telling.title(view)), why, quiet=True)
    for one in receipts:
        if _is(one["giver"], me) and not _is(one["author"], me) and _from_the_pot(one):
            yield Card(one["id"], _confirm(one, today).label, _confirm(one, today).said)


def acts(case: Case, me: str | None, today: date) -> list[Act]:
    """What waits for `me` first, then what is possible."""
    if me is None:
        return []
    found = [
        *(
            _confirm(one, today)
            for one in case.receipts
            if one["state"] == "proposed" and _is(one["giver"], me)
        ),
        *_organising(case, me, today),
        *_coming(case, me, today),
    ]
    return sorted(found, key=lambda act: not act.waits)


def _coming(case: Case, me: str, today: date) -> Iterator[Act]:
    root = case.root
    days = root["upcoming"]
    mine = [
        one
        for one in _of(case, "signup")
        if _is(one["author"], me) and one["state"] != "withdrawn" and one["on"] in days
    ]
    taken = {one["on"] for one in mine}
    day = next((one for one in days if one not in taken), None)
    if day is not None and root["state"] != "cancelled":
        for role in roles(root, day):
            yield _signup(root, role, day, today)
    for one in mine:
        yield Act(
            kind="close",
            about=one["id"],
            label=_("Withdraw from {when}").format(when=begins(root, one["on"], today)),
            said=_("Your place goes to whoever waits first."),
            fixed={"as_state": "withdrawn"},
            fields=("why",),
        )


def _signup(root: Shown, role: Shown, day: str, today: date) -> Act:
    full = len(role["has"]) >= role["places"]
    if role["role"] is None:
        label = _("Wait for a place on {when}") if full else _("Come on {when}")
    else:
        label = _("Wait for a place as {role} on {when}") if full else _("Come as {role} on {when}")
    return Act(
        kind="signup",
        about=root["id"],
        label=label.format(role=line(role["role"] or ""), when=begins(root, day, today)),
        said=_(
            "Places go to those who sign up first, and before them to whom the organiser accepts."
        ),
        fields=("on",),
        given={"on": day},
        fixed={"role": role["role"]} if role["role"] else {},
    )


def _organising(case: Case, me: str, today: date) -> Iterator[Act]:
    root = case.root
    if not _is(root["author"], me):
        return
    for one in _unwritten(root, me, today):
        yield Act(
            kind="attendance",
            about=root["id"],
            label=_("Write down who came on {when}").format(when=begins(root, one["on"], today)),
            waits=True,
            said=_("Who had a place is written down with it, and stays so."),
            fields=("people",),
            given={"people": ",".join(p["id"] for role in one["roles"] for p in role["has"])},
            fixed={"on": one["on"]},
        )
    yield from _paying(case, me, today)
    for one in _of(case, "signup"):
        if one["state"] != "withdrawn" and not one["accepted"] and one["on"] in root["upcoming"]:
            yield _accept(root, one, today)
    if root["state"] in {"open", "full"}:
        yield Act(
            kind="close",
            about=root["id"],
            label=_("Cancel this"),
            fixed={"as_state": "cancelled"},
            fields=("why",),
        )


def _accept(root: Shown, signup: Shown, today: date) -> Act:
    when, who = begins(root, signup["on"], today), telling.name(signup["author"])
    label = (
        _("Say yes to {who} as {role} on {when}")
        if signup["role"]
        else _("Say yes to {who} on {when}")
    )
    return Act(
        kind="accept",
        about=signup["id"],
        label=label.format(who=who, when=when, role=line(signup["role"] or "")),
        said=_("{who} then comes before all to whom you have not said yes.").format(who=who),
        fields=(),
    )


def _paying(case: Case, me: str, today: date) -> Iterator[Act]:
    paid = {
        (one["giver"]["id"], one["on"][: len("2026-11-23")])
        for one in case.receipts
        if one["state"] != "disputed"
    }
    for attendance in _of(case, "attendance"):
        for person in attendance["people"]:
            key = (person["id"], attendance["on"])
            if key in paid or _is(person, me):
                continue
            paid.add(key)
            when = begins(case.root, attendance["on"], today)
            yield Act(
                kind="receipt",
                about=attendance["id"],
                label=_("Give {who} hours from the common pot for {when}").format(
                    who=telling.name(person), when=when
                ),
                said=_("It counts once {who} has confirmed it. Nobody owes it.").format(
                    who=telling.name(person)
                ),
                fields=("minutes", "note"),
                given={"minutes": str(case.root["minutes"] or "")},
                fixed={"giver": person["id"]},
            )


def _confirm(receipt: Shown, today: date) -> Act:
    minutes = telling.minutes(receipt["minutes"])
    said = _("You gave {minutes} on {on}; they come from the common pot once you confirm.")
    return Act(
        kind="confirm",
        about=receipt["id"],
        label=_("Confirm the receipt: {minutes}").format(minutes=minutes),
        waits=True,
        said=said.format(minutes=minutes, on=telling.moment(receipt["on"], today)),
        fields=(),
    )


# -- parts ----------------------------------------------------------------------------------------


def _why(view: Shown, mine: Shown, signups: list[Shown], today: date) -> str:
    """Who has the last place, and why it is not who waits."""
    role = next((one for one in roles(view, mine["on"]) if one["role"] == mine["role"]), None)
    when = begins(view, mine["on"], today)
    if role is None or not role["has"]:  # its words are hidden, or nobody has a place any more
        return when
    last = role["has"][-1]
    said = _("{when}: the last place went to {who}, who signed up before you")
    if any(
        one["accepted"] and one["on"] == mine["on"] and _is(one["author"], last["id"])
        for one in signups
    ):
        said = _("{when}: the last place went to {who}, to whom {organiser} had said yes")
    return said.format(when=when, who=telling.name(last), organiser=telling.name(view["author"]))


def _unwritten(view: Shown, me: str | None, today: date) -> list[Shown]:
    """The days that have come, with people who have a place, of which nothing is written down."""
    if not _is(view["author"], me) or view["state"] == "cancelled":
        return []
    return [
        one
        for one in view["occurrences"]
        if one["on"] <= today.isoformat()
        and not one["attended"]
        and any(role["has"] for role in one["roles"])
    ]


def _of(case: Case, kind: str) -> list[Shown]:
    return [one for one in case.answers if one["kind"] == kind]


def _from_the_pot(receipt: Shown) -> bool:
    return int(receipt["receiver"]["id"], 16) == 0


def _is(person: Shown | None, wanted: str | None) -> bool:
    return person is not None and wanted is not None and person["id"] == wanted
