"""Kinds of the exchange: from an offer or a request to a receipt both have signed (specs/13).

States come from what is there, not from the order in which it came: a confirmed receipt makes an
agreement done, whatever else is said of it.
"""

from typing import Any

from protocol.errors import Refused
from protocol.fold.balance import POT
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.exchange import common_pot as pot
from protocol.kinds.exchange import occurrences
from protocol.kinds.exchange.negotiation import parley_of
from protocol.schema.fields import Integer, Many, Minutes, Moment, Person, Text


class Intent(Kind):
    """What somebody would give or would like. `minutes` is a guess until both have agreed."""

    states = ("open", "agreed", "done", "expired", "withdrawn")
    ends = ("until", "expired")
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

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.18: software signs no rule that it does not understand."""
        del thread
        occurrences.check_rule(entry.fields.get("starts"), entry.fields.get("repeats"))

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """A new intent is open."""
        thread.make_view(entry, state="open", responses=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-13.2: agreed or done once as many agreements live as there are places."""
        agreements = thread.linked_views("agreement", "intent", view["id"])
        live = [one for one in agreements if one["state"] != "cancelled"]
        view["responses"] = [
            one["id"] for one in thread.linked_views("response", "intent", view["id"])
        ]
        if len(live) >= (view["places"] or 1):
            done = all(one["state"] == "done" for one in live)
            view["state"] = "done" if done else "agreed"
        elif "withdrawn" in thread.marks[view["id"]]:
            view["state"] = "withdrawn"


@kind("offer")
class Offer(Intent):
    """Something its author would give."""


@kind("request")
class Request(Intent):
    """Something its author would like to receive."""


