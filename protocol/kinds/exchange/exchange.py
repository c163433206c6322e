"""Kinds of the exchange: from an offer or a request to a receipt that both people sign (specs/13).

A state depends on the records that a home has, and not on the order in which they arrived. Once a
receipt is confirmed, the agreement is done, even if somebody cancels it.
"""

from typing import Any

from protocol.errors import Refused
from protocol.fold.balance import COMMON_POT
from protocol.fold.kind import NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot, occurrences
from protocol.kinds.exchange.negotiation import parley_of
from protocol.schema.fields import Integer, Many, Minutes, Moment, Person, Text


class Intent(Kind):
    """The base class of offers and requests: something that somebody would give or would like.

    `minutes` is an estimate until two people have agreed.
    """

    states = States(
        {
            "open": "It has fewer living agreements than places.",
            "agreed": "It has as many living agreements as places, or more (`agreement`).",
            "done": "It has as many living agreements as places, and all of them are done.",
            "expired": "By the clock: it is open, and `until` is past.",
            "withdrawn": (
                "Its author withdrew it (`close`), and it has fewer living agreements than places."
            ),
        }
    )
    deadline = ("until", "expired")
    title = Text(required=True, min=1, max=120)
    text = Text(max=2000)
    tags = Many(of=Text(min=1, max=40))
    minutes = Minutes(min=1)
    area = Text(max=60, help="a coarse area, never an address")
    starts = Moment()
    until = Moment(help="after this it counts as expired")
    repeats = Text(max=200, help="an iCalendar RRULE")
    places = Integer(min=1, max=1000, help="how many people are wanted; 1 if left out")
    lang = Text(max=35, help="the language of the words, such as es")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the RRULE in the field `repeats` is not understood (R-13.18)."""
        del thread
        occurrences.check_rule(entry.fields.get("starts"), entry.fields.get("repeats"))

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the offer or request to the views, in the state "open"."""
        thread.make_view(entry, state="open", responses=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of an offer or request (R-13.2).

        Cancelled agreements do not count here. If there are as many agreements as places, the state
        is "agreed". If all these agreements are done, the state is "done".
        """
        agreements = thread.linked_views("agreement", "intent", view["id"])
        living = [agreement for agreement in agreements if agreement["state"] != "cancelled"]
        responses = thread.linked_views("response", "intent", view["id"])
        view["responses"] = [response["id"] for response in responses]
        if len(living) >= (view["places"] or 1):
            is_done = all(agreement["state"] == "done" for agreement in living)
            view["state"] = "done" if is_done else "agreed"
        elif "withdrawn" in thread.marks[view["id"]]:
            view["state"] = "withdrawn"


@kind("offer")
class Offer(Intent):
    """Something that its author would give."""


@kind("request")
class Request(Intent):
    """Something that its author would like to receive."""


@kind("response", about=("offer", "request", "response"))
class Response(Kind):
    """Answers an offer, a request or another response, with terms of your own."""

    states = States(
        {
            "waiting": "Nobody has answered it.",
            "accepted": "An agreement about it lives (`agreement`).",
            "declined": (
                "The other party declined it (`close`), answered with other terms (`response`) or "
                "cancelled the agreement about it (`close`)."
            ),
            "withdrawn": "Its author withdrew it, or cancelled the agreement about it (`close`).",
        }
    )
    minutes = Minutes(min=1)
    when = Moment()
    text = Text(max=2000, private=True, help="words for the other of you only")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in missing terms from the record that this response answers."""
        del today
        above = thread.target_of(entry)
        when = above.fields.get("when" if above.kind == "response" else "starts")
        return {"minutes": above.fields.get("minutes"), "when": when, **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the two people who can read the private words of the response.

        They are the author of the offer or request, and the person who first responded to it.
        """
        parley = parley_of(thread, entry)
        return {parley.intent.person, parley.responder}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the offer or request is over (R-13.4).

        If this response answers another response, the other response must be waiting. Otherwise
        this raises Refused too.
        """
        intent = parley_of(thread, entry).intent
        when = entry.fields.get("when") or intent.fields.get("starts")
        occurrences.check_rule(when, intent.fields.get("repeats"))
        view = thread.views.get(intent.id)
        if view is not None and view["state"] not in {"open", "agreed"}:
            raise Refused("R-13.4", f"it is {view['state']} already; `meshcoop list` shows others")
        if occurrences.is_day_over(thread, entry, intent.fields.get("until")):
            raise Refused("R-13.4", f"it was open until {intent.fields['until']}; ask its author")
        above = thread.find_view(entry.about, "response")
        if above is not None and above["state"] != "waiting":
            raise Refused("R-13.4", f"the response is {above['state']}, not waiting")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the response to the views, in the state "waiting".

        Raises Refused if somebody answers their own offer or request, or if it is the turn of the
        other person (R-13.3, R-13.16).
        """
        intent = parley_of(thread, entry).intent.id
        thread.make_view(entry, state="waiting", agreement=None, intent=intent, why=None)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the response (R-13.5).

        If the response has an agreement that is not cancelled, the response is accepted. If another
        response answers it, it is declined.
        """
        agreements = thread.linked_views("agreement", "about", view["id"])
        living = [agreement for agreement in agreements if agreement["state"] != "cancelled"]
        answers = thread.linked_views("response", "about", view["id"])
        has_other_terms = any(answer["state"] != "withdrawn" for answer in answers)
        marks = thread.marks[view["id"]]
        if living:
            view["state"] = "accepted"
            view["agreement"] = living[0]["id"]
        elif "withdrawn" in marks or _has_cancelled(thread, agreements, view["author"]):
            view["state"] = "withdrawn"
        elif "declined" in marks or agreements or has_other_terms:
            view["state"] = "declined"
        if view["state"] not in {"withdrawn", "declined"}:
            view["why"] = None


@kind("agreement", about=("response",), lasting=True)
class Agreement(Kind):
    """Accepts a response. With an agreement, both people have signed the same terms."""

    states = States(
        {
            "agreed": "Both have signed the same terms.",
            "done": "Both have signed that the time was given, each time if it repeats (`confirm`).",
            "cancelled": "A party cancelled it (`close`), and it is not done.",
        }
    )
    minutes = Minutes(min=1)
    when = Moment()
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    repeats = Text(max=200, filled=True, help="as the intent says")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the terms of the response, the giver and the receiver.

        For a request, the giver is the person who responded. For an offer, the giver is its author.
        """
        del today
        response = thread.target_of(entry)
        parley = parley_of(thread, response)
        giver, receiver = parley.parties
        terms = {name: response.fields.get(name) for name in ("minutes", "when")}
        filled = {
            "giver": giver,
            "receiver": receiver,
            "repeats": parley.intent.fields.get("repeats"),
        }
        return {**terms, **entry.fields, **filled}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the response is not waiting any more (R-13.7)."""
        response = thread.find_view(entry.about, "response")
        if response is not None and response["state"] != "waiting":
            raise Refused("R-13.7", f"the response is {response['state']}, not waiting")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if the person whose turn it is agrees to the same terms as the response."""
        try:
            _check_agreement(thread, entry, target)
        except Refused:
            return False
        return True

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the agreement to the views (R-13.6).

        Raises Refused if its terms differ from the response, or if it is not its author's turn.
        """
        intent = _check_agreement(thread, entry, thread.target_of(entry))
        thread.make_view(entry, state="agreed", intent=intent.id, receipts=[], why=None)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the agreement (R-13.8).

        Once both people have signed a receipt, the agreement is done. If it repeats, each of its
        days needs such a receipt. If it is not done and one of them cancelled it, it is cancelled.
        """
        receipts = thread.linked_views("receipt", "about", view["id"])
        view["receipts"] = _pick(receipts, ("id", "state", "minutes", "on"))
        if occurrences.is_all_signed(thread, view):
            view["state"] = "done"
        elif "cancelled" in thread.marks[view["id"]]:
            view["state"] = "cancelled"
        if view["state"] != "cancelled":
            view["why"] = None


@kind("receipt", about=("agreement", "attendance"), lasting=True)
class Receipt(Kind):
    """Says that time was given. One party signs it. It counts once the other party confirms it."""

    states = States(
        {
            "proposed": "One party has signed it.",
            "confirmed": "The other party has signed it too (`confirm`), even after a dispute.",
            "disputed": "The other party disputes it (`close`) and has not confirmed it.",
        }
    )
    stands_alone = True
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    minutes = Minutes(required=True, min=1)
    on = Moment(required=True)
    note = Text(max=1000, private=True, help="words for the two parties only")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the giver, the receiver, the minutes and the day, from the agreement.

        If the agreement repeats, the day is its last day so far without a confirmed receipt.
        """
        if common_pot.is_paid_from_pot(thread, entry):
            return {**common_pot.default_terms(thread, entry), **entry.fields}
        agreement = thread.target_of(entry).fields
        view = thread.find_view(entry.about, "agreement")
        terms = {name: agreement.get(name) for name in ("giver", "receiver", "minutes")}
        day = occurrences.last_unsigned_day(thread, view, today) if view else None
        return {**terms, "on": day or agreement.get("when") or today, **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the two parties, who can read the private note."""
        del thread
        named = (entry.fields.get("giver"), entry.fields.get("receiver"))
        return {entry.person, *(person for person in named if person)}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if there is already a confirmed receipt for this time (R-13.10).

        Raises Refused also if the agreement is cancelled or does not include that day.
        """
        if common_pot.is_paid_from_pot(thread, entry):
            common_pot.check_before_signing(thread, entry)
        agreement = thread.find_view(entry.about, "agreement")
        if agreement is None:
            return
        # An agreement that repeats may be done so far and still take place again tomorrow.
        closed_states = {"cancelled"} if agreement["repeats"] else {"cancelled", "done"}
        if agreement["state"] in closed_states:
            raise Refused("R-13.10", f"the agreement is {agreement['state']} already")
        if agreement["repeats"]:
            occurrences.check_unsigned(thread, agreement, entry.fields["on"])

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the receipt to the views, in the state "proposed" (R-13.9).

        Raises Refused unless a party wrote it. If the agreement counts, giver and receiver must be
        the same as in the agreement.
        """
        if common_pot.is_paid_from_pot(thread, entry):
            common_pot.check_receipt(thread, entry)
        else:
            _check_receipt(thread, entry)
        thread.make_view(
            entry, state="proposed", duplicate=False, corrections=[], corrected=None, why=None
        )

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the receipt (R-13.11).

        Once both parties have signed, it is confirmed, even after a dispute. If both have signed a
        correction too, the minutes of the correction count instead (R-13.17).
        """
        marks = thread.marks[view["id"]]
        corrections = thread.linked_views("correction", "about", view["id"])
        view["corrections"] = _pick(corrections, ("id", "state", "minutes"))
        if "confirmed" in marks:
            view["state"] = "confirmed"
            counting = occurrences.counting_receipts(thread, view["about"])
            view["duplicate"] = counting[occurrences.occurrence_of(thread, view)] != view["id"]
            _correct(view, corrections)
        elif "disputed" in marks:
            view["state"] = "disputed"
        if view["state"] != "disputed":
            view["why"] = None


@kind("confirm", about=("receipt", "correction", "confirm"), lasting=True)
class Confirm(Kind):
    """The other party signs a receipt or a correction, so that it counts.

    The software of the first signer then confirms this confirm in turn (R-13.15). So homes keep the
    confirm and count it, even if its author forks their log later. Nobody can get rid of a debt by
    forking a log.
    """

    states = NO_VIEW
    stands_alone = True

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the record is confirmed already: a second signature changes nothing."""
        target = thread.target_of(entry)
        if "confirmed" in thread.marks[target.id]:
            rule = "R-13.15" if target.kind == "confirm" else "R-13.12"
            raise Refused(rule, f"the {target.kind} is confirmed already")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if `entry` is the confirm of a receipt or correction by the other party.

        If `target` is itself such a confirm, returns True if the author of the receipt or
        correction wrote `entry`.
        """
        if target.kind == "confirm":
            return _confirmed_author(thread, target) == entry.person
        return _parties(thread, target) == {entry.person, target.person}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Marks a record as confirmed by the party that did not write it (R-13.12).

        Raises Refused if somebody else confirms it, or if the record does not count.
        """
        target = thread.target_of(entry)
        if target.kind == "confirm":
            if _confirmed_author(thread, target) != entry.person:
                raise Refused(
                    "R-13.15", "only the author of what was confirmed confirms the confirm"
                )
        else:
            parties = _parties(thread, target)
            if target.id not in thread.views or not parties:
                raise Refused("R-13.12", "the record that it confirms does not count")
            if entry.person not in parties - {target.person}:
                raise Refused("R-13.12", f"only the other party can confirm a {target.kind}")
        thread.marks[target.id].add("confirmed")


def _check_agreement(thread: Thread, entry: Entry, response: Entry) -> Entry:
    """Checks an agreement, and returns the offer or request that it is about (R-13.6).

    Raises Refused if the agreement has other people or other terms than the response.
    """
    parley = parley_of(thread, response)
    intent = parley.intent
    if entry.person != parley.other_party(response.person):
        author = f"the author of the {intent.kind}"
        who = author if response.person == parley.responder else "the person who responded"
        raise Refused("R-13.6", f"only {who} can agree to this")
    if (entry.fields["giver"], entry.fields["receiver"]) != parley.parties:
        raise Refused("R-13.6", f"giver and receiver do not fit this {intent.kind}")
    if entry.fields.get("repeats") != intent.fields.get("repeats"):
        raise Refused("R-13.6", "it must repeat as the intent says")
    for name in ("minutes", "when"):
        if entry.fields.get(name) != response.fields.get(name):
            raise Refused(
                "R-13.6",
                f"{name} differs from the response's; answer it with a response of your own "
                "to propose other terms",
            )
    return intent


def _check_receipt(thread: Thread, entry: Entry) -> None:
    parties = {entry.fields["giver"], entry.fields["receiver"]}
    if entry.person not in parties or len(parties) != 2:  # noqa: PLR2004
        raise Refused("R-13.9", "a receipt is between two people and by one of them")
    agreement = thread.find_view(entry.about, "agreement")
    if agreement is not None:
        for name in ("giver", "receiver"):
            if entry.fields[name] != agreement[name]:
                raise Refused("R-13.9", "giver and receiver are those of the agreement")


def _confirmed_author(thread: Thread, confirm: Entry) -> bytes | None:
    """Returns the author of the receipt or correction that `confirm` confirms, or None."""
    above = thread.entries.get(confirm.about or b"")
    return above.person if above is not None and above.kind in {"receipt", "correction"} else None


def _parties(thread: Thread, signed: Entry) -> set[bytes]:
    """Returns the two people who sign a receipt, for its giver and its receiver.

    If `signed` is a correction, they are the people of its receipt. If the receiver is the common
    pot, the author of the receipt signs for the pot.
    """
    receipt = thread.entries.get(signed.about or b"") if signed.kind == "correction" else signed
    if receipt is None or receipt.kind != "receipt":
        return set()
    receiver = receipt.fields["receiver"]
    return {receipt.fields["giver"], receipt.person if receiver == COMMON_POT else receiver}


def _correct(receipt: View, corrections: list[View]) -> None:
    """Applies the confirmed corrections to a receipt, in order of time and id (R-13.17).

    Each correction replaces the minutes that counted before.
    """
    minutes = receipt["minutes"]
    for correction in sorted(corrections, key=lambda view: (view["created"], view["id"])):
        if correction["state"] != "confirmed":
            continue
        difference = correction["minutes"] - minutes
        correction["moved"] = None if receipt["duplicate"] else difference
        minutes = correction["minutes"]
        receipt["corrected"] = minutes


def _has_cancelled(thread: Thread, agreements: list[View], person: bytes) -> bool:
    word = f"cancelled by {person.hex()}"
    return any(word in thread.marks[agreement["id"]] for agreement in agreements)


def _pick(views: list[View], names: tuple[str, ...]) -> list[View]:
    """Returns a few fields of each view, to show them in another view."""
    return [{name: view[name] for name in names} for view in views]
