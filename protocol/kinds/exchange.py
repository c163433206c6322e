"""Kinds of the exchange: from an offer or a request to a receipt both have signed (specs/13).

States come from what is there, not from the order in which it came: a confirmed receipt makes an
agreement done, whatever else is said of it.
"""

from typing import Any

from protocol.errors import Refused
from protocol.fields import Integer, Many, Minutes, Moment, Person, Text
from protocol.schema import Kind, kind
from protocol.thread import Entry, Thread, View


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

    def fold(self, thread: Thread, entry: Entry) -> None:
        """A new intent is open."""
        thread.make_view(entry, state="open", responses=[])

    def settle(self, thread: Thread, view: View) -> None:
        """R-13.2: agreed or done once as many agreements live as there are places."""
        agreements = thread.linked("agreement", "intent", view["id"])
        live = [one for one in agreements if one["state"] != "cancelled"]
        view["responses"] = [one["id"] for one in thread.linked("response", "about", view["id"])]
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


@kind("response", about=("offer", "request"))
class Response(Kind):
    """Somebody takes up an intent, with their terms."""

    states = ("waiting", "accepted", "declined", "withdrawn")
    minutes = Minutes(min=1)
    when = Moment()
    text = Text(max=2000, private=True, help="words for the intent's author only")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The intent's own terms, unless others are named."""
        del today
        intent = thread.target(entry).fields
        return {"minutes": intent.get("minutes"), "when": intent.get("starts"), **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Who responds, and whose intent it is."""
        return {entry.person, thread.target(entry).person}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.4: software does not respond to what is closed."""
        intent = thread.views.get(entry.about or b"")
        if intent is not None and intent["state"] not in {"open", "agreed"}:
            raise Refused(
                "R-13.4", f"it is {intent['state']} already; `meshcoop list` shows others"
            )

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-13.3: one does not respond to oneself."""
        if entry.person == thread.target(entry).person:
            raise Refused("R-13.3", "a response comes from somebody else than the intent")
        thread.make_view(entry, state="waiting", agreement=None)

    def settle(self, thread: Thread, view: View) -> None:
        """R-13.5: an agreement that lives accepts it."""
        agreements = thread.linked("agreement", "about", view["id"])
        living = [one for one in agreements if one["state"] != "cancelled"]
        marks = thread.marks[view["id"]]
        if living:
            view["state"], view["agreement"] = "accepted", living[0]["id"]
        elif "withdrawn" in marks or _cancelled_by(thread, agreements, view["author"]):
            view["state"] = "withdrawn"
        elif "declined" in marks or agreements:
            view["state"] = "declined"


@kind("agreement", about=("response",), relied_on=True)
class Agreement(Kind):
    """The intent's author takes a response: with it, both have signed the same terms."""

    states = ("agreed", "done", "cancelled")
    minutes = Minutes(min=1)
    when = Moment()
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    repeats = Text(max=200, filled=True, help="as the intent says")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The response's terms; the giver of a request is its responder, of an offer its author."""
        del today
        response = thread.target(entry)
        intent = thread.target(response)
        giver, receiver = _parties(intent, response)
        terms = {name: response.fields.get(name) for name in ("minutes", "when")}
        filled = {"giver": giver, "receiver": receiver, "repeats": intent.fields.get("repeats")}
        return {**terms, **entry.fields, **filled}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.7: software does not agree to what is no longer waiting."""
        response = thread.view_of(entry.about, "response")
        if response is not None and response["state"] != "waiting":
            raise Refused("R-13.7", f"the response is {response['state']}, not waiting")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """The intent's author countersigns the response."""
        try:
            self._check(entry, target, thread.target(target))
        except Refused:
            return False
        return True

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-13.6: by the intent's author, on the response's terms."""
        response = thread.target(entry)
        intent = thread.target(response)
        self._check(entry, response, intent)
        thread.make_view(entry, state="agreed", intent=intent.id, receipts=[])

    def _check(self, entry: Entry, response: Entry, intent: Entry) -> None:
        if response.kind != "response" or intent.kind not in {"offer", "request"}:
            raise Refused("R-03.13", "the words that are agreed to are not there any more")
        if entry.person != intent.person:
            raise Refused("R-13.6", f"only the author of the {intent.kind} can agree")
        if response.person == intent.person:
            raise Refused("R-13.6", "it takes two people to agree")
        if (entry.fields["giver"], entry.fields["receiver"]) != _parties(intent, response):
            raise Refused(
                "R-13.6", f"giver and receiver are not those that this {intent.kind} means"
            )
        if entry.fields.get("repeats") != intent.fields.get("repeats"):
            raise Refused("R-13.6", "it repeats otherwise than the intent says")
        _same_terms(response, entry)

    def settle(self, thread: Thread, view: View) -> None:
        """R-13.8: done once a receipt is confirmed; else cancelled if a party says so."""
        receipts = thread.linked("receipt", "about", view["id"])
        shown = ("id", "state", "minutes", "on")
        view["receipts"] = [{name: one[name] for name in shown} for one in receipts]
        if any(one["state"] == "confirmed" for one in receipts):
            view["state"] = "done"
        elif "cancelled" in thread.marks[view["id"]]:
            view["state"] = "cancelled"
        _mark_duplicates(view, receipts)


@kind("receipt", about=("agreement",), relied_on=True)
class Receipt(Kind):
    """Time was given: signed by one party, counted once the other confirms."""

    states = ("proposed", "confirmed", "disputed")
    alone = True
    giver = Person(required=True, filled=True)
    receiver = Person(required=True, filled=True)
    minutes = Minutes(required=True, min=1)
    on = Moment(required=True)
    note = Text(max=1000, private=True, help="words for the two parties only")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The agreement's parties and terms."""
        agreement = thread.target(entry).fields
        names = ("giver", "receiver", "minutes")
        terms = {name: agreement.get(name) for name in names}
        return {**terms, "on": agreement.get("when") or today, **entry.fields}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """The two parties."""
        del thread
        return {entry.person} | {
            value for name in ("giver", "receiver") if (value := entry.fields.get(name))
        }

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-13.10: software does not ask twice for one hour, nor for a cancelled one."""
        agreement = thread.view_of(entry.about, "agreement")
        if agreement is None or agreement["state"] == "agreed":
            return
        if agreement["state"] == "cancelled" or not agreement["repeats"]:
            raise Refused("R-13.10", f"the agreement is {agreement['state']} already")

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-13.9: by a party, and between the parties of its agreement where that stands."""
        parties = {entry.fields["giver"], entry.fields["receiver"]}
        if entry.person not in parties or len(parties) != 2:  # noqa: PLR2004
            raise Refused("R-13.9", "a receipt is between two people and by one of them")
        agreement = thread.view_of(entry.about, "agreement")
        if agreement is not None:
            same = all(entry.fields[name] == agreement[name] for name in ("giver", "receiver"))
            if not same:
                raise Refused("R-13.9", "giver and receiver are those of the agreement")
        thread.make_view(entry, state="proposed", duplicate=False)

    def settle(self, thread: Thread, view: View) -> None:
        """R-13.11: what both have signed is confirmed, whatever was said before."""
        marks = thread.marks[view["id"]]
        if "confirmed" in marks:
            view["state"] = "confirmed"
        elif "disputed" in marks:
            view["state"] = "disputed"


@kind("confirm", about=("receipt", "confirm"), relied_on=True)
class Confirm(Kind):
    """The other party signs the receipt: from now on it counts.

    The software of the receipt's author confirms the confirm in turn (R-13.15), so that it stands
    and is kept whatever becomes of its author's log: a debt does not end with a forked log.
    """

    alone = True

    def guard(self, thread: Thread, entry: Entry) -> None:
        """A second signature of the same person changes nothing."""
        if (
            thread.target(entry).kind == "confirm"
            and "confirmed" in thread.marks[entry.about or b""]
        ):
            raise Refused("R-13.15", "it is confirmed already")
        receipt = thread.view_of(entry.about, "receipt")
        if receipt is not None and receipt["state"] == "confirmed":
            raise Refused("R-13.12", "the receipt is confirmed already")

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """The other party countersigns the receipt, and the receipt's author the confirm."""
        if target.kind == "confirm":
            return _receipt_author(thread, target) == entry.person
        parties = {target.fields.get("giver"), target.fields.get("receiver")}
        return target.kind == "receipt" and parties == {entry.person, target.person}

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-13.12: by the party that did not write the receipt."""
        target = thread.target(entry)
        if target.kind == "confirm":
            if _receipt_author(thread, target) != entry.person:
                raise Refused("R-13.15", "only the receipt's author confirms that it is confirmed")
            thread.marks[target.id].add("confirmed")
            return
        receipt = thread.view_of(entry.about, "receipt")
        if receipt is None or receipt["kind"] != "receipt":
            raise Refused("R-13.12", "the receipt itself does not count")
        if entry.person not in {receipt["giver"], receipt["receiver"]} - {target.person}:
            raise Refused("R-13.12", "only the other party can confirm a receipt")
        thread.marks[target.id].add("confirmed")


def _receipt_author(thread: Thread, confirm: Entry) -> bytes | None:
    receipt = thread.entries.get(confirm.about or b"")
    return receipt.person if receipt is not None and receipt.kind == "receipt" else None


def _parties(intent: Entry, response: Entry) -> tuple[bytes, bytes]:
    """Giver and receiver."""
    if intent.kind == "offer":
        return intent.person, response.person
    return response.person, intent.person


def _same_terms(response: Entry, agreement: Entry) -> None:
    for name in ("minutes", "when"):
        if agreement.fields.get(name) != response.fields.get(name):
            raise Refused(
                "R-13.6", f"{name} differs from the response's; ask for a response on other terms"
            )


def _cancelled_by(thread: Thread, agreements: list[View], person: bytes) -> bool:
    word = f"cancelled by {person.hex()}"
    return any(word in thread.marks[one["id"]] for one in agreements)


def _mark_duplicates(agreement: View, receipts: list[View]) -> None:
    """R-13.13: one confirmed receipt an agreement and occurrence counts, the lowest (time, id)."""
    seen: set[str | None] = set()
    for one in sorted(receipts, key=lambda view: (view["created"], view["id"])):
        occurrence = one["on"] if agreement["repeats"] else None
        if one["state"] == "confirmed":
            one["duplicate"] = occurrence in seen
            seen.add(occurrence)