@kind("response", about=("offer", "request", "response"))
class Response(Kind):
    """Somebody takes up an intent, or answers a response, with their terms."""

    states = ("waiting", "accepted", "declined", "withdrawn")
    minutes = Minutes(min=1)
    when = Moment()
    text = Text(max=2000, private=True, help="words for the other of you only")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The terms of what it answers, unless others are named."""
        del today
        above = thread.target_of(entry)
        when = above.fields.get("when" if above.kind == "response" else "starts")
        return {"minutes": above.fields.get("minutes"), "when": when, **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Whose intent it is, and who responded."""
        found = parley_of(thread, entry)
        return {found.intent.person, found.responder}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.4: software does not respond to what is closed."""
        asked = parley_of(thread, entry).intent
        when = entry.fields.get("when") or asked.fields.get("starts")
        occurrences.check_rule(when, asked.fields.get("repeats"))
        intent = thread.views.get(asked.id)
        if intent is not None and intent["state"] not in {"open", "agreed"}:
            raise Refused(
                "R-13.4", f"it is {intent['state']} already; `meshcoop list` shows others"
            )
        if occurrences.is_day_over(thread, entry, asked.fields.get("until")):
            raise Refused("R-13.4", f"it was open until {asked.fields['until']}; ask its author")
        above = thread.find_view(entry.about, "response")
        if above is not None and above["state"] != "waiting":
            raise Refused("R-13.4", f"the response is {above['state']}, not waiting")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.3, R-13.16: by somebody else than the intent; by turns."""
        intent = parley_of(thread, entry).intent.id
        thread.make_view(entry, state="waiting", agreement=None, intent=intent, why=None)

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-13.5: an agreement that lives accepts it; other terms in its place decline it."""
        agreements = thread.linked_views("agreement", "about", view["id"])
        living = [one for one in agreements if one["state"] != "cancelled"]
        answers = thread.linked_views("response", "about", view["id"])
        answered = any(one["state"] != "withdrawn" for one in answers)
        marks = thread.marks[view["id"]]
        if living:
            view["state"], view["agreement"] = "accepted", living[0]["id"]
        elif "withdrawn" in marks or _cancelled_by(thread, agreements, view["author"]):
            view["state"] = "withdrawn"
        elif "declined" in marks or agreements or answered:
            view["state"] = "declined"
        if view["state"] not in {"withdrawn", "declined"}:
            view["why"] = None


@kind("agreement", about=("response",), relied_on=True)
class Agreement(Kind):
    """The other of the two takes a response: with it, both have signed the same terms."""

    states = ("agreed", "done", "cancelled")
    minutes = Minutes(min=1)
    when = Moment()
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    repeats = Text(max=200, filled=True, help="as the intent says")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The response's terms; the giver of a request is its responder, of an offer its author."""
        del today
        response = thread.target_of(entry)
        found = parley_of(thread, response)
        giver, receiver = found.parties
        terms = {name: response.fields.get(name) for name in ("minutes", "when")}
        filled = {
            "giver": giver,
            "receiver": receiver,
            "repeats": found.intent.fields.get("repeats"),
        }
        return {**terms, **entry.fields, **filled}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.7: software does not agree to what is no longer waiting."""
        response = thread.find_view(entry.about, "response")
        if response is not None and response["state"] != "waiting":
            raise Refused("R-13.7", f"the response is {response['state']}, not waiting")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Whose turn it is countersigns the response."""
        try:
            self._check(thread, entry, target)
        except Refused:
            return False
        return True

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.6: by the one of the two who is to answer, on the response's terms."""
        intent = self._check(thread, entry, thread.target_of(entry))
        thread.make_view(entry, state="agreed", intent=intent.id, receipts=[], why=None)

    def _check(self, thread: Thread, entry: Entry, response: Entry) -> Entry:
        found = parley_of(thread, response)
        intent = found.intent
        if entry.person != found.other_party(response.person):
            whose = f"the author of the {intent.kind}"
            who = whose if response.person == found.responder else "who responded"
            raise Refused("R-13.6", f"only {who} can agree to this")
        if (entry.fields["giver"], entry.fields["receiver"]) != found.parties:
            raise Refused(
                "R-13.6", f"giver and receiver are not those that this {intent.kind} means"
            )
        if entry.fields.get("repeats") != intent.fields.get("repeats"):
            raise Refused("R-13.6", "it repeats otherwise than the intent says")
        for name in ("minutes", "when"):
            if entry.fields.get(name) != response.fields.get(name):
                raise Refused(
                    "R-13.6",
                    f"{name} differs from the response's; answer it with a response of your own "
                    "to propose other terms",
                )
        return intent

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-13.8: done once all of it is confirmed; else cancelled if a party says so."""
        receipts = thread.linked_views("receipt", "about", view["id"])
        shown = ("id", "state", "minutes", "on")
        view["receipts"] = [{name: one[name] for name in shown} for one in receipts]
        if occurrences.is_all_signed(thread, view):
            view["state"] = "done"
        elif "cancelled" in thread.marks[view["id"]]:
            view["state"] = "cancelled"
        if view["state"] != "cancelled":
            view["why"] = None


@kind("receipt", about=("agreement", "attendance"), relied_on=True)
class Receipt(Kind):
    """Time was given: signed by one party, counted once the other confirms."""

    states = ("proposed", "confirmed", "disputed")
    stands_alone = True
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    minutes = Minutes(required=True, min=1)
    on = Moment(required=True)
    note = Text(max=1000, private=True, help="words for the two parties only")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The agreement's parties and terms; the last of its days that is not signed for yet."""
        if pot.is_paid_from_pot(thread, entry):
            return {**pot.default_terms(thread, entry), **entry.fields}
        agreement, view = thread.target_of(entry).fields, thread.find_view(entry.about, "agreement")
        names = ("giver", "receiver", "minutes")
        terms = {name: agreement.get(name) for name in names}
        day = occurrences.last_unsigned_day(thread, view, today) if view else None
        return {**terms, "on": day or agreement.get("when") or today, **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """The two parties."""
        del thread
        return {entry.person} | {
            value for name in ("giver", "receiver") if (value := entry.fields.get(name))
        }

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.10: software does not ask twice for one hour, nor for one that was not agreed."""
        if pot.is_paid_from_pot(thread, entry):
            pot.check_before_signing(thread, entry)
        agreement = thread.find_view(entry.about, "agreement")
        if agreement is None:
            return
        over = {"cancelled"} if agreement["repeats"] else {"cancelled", "done"}
        if agreement["state"] in over:
            raise Refused("R-13.10", f"the agreement is {agreement['state']} already")
        if agreement["repeats"]:
            occurrences.check_unsigned(thread, agreement, entry.fields["on"])

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.9: by a party, and between the parties of its agreement where that stands."""
        if pot.is_paid_from_pot(thread, entry):
            pot.check_receipt(thread, entry)
        else:
            _check_receipt(thread, entry)
        thread.make_view(
            entry, state="proposed", duplicate=False, corrections=[], corrected=None, why=None
        )

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-13.11: what both have signed is confirmed, whatever was said before. R-13.17: as often
        as both have signed other minutes, these count.
        """
        marks = thread.marks[view["id"]]
        corrections = thread.linked_views("correction", "about", view["id"])
        shown = ("id", "state", "minutes")
        view["corrections"] = [{name: one[name] for name in shown} for one in corrections]
        if "confirmed" in marks:
            view["state"] = "confirmed"
            counting = occurrences.counting_receipts(thread, view["about"])
            view["duplicate"] = counting[occurrences.occurrence_of(thread, view)] != view["id"]
            _correct(view, corrections)
        elif "disputed" in marks:
            view["state"] = "disputed"
        if view["state"] != "disputed":
            view["why"] = None


@kind("confirm", about=("receipt", "correction", "confirm"), relied_on=True)
class Confirm(Kind):
    """The other party signs the receipt or correction: from now on it counts.

    The software of who wrote that confirms the confirm in turn (R-13.15), so that it stands and is
    kept whatever becomes of its author's log: a debt does not end with a forked log.
    """

    stands_alone = True

    def guard(self, thread: Thread, entry: Entry) -> None:
        """A second signature of the same person changes nothing."""
        target = thread.target_of(entry)
        if "confirmed" in thread.marks[target.id]:
            rule = "R-13.15" if target.kind == "confirm" else "R-13.12"
            raise Refused(rule, f"the {target.kind} is confirmed already")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """The other party countersigns receipt and correction, and their author the confirm."""
        if target.kind == "confirm":
            return _confirmed_author(thread, target) == entry.person
        return _parties(thread, target) == {entry.person, target.person}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-13.12: by the party that did not write what it confirms."""
        target = thread.target_of(entry)
        if target.kind == "confirm":
            if _confirmed_author(thread, target) != entry.person:
                raise Refused("R-13.15", "only who wrote what is confirmed confirms that it is")
        else:
            if target.id not in thread.views or not (two := _parties(thread, target)):
                raise Refused("R-13.12", "what it confirms does not count itself")
            if entry.person not in two - {target.person}:
                raise Refused("R-13.12", f"only the other party can confirm a {target.kind}")
        thread.marks[target.id].add("confirmed")


def _check_receipt(thread: Thread, entry: Entry) -> None:
    parties = {entry.fields["giver"], entry.fields["receiver"]}
    if entry.person not in parties or len(parties) != 2:  # noqa: PLR2004
        raise Refused("R-13.9", "a receipt is between two people and by one of them")
    agreement = thread.find_view(entry.about, "agreement")
    if agreement is not None:
        same = all(entry.fields[name] == agreement[name] for name in ("giver", "receiver"))
        if not same:
            raise Refused("R-13.9", "giver and receiver are those of the agreement")


def _confirmed_author(thread: Thread, confirm: Entry) -> bytes | None:
    above = thread.entries.get(confirm.about or b"")
    return above.person if above is not None and above.kind in {"receipt", "correction"} else None


def _parties(thread: Thread, signed: Entry) -> set[bytes]:
    """Who signs for giver and receiver of a receipt, or of the one that a correction is about."""
    receipt = thread.entries.get(signed.about or b"") if signed.kind == "correction" else signed
    if receipt is None or receipt.kind != "receipt":
        return set()
    giver, receiver = receipt.fields["giver"], receipt.fields["receiver"]
    return {giver, receipt.person if receiver == POT else receiver}


def _correct(receipt: View, corrections: list[View]) -> None:
    """R-13.17: each confirmed correction, by (time, id), takes the place of the one before."""
    minutes = receipt["minutes"]
    for one in sorted(corrections, key=lambda view: (view["created"], view["id"])):
        if one["state"] == "confirmed":
            one["moved"] = None if receipt["duplicate"] else one["minutes"] - minutes
            receipt["corrected"] = minutes = one["minutes"]


def _cancelled_by(thread: Thread, agreements: list[View], person: bytes) -> bool:
    word = f"cancelled by {person.hex()}"
    return any(word in thread.marks[one["id"]] for one in agreements)
