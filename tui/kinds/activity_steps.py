"""Finds what a person can do in an activity, and which of these things wait for the person. All
functions here are pure.
"""

from collections.abc import Iterator
from datetime import date

from protocol.display_text import safe_line
from tui.format import phrases
from tui.format.phrases import Card, Shown
from tui.i18n import _
from tui.kinds.activities import is_person, occurrence_moment, roles_on
from tui.kinds.next_steps import NextStep, close_step
from tui.kinds.thread_data import ThreadData

FETCHED_LISTS = ("signups", "attendances", "receipts")  # fetched with an activity

_DAY_CHARS = len("2026-11-23")


def waiting_activity_cards(
    activities: list[Shown],
    signups: list[Shown],
    receipts: list[Shown],
    me: str | None,
    today: date,
) -> Iterator[Card]:
    """Yields a card for each thing in an activity that waits for `me`: to write down who came, or
    to confirm a receipt. Also yields a card for each waiting list that `me` is on.
    """
    for view in activities:
        for occurrence in _unwritten_occurrences(view, me, today):
            title = _("Write down who came to {title}").format(title=phrases.title(view))
            yield Card(view["id"], title, occurrence_moment(view, occurrence["on"], today))
        theirs = [signup for signup in signups if signup["about"] == view["id"]]
        for signup in theirs:
            is_waiting = signup["state"] == "waiting" and signup["on"] in view["upcoming"]
            if is_waiting and is_person(signup["author"], me):
                title = _("You are on the waiting list for {title}")
                title = title.format(title=phrases.title(view))
                detail = _waiting_reason(view, signup, theirs, today)
                yield Card(view["id"], title, detail, quiet=True)
    for receipt in receipts:
        is_mine = is_person(receipt["giver"], me) and not is_person(receipt["author"], me)
        if is_mine and _is_from_pot(receipt):
            step = _confirm_step(receipt, today)
            yield Card(receipt["id"], step.label, step.meaning)


def activity_steps_for(thread: ThreadData, me: str | None, today: date) -> list[NextStep]:
    """Lists what `me` can do in an activity. Things that somebody waits for come first."""
    if me is None:
        return []
    steps = [
        *_confirming_steps(thread, me, today),
        *_organiser_steps(thread, me, today),
        *_guest_steps(thread, me, today),
    ]
    return sorted(steps, key=lambda step: not step.waits)


# -- coming ---------------------------------------------------------------------------------------


def _guest_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    """Yields what `me` can do as a guest: sign up for the next day without a signup of theirs, or
    withdraw a signup.
    """
    root = thread.root
    upcoming = root["upcoming"]
    signups = [
        signup
        for signup in _answers_of_kind(thread, "signup")
        if is_person(signup["author"], me)
        if signup["state"] != "withdrawn" and signup["on"] in upcoming
    ]
    taken_days = {signup["on"] for signup in signups}
    free_day = next((day for day in upcoming if day not in taken_days), None)
    if free_day is not None and root["state"] != "cancelled":
        for role in roles_on(root, free_day):
            yield _signup_step(root, role, free_day, today)
    for signup in signups:
        when = occurrence_moment(root, signup["on"], today)
        yield NextStep(
            kind="close",
            about=signup["id"],
            label=_("Withdraw from {when}").format(when=when),
            meaning=_("Your place goes to the first person waiting."),
            fixed={"as_state": "withdrawn"},
            fields=("why",),
        )


def _signup_step(root: Shown, role: Shown, day: str, today: date) -> NextStep:
    is_full = len(role["has"]) >= role["places"]
    if role["role"] is None:
        label = _("Wait for a place on {when}") if is_full else _("Come on {when}")
    elif is_full:
        label = _("Wait for a place as {role} on {when}")
    else:
        label = _("Come as {role} on {when}")
    when = occurrence_moment(root, day, today)
    return NextStep(
        kind="signup",
        about=root["id"],
        label=label.format(role=safe_line(role["role"] or ""), when=when),
        meaning=_("First come, first served – the organiser can also choose."),
        fields=("on",),
        given={"on": day},
        fixed={"role": role["role"]} if role["role"] else {},
    )


# -- organising -----------------------------------------------------------------------------------


def _organiser_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    root = thread.root
    if not is_person(root["author"], me):
        return
    for occurrence in _unwritten_occurrences(root, me, today):
        yield _attendance_step(root, occurrence, today)
    yield from _pot_receipt_steps(thread, me, today)
    for signup in _answers_of_kind(thread, "signup"):
        is_undecided = signup["state"] != "withdrawn" and not signup["accepted"]
        if is_undecided and signup["on"] in root["upcoming"]:
            yield _accept_step(root, signup, today)
    if root["state"] in {"open", "full"}:
        yield close_step(root, "cancelled", _("Cancel this"))


