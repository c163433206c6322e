"""Finds what a person can do in the thread of a request or an offer, and which of these steps wait
for that person. All functions here are pure.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date

from protocol import recurrence
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from tui.format import phrases
from tui.format.phrases import Shown
from tui.i18n import _
from tui.kinds.next_steps import NextStep, close_step
from tui.kinds.thread_data import ThreadData

_DAY_CHARS = len("2026-11-23")


def steps_for_exchange(thread: ThreadData, me: str | None, today: date) -> list[NextStep]:
    """Lists what `me` can do in an exchange. Things that somebody waits for come first."""
    if me is None or thread.root.get("kind") not in {"request", "offer"}:
        return []
    steps = [
        *_negotiation_steps(thread, me, today),
        *_confirmation_steps(thread, me, today),
        *_receipt_steps(thread, me, today),
        *_correction_steps(thread, me),
        *_cancellation_steps(thread, me),
        *_response_steps(thread, me),
        *_withdrawal_steps(thread, me),
    ]
    return sorted(steps, key=lambda step: not step.waits)


def waiting_exchange_steps(thread: ThreadData, me: str | None, today: date) -> list[NextStep]:
    """Lists only the steps of an exchange that wait for `me`."""
    return [step for step in steps_for_exchange(thread, me, today) if step.waits]


def addressee(root: Shown, response: Shown) -> Shown | None:
    """Returns the person who has to answer a response. If the thread does not show this person,
    returns None.

    A response is about a request, an offer or another response. The author of that record has to
    answer.
    """
    for view in [root, *root["responses"]]:
        if view["id"] == response["about"]:
            author: Shown = view["author"]
            return author
    return None


def confirm_correction_step(record: Shown, me: str) -> NextStep | None:
    """Returns the step that confirms a correction of a receipt. If the correction does not wait for
    `me`, returns None.
    """
    is_mine = record["author"]["id"] == me
    if record["state"] != "proposed" or is_mine or me not in _party_ids(record):
        return None
    minutes = phrases.minutes(record["minutes"]) or _("nothing")
    meaning = _(
        "{who} says that the right time is {minutes}. Once you confirm, it counts for both of you."
    )
    return NextStep(
        kind="confirm",
        about=record["id"],
        label=_("Confirm the correction: {minutes} instead").format(minutes=minutes),
        waits=True,
        meaning=meaning.format(who=phrases.name(record["author"]), minutes=minutes),
        fields=(),
    )


# -- terms ----------------------------------------------------------------------------------------


def _negotiation_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    """Yields two sorts of steps for each response that waits. If `me` wrote the response, `me` can
    take it back. If it is addressed to `me`, `me` can answer it.
    """
    root = thread.root
    if root["state"] not in {"open", "agreed", "expired"}:
        return
    for response in root["responses"]:
        if response["state"] != "waiting":
            continue
        if response["author"]["id"] == me:
            yield close_step(response, "withdrawn", _("Take back your proposal"))
        elif _is_addressed_to(root, response, me):
            yield from _answer_steps(response, today, is_awaited=root["state"] != "expired")


def _answer_steps(response: Shown, today: date, *, is_awaited: bool) -> Iterator[NextStep]:
    who = phrases.name(response["author"])
    terms = phrases.terms(response, today)
    label = _("Agree with {who}").format(who=who)
    meaning = _("You and {who} will both have agreed to this: {terms}.")
    yield NextStep(
        kind="agreement",
        about=response["id"],
        label=f"{label}: {terms}" if terms else label,
        waits=is_awaited,
        meaning=meaning.format(who=who, terms=terms or _("no hours or day named")),
        fields=(),
    )
    yield NextStep(
        kind="response",
        about=response["id"],
        label=_("Propose other terms to {who}").format(who=who),
        meaning=_("Nothing is agreed until {who} says yes.").format(who=who),
        given={"minutes": str(response.get("minutes") or ""), "when": response.get("when") or ""},
    )
    yield close_step(response, "declined", _("Decline {who}'s proposal").format(who=who))


def _response_steps(thread: ThreadData, me: str) -> Iterator[NextStep]:
    """Yields the step with which `me` responds for the first time. Yields nothing if `me` has
    responded already, or has a response to answer.
    """
    root = thread.root
    if root["author"]["id"] == me or root["state"] not in {"open", "agreed"}:
        return
    live = [
        response for response in root["responses"] if response["state"] in {"waiting", "accepted"}
    ]
    if any(
        response["author"]["id"] == me or _is_addressed_to(root, response, me) for response in live
    ):
        return
    author = phrases.name(root["author"])
    yield NextStep(
        kind="response",
        about=root["id"],
        label=_("Offer to help") if root["kind"] == "request" else _("Ask for this"),
        meaning=_("Say what suits you. Nothing is agreed until {who} says yes.").format(who=author),
        given={"minutes": str(root.get("minutes") or ""), "when": root.get("starts") or ""},
    )


def _is_addressed_to(root: Shown, response: Shown, me: str) -> bool:
    person = addressee(root, response)
    return person is not None and person["id"] == me


# -- receipts -------------------------------------------------------------------------------------


def _confirmation_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    """Yields the steps with which `me` confirms or disputes a receipt by the other party."""
    for receipt in thread.receipts:
        if receipt["author"]["id"] == me or me not in _party_ids(receipt):
            continue
        if receipt["state"] == "proposed":
            label = _("Confirm the receipt: {minutes}")
            yield _confirm_step(receipt, label, today, is_awaited=True)
            yield close_step(receipt, "disputed", _("This is wrong"))
        elif receipt["state"] == "disputed":
            label = _("Confirm it after all: {minutes}")
            yield _confirm_step(receipt, label, today, is_awaited=False)


def _confirm_step(receipt: Shown, label: str, today: date, *, is_awaited: bool) -> NextStep:
    minutes = phrases.minutes(receipt["minutes"])
    meaning = _("{giver} gave {minutes} on {on}. Once you confirm, it counts for both of you.")
    return NextStep(
        kind="confirm",
        about=receipt["id"],
        label=label.format(minutes=minutes),
        waits=is_awaited,
        meaning=meaning.format(
            giver=phrases.name(receipt["giver"]),
            minutes=minutes,
            on=phrases.moment(receipt["on"], today),
        ),
        fields=(),
    )


def _receipt_steps(thread: ThreadData, me: str, today: date) -> Iterator[NextStep]:
    """Yields the step that writes a receipt, for each agreement that has none. For a repeated
    agreement, yields the step again after each receipt.
    """
    for agreement in thread.agreements:
        is_another = agreement["state"] == "done" and bool(agreement.get("repeats"))
        if me not in _party_ids(agreement) or _has_receipt(agreement, "proposed"):
            continue
        if agreement["state"] == "agreed" or is_another:
            yield _receipt_step(thread.root, agreement, me, today, is_another=is_another)


def _receipt_step(
    root: Shown, agreement: Shown, me: str, today: date, *, is_another: bool
) -> NextStep:
    if is_another:
        label = _("Write a receipt with {who} for another day")
    elif _has_receipt(agreement, "disputed"):
        label = _("Write another receipt with {who}: the last one is disputed")
    else:
        label = _("After it is done: confirm the hours with {who}")
    return NextStep(
        kind="receipt",
        about=agreement["id"],
        label=label.format(who=phrases.name(_other_party(agreement, me))),
        waits=not is_another,
        meaning=_("It counts when the other person confirms."),
        given={
            "minutes": str(agreement.get("minutes") or ""),
            "on": _likely_day(root, agreement, today),
        },
    )


def _has_receipt(agreement: Shown, state: str) -> bool:
    return any(receipt["state"] == state for receipt in agreement["receipts"])


def _likely_day(root: Shown, agreement: Shown, today: date) -> str:
    """Guesses the day of the next receipt. It is the latest agreed day, up to today, that has no
    confirmed receipt. If there is no such day, returns today.
    """
    latest = today.isoformat()
    signed_days = {
        receipt["on"][:_DAY_CHARS]
        for receipt in agreement["receipts"]
        if receipt["state"] == "confirmed"
    }
    days = _agreed_days(root, agreement)
    open_days = (day for day in reversed(days) if day <= latest and day not in signed_days)
    return next(open_days, latest)


def _agreed_days(root: Shown, agreement: Shown) -> list[str]:
    """Returns the days of an agreement, earliest first. A repeated agreement has several days. If
    nobody named a day, returns an empty list.
    """
    when = agreement.get("when") or root.get("starts") or ""
    if not when:
        return []
    if agreement.get("repeats"):
        # If the rule gives no days after this start, only the first day is left.
        with suppress(Refused):
            return list(recurrence.occurrence_days(when, agreement["repeats"]))
    return [when[:_DAY_CHARS]]


# -- corrections ----------------------------------------------------------------------------------


def _correction_steps(thread: ThreadData, me: str) -> Iterator[NextStep]:
    """Yields the steps that confirm or dispute a correction, and the steps that propose a
    correction to a confirmed receipt.
    """
    for record in thread.corrections:
        if step := confirm_correction_step(record, me):
            yield step
            yield close_step(record, "disputed", _("This correction is wrong"))
    in_correction = {
        record["about"] for record in thread.corrections if record["state"] == "proposed"
    }
    for receipt in thread.receipts:
        is_open = receipt["state"] == "confirmed" and receipt["id"] not in in_correction
        if is_open and me in _party_ids(receipt):
            yield _correct_step(receipt, me)


def _correct_step(receipt: Shown, me: str) -> NextStep:
    minutes = phrases.counted_duration(receipt)
    who = phrases.name(_other_party(receipt, me))
    meaning = _("The receipt stays. The new minutes count when {who} confirms them.")
    return NextStep(
        kind="correction",
        about=receipt["id"],
        label=_("Correct the receipt: {minutes}").format(minutes=minutes),
        meaning=meaning.format(who=who),
    )


# -- ends -----------------------------------------------------------------------------------------


def _cancellation_steps(thread: ThreadData, me: str) -> Iterator[NextStep]:
    for agreement in thread.agreements:
        if agreement["state"] == "agreed" and me in _party_ids(agreement):
            who = phrases.name(_other_party(agreement, me))
            label = _("Cancel what you agreed with {who}").format(who=who)
            yield close_step(agreement, "cancelled", label)


def _withdrawal_steps(thread: ThreadData, me: str) -> Iterator[NextStep]:
    """Yields the step that withdraws a request or an offer of `me`. If somebody has agreed to it
    already, yields nothing.
    """
    root = thread.root
    if root["author"]["id"] != me or root["state"] not in {"open", "expired"}:
        return
    if any(agreement["state"] != "cancelled" for agreement in thread.agreements):
        return
    if "close" in KINDS:
        yield close_step(root, "withdrawn", _("Withdraw this"))
    elif "retract" in KINDS:
        yield NextStep(
            kind="retract",
            about=root["id"],
            label=_("Take this back"),
            meaning=_("Its words are erased at every home. That cannot be undone."),
            fields=(),
        )


# -- parties --------------------------------------------------------------------------------------


def _party_ids(view: Shown) -> set[str]:
    return {view["giver"]["id"], view["receiver"]["id"]}


def _other_party(view: Shown, me: str) -> Shown:
    """Returns the other party of an agreement or a receipt. The person `me` must be one of the two
    parties.
    """
    parties = (view["giver"], view["receiver"])
    return next(party for party in parties if party["id"] != me)
