"""What a person can do in the thread of a request or an offer, and which of it waits for them. Pure."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

from protocol import recurrence as series
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from tui.format import phrases as telling
from tui.i18n import _
from tui.kinds.next_steps import Act, close_step
from tui.kinds.thread_data import Case

Shown = dict[str, Any]

_DAY_CHARS = len("2026-11-23")


def acts(case: Case, me: str | None, today: date) -> list[Act]:
    """What waits for `me` first, then what is possible."""
    if me is None or case.root.get("kind") not in {"request", "offer"}:
        return []
    found = [
        *_agreeing(case, me, today),
        *_receipts(case, me, today),
        *_writing(case, me, today),
        *_correcting(case, me),
        *_cancelling(case, me),
        *_responding(case, me),
        *_closing(case, me),
    ]
    return sorted(found, key=lambda act: not act.waits)


def waits_in(case: Case, me: str | None, today: date) -> list[Act]:
    """Only what waits for `me`."""
    return [act for act in acts(case, me, today) if act.waits]


def answers(root: Shown, response: Shown) -> Shown | None:
    """Whose turn it is to answer a response: of the two, who did not write it."""
    above = [one for one in [root, *root["responses"]] if one["id"] == response["about"]]
    author: Shown | None = above[0]["author"] if above else None
    return author


def correction(one: Shown, me: str) -> Act | None:
    """What a correction asks of `me`, if anything."""
    if one["state"] != "proposed" or one["author"]["id"] == me or me not in _parties(one):
        return None
    right = telling.minutes(one["minutes"]) or _("nothing")
    said = _("{who} says that {minutes} are right. Once you confirm, these count for both of you.")
    return Act(
        kind="confirm",
        about=one["id"],
        label=_("Confirm the correction: {minutes} instead").format(minutes=right),
        waits=True,
        said=said.format(who=telling.name(one["author"]), minutes=right),
        fields=(),
    )


def _agreeing(case: Case, me: str, today: date) -> Iterator[Act]:
    root = case.root
    if root["state"] not in {"open", "agreed", "expired"}:
        return
    for one in root["responses"]:
        if one["state"] != "waiting":
            continue
        if one["author"]["id"] == me:
            yield close_step(one, "withdrawn", _("Take back what you propose"))
        elif (answers(root, one) or {}).get("id") == me:
            yield from _answering(one, today, waits=root["state"] != "expired")


def _answering(one: Shown, today: date, *, waits: bool) -> Iterator[Act]:
    who, terms = telling.name(one["author"]), telling.terms(one, today)
    said = _("With this, you and {who} have signed the same terms: {terms}.")
    yield Act(
        kind="agreement",
        about=one["id"],
        label=_("Agree with {who}").format(who=who) + (f": {terms}" if terms else ""),
        waits=waits,
        said=said.format(who=who, terms=terms or _("none are named")),
        fields=(),
    )
    yield Act(
        kind="response",
        about=one["id"],
        label=_("Propose other terms to {who}").format(who=who),
        said=_("Nothing is agreed until {who} says yes.").format(who=who),
        given={"minutes": str(one.get("minutes") or ""), "when": one.get("when") or ""},
    )
    yield close_step(one, "declined", _("Decline what {who} proposes").format(who=who))


def _receipts(case: Case, me: str, today: date) -> Iterator[Act]:
    for one in case.receipts:
        if one["author"]["id"] == me or me not in _parties(one):
            continue
        if one["state"] not in {"proposed", "disputed"}:
            continue
        disputed = one["state"] == "disputed"
        label = (
            _("Confirm it after all: {minutes}")
            if disputed
            else _("Confirm the receipt: {minutes}")
        )
        said = _("{giver} gave {minutes} on {on}. Once you confirm, it counts for both of you.")
        minutes = telling.minutes(one["minutes"])
        yield Act(
            kind="confirm",
            about=one["id"],
            label=label.format(minutes=minutes),
            waits=not disputed,
            said=said.format(
                giver=telling.name(one["giver"]),
                minutes=minutes,
                on=telling.moment(one["on"], today),
            ),
            fields=(),
        )
        if not disputed:
            yield close_step(one, "disputed", _("Say that this is not right"))


def _writing(case: Case, me: str, today: date) -> Iterator[Act]:
    for one in case.agreements:
        again = one["state"] == "done" and bool(one.get("repeats"))
        if (
            me not in _parties(one)
            or _has(one, "proposed")
            or not (one["state"] == "agreed" or again)
        ):
            continue
        words = _("Write the receipt with {who}, once it is done")
        if again:
            words = _("Write a receipt with {who} for another day")
        elif _has(one, "disputed"):
            words = _("Write another receipt with {who}: the last one is disputed")
        yield Act(
            kind="receipt",
            about=one["id"],
            label=words.format(who=telling.name(_other(one, me))),
            waits=not again,
            said=_("It counts once the other of you has confirmed it."),
            given={"minutes": str(one.get("minutes") or ""), "on": _day(case.root, one, today)},
        )


def _correcting(case: Case, me: str) -> Iterator[Act]:
    for one in case.corrections:
        if act := correction(one, me):
            yield act
            yield close_step(one, "disputed", _("Say that this correction is not right"))
    waiting = {one["about"] for one in case.corrections if one["state"] == "proposed"}
    for one in case.receipts:
        if one["state"] != "confirmed" or one["id"] in waiting or me not in _parties(one):
            continue
        counted = telling.counted_duration(one)
        yield Act(
            kind="correction",
            about=one["id"],
            label=_("Correct the receipt: {minutes}").format(minutes=counted),
            said=_("The receipt stays. Other minutes count once {who} has confirmed them.").format(
                who=telling.name(_other(one, me))
            ),
        )


def _cancelling(case: Case, me: str) -> Iterator[Act]:
    for one in case.agreements:
        if one["state"] == "agreed" and me in _parties(one):
            who = telling.name(_other(one, me))
            yield close_step(
                one, "cancelled", _("Cancel what you agreed with {who}").format(who=who)
            )


def _responding(case: Case, me: str) -> Iterator[Act]:
    root = case.root
    going = [one for one in root["responses"] if one["state"] in {"waiting", "accepted"}]
    tried = any(me in {one["author"]["id"], (answers(root, one) or {}).get("id")} for one in going)
    if root["author"]["id"] == me or root["state"] not in {"open", "agreed"} or tried:
        return
    asks = root["kind"] == "request"
    yield Act(
        kind="response",
        about=root["id"],
        label=_("I can do this") if asks else _("I would like this"),
        said=_("Propose your terms. Nothing is agreed until {who} says yes.").format(
            who=telling.name(root["author"])
        ),
        given={"minutes": str(root.get("minutes") or ""), "when": root.get("starts") or ""},
    )


def _closing(case: Case, me: str) -> Iterator[Act]:
    root = case.root
    live = [one for one in case.agreements if one["state"] != "cancelled"]
    if root["author"]["id"] != me or root["state"] not in {"open", "expired"} or live:
        return
    if "close" in KINDS:
        yield close_step(root, "withdrawn", _("Withdraw this"))
    elif "retract" in KINDS:
        yield Act(
            kind="retract",
            about=root["id"],
            label=_("Take this back"),
            said=_("Its words are erased at every home. That cannot be undone."),
            fields=(),
        )


def _parties(view: Shown) -> set[str]:
    return {view["giver"]["id"], view["receiver"]["id"]}


def _other(view: Shown, me: str) -> Shown:
    return next(one for one in (view["giver"], view["receiver"]) if one["id"] != me)


def _has(agreement: Shown, state: str) -> bool:
    return any(one["state"] == state for one in agreement["receipts"])


def _day(root: Shown, agreement: Shown, today: date) -> str:
    """The day that a receipt is likely about: the last one, up to today, that nobody signed for."""
    when = agreement.get("when") or root.get("starts") or ""
    now, days = today.isoformat(), [when[:_DAY_CHARS]] if when else []
    if when and agreement.get("repeats"):
        with suppress(Refused):
            days = list(series.days(when, agreement["repeats"]))
    signed = {
        one["on"][:_DAY_CHARS] for one in agreement["receipts"] if one["state"] == "confirmed"
    }
    return next((day for day in reversed(days) if day <= now and day not in signed), now)