def _attendance_step(root: Shown, occurrence: Shown, today: date) -> NextStep:
    when = occurrence_moment(root, occurrence["on"], today)
    placed = [person["id"] for role in occurrence["roles"] for person in role["has"]]
    return NextStep(
        kind="attendance",
        about=root["id"],
        label=_("Write down who came on {when}").format(when=when),
        waits=True,
        meaning=_("Who had a place is recorded too, and cannot be changed later."),
        fields=("people",),
        given={"people": ",".join(placed)},
        fixed={"on": occurrence["on"]},
    )


def _accept_step(root: Shown, signup: Shown, today: date) -> NextStep:
    who = phrases.name(signup["author"])
    when = occurrence_moment(root, signup["on"], today)
    if signup["role"]:
        label = _("Say yes to {who} as {role} on {when}")
    else:
        label = _("Say yes to {who} on {when}")
    return NextStep(
        kind="accept",
        about=signup["id"],
        label=label.format(who=who, when=when, role=safe_line(signup["role"] or "")),
        meaning=_("{who} then gets a place before people you have not said yes to.").format(
            who=who
        ),
        fields=(),
    )


def _pot_receipt_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    """Yields, for each person who came, the step that writes them a receipt from the common pot.
    Each person gets at most one receipt a day.
    """
    paid = {
        (receipt["giver"]["id"], receipt["on"][:_DAY_CHARS])
        for receipt in thread.receipts
        if receipt["state"] != "disputed"
    }
    for attendance in _answers_of_kind(thread, "attendance"):
        for person in attendance["people"]:
            person_day = (person["id"], attendance["on"])
            if person_day in paid or is_person(person, me):
                continue
            paid.add(person_day)
            yield _pot_receipt_step(thread.root, attendance, person, today)


def _pot_receipt_step(root: Shown, attendance: Shown, person: Shown, today: date) -> NextStep:
    who = phrases.name(person)
    when = occurrence_moment(root, attendance["on"], today)
    label = _("Give {who} hours from the common pot for {when}")
    return NextStep(
        kind="receipt",
        about=attendance["id"],
        label=label.format(who=who, when=when),
        meaning=_("It counts once {who} has confirmed it. Nobody owes it.").format(who=who),
        fields=("minutes", "note"),
        given={"minutes": str(root["minutes"] or "")},
        fixed={"giver": person["id"]},
    )


# -- confirming -----------------------------------------------------------------------------------


def _confirming_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    for receipt in thread.receipts:
        if receipt["state"] == "proposed" and is_person(receipt["giver"], me):
            yield _confirm_step(receipt, today)


def _confirm_step(receipt: Shown, today: date) -> NextStep:
    minutes = phrases.minutes(receipt["minutes"])
    meaning = _("You gave {minutes} on {on}; they come from the common pot once you confirm.")
    return NextStep(
        kind="confirm",
        about=receipt["id"],
        label=_("Confirm the receipt: {minutes}").format(minutes=minutes),
        waits=True,
        meaning=meaning.format(minutes=minutes, on=phrases.moment(receipt["on"], today)),
        fields=(),
    )


# -- who has a place ------------------------------------------------------------------------------


def _waiting_reason(view: Shown, waiting: Shown, signups: list[Shown], today: date) -> str:
    """Says who has the last place in the role that a signup waits for. Also says why this person
    came before the signup's author.
    """
    day = waiting["on"]
    when = occurrence_moment(view, day, today)
    role = next((role for role in roles_on(view, day) if role["role"] == waiting["role"]), None)
    # The role's words may be hidden, or nobody may have a place any more.
    if role is None or not role["has"]:
        return when
    last = role["has"][-1]
    is_chosen = any(
        signup["accepted"] and signup["on"] == day and is_person(signup["author"], last["id"])
        for signup in signups
    )
    reason = _("{when}: the last place went to {who}, who signed up before you")
    if is_chosen:
        reason = _("{when}: the last place went to {who}; {organiser} had said yes to them")
    organiser = phrases.name(view["author"])
    return reason.format(when=when, who=phrases.name(last), organiser=organiser)


def _unwritten_occurrences(view: Shown, me: str | None, today: date) -> list[Shown]:
    """Returns the past days, and today, for which `me` must still write down who came. Only the
    organiser has such days; somebody must have had a place on the day.
    """
    if not is_person(view["author"], me) or view["state"] == "cancelled":
        return []
    return [
        occurrence
        for occurrence in view["occurrences"]
        if occurrence["on"] <= today.isoformat() and not occurrence["attended"]
        if any(role["has"] for role in occurrence["roles"])
    ]


def _answers_of_kind(thread: ThreadData, kind: str) -> list[Shown]:
    return [answer for answer in thread.answers if answer["kind"] == kind]


def _is_from_pot(receipt: Shown) -> bool:
    return int(receipt["receiver"]["id"], 16) == 0
