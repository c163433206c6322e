"""Kinds of the exchange: from an offer or a request to terms that both people sign (specs/13).

The code calls the offer or request an intent. Two people find terms for it, one response after
another; the code calls these talks a parley. A state depends on the records that a home has, and
not on the order in which they arrived. Once a receipt is confirmed, the agreement is done, even if
somebody cancels it.
"""

from collections.abc import Iterable
from typing import NamedTuple, TypedDict

from protocol import recurrence
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import (
    COMMON_POT,
    Answered,
    Awaited,
    DiaryEntry,
    FindView,
    MatchingFact,
    Post,
    Promise,
)
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import States, View
from protocol.kinds.exchange import occurrences
from protocol.kinds.exchange.payments import (
    DAY,
    Payable,
    Receipt,
    check_not_written,
    check_parties,
    counting_receipts,
)
from protocol.schema.declare import Integer, Many, Minutes, Moment, Person, Text
from protocol.schema.fields import YEAR
from protocol.schema.values import PersonId


class ReceiptLine(TypedDict):
    """A receipt, as the view of its agreement lists it."""

    id: bytes
    state: str
    minutes: int
    on: str


class Intent(Kind):
    """The base class of offers and requests: something that somebody would give or would like.

    `minutes` is an estimate until two people have agreed.
    """

    class State(States):
        """The states of an offer or a request."""

        OPEN = "open", "It has fewer living agreements than places."
        AGREED = "agreed", "It has as many living agreements as places, or more (`agreement`)."
        DONE = "done", "It has as many living agreements as places, and all of them are done."
        EXPIRED = "expired", "By the clock: it is open, and `until` is past."
        WITHDRAWN = (
            "withdrawn",
            "Its author withdrew it (`close`), and it has fewer living agreements than places.",
        )

    on_board = True
    deadline = ("until", State.EXPIRED)
    shown_as_views = ("responses",)
    closing = {
        Mark.WITHDRAWN: By(
            "author",
            while_=(State.OPEN,),
            instead={
                State.AGREED: "cancel an agreement about it first, if it is not to take place"
            },
        )
    }
    example = {"title": "A hand with the shelf", "minutes": 60, "tags": ["tools"]}

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(max=2000)
    tags: list[str] | None = Many(of=Text(min=1, max=40))
    minutes: int | None = Minutes(min=1)
    area: str | None = Text(max=60, help="a coarse area, never an address")
    starts: str | None = Moment(days_back=YEAR)
    until: str | None = Moment(days_back=0, help="after this it counts as expired")
    repeats: str | None = Text(max=200, help="an iCalendar RRULE")
    places: int | None = Integer(min=1, max=1000, help="how many people are wanted; 1 if left out")
    lang: str | None = Text(max=35, help="the language of the words, such as es")

    responses: list[bytes]

    def complete(self, thread: Thread) -> None:
        """Rewrites the RRULE in the field `repeats` if a calendar program has spelled the RRULE in
        its own way.
        """
        if self.repeats is not None:
            self.repeats = recurrence.tidy_rule(self.repeats, self.starts, thread.clock.zone)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the RRULE in the field `repeats` is not understood (R-13.18, R-13.18b)."""
        del thread
        occurrences.check_rule(self.starts, self.repeats)

    def settle(self, thread: Thread) -> None:
        """Sets the state of an offer or request (R-13.2).

        Cancelled agreements do not count here. If there are as many agreements as places, the state
        is "agreed". If all these agreements are done, the state is "done".
        """
        agreements = thread.linked_views(Agreement, "intent", self.id)
        living = [agreement for agreement in agreements if agreement.is_alive]
        responses = thread.linked_views(Response, "intent", self.id)
        self.responses = [response.id for response in responses]
        if len(living) >= (self.places or 1):
            is_done = all(agreement.state == Agreement.State.DONE for agreement in living)
            self.state = self.State.DONE if is_done else self.State.AGREED
        elif thread.is_marked(self.id, Mark.WITHDRAWN):
            self.state = self.State.WITHDRAWN

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the author, while people can respond."""
        del find
        return [self.author] if self.state in {self.State.OPEN, self.State.AGREED} else []

    def parties(self, responder: bytes) -> tuple[bytes, bytes]:
        """Returns the giver and then the receiver, for the case that `responder` responds."""
        raise NotImplementedError

    def check_not_over(self, thread: Thread) -> None:
        """Raises Refused if the offer or request has expired or was withdrawn (R-13.4)."""
        if self.until and thread.clock.is_past(self.until):
            raise Refused("R-13.4", "it was open until {until}; ask its author", until=self.until)
        view = thread.find_view(self.id, Intent)
        if view is not None and view.state not in {self.State.OPEN, self.State.AGREED}:
            raise Refused(
                "R-13.4", "it is {state} already; `meshcoop list` shows others", state=view.state
            )

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns what the author needs or offers, while the request or offer is open."""
        if self.state == self.State.OPEN and self.title:
            yield Post(
                is_need=isinstance(self, Request),
                title=self.title,
                tags=tuple(self.tags or ()),
                text=self.text,
                lang=self.lang,
                starts=self.starts,
                until=self.until,
                repeats=self.repeats,
                minutes=self.minutes,
                area=self.area,
            )


@kind("offer")
class Offer(Intent):
    """Something that its author would give."""

    wording = Words("Offer", begin="Offer something", happened="{who} offered this")

    def parties(self, responder: bytes) -> tuple[bytes, bytes]:
        """Returns two people: first the author, because the author gives. The second is the
        responder, because the responder receives.
        """
        return self.author, responder


@kind("request")
class Request(Intent):
    """Something that its author would like to receive."""

    wording = Words("Request", begin="Ask for something", happened="{who} asked for this")

    def parties(self, responder: bytes) -> tuple[bytes, bytes]:
        """Returns two people: first the responder, because the responder gives. The second is the
        author, because the author receives.
        """
        return responder, self.author


class Parley(NamedTuple):
    """The talks about one offer or request, with one person who responded to it.

    The offer or request decides who gives and who receives. It makes no difference who named the
    last terms.
    """

    intent: Intent
    responder: bytes

    @property
    def parties(self) -> tuple[bytes, bytes]:
        """The giver and the receiver."""
        return self.intent.parties(self.responder)

    def other_party(self, person: bytes) -> bytes:
        """Returns the party that is not `person`."""
        return self.responder if person == self.intent.author else self.intent.author


class _Parleys(dict[bytes, Parley | Refused]):
    """Maps the id of each response of a thread to its parley: the talks with one person who
    responded.

    If a response belongs to no parley, its id is mapped to the reason.
    """


def _next_turn(view: View, thread: Thread) -> set[bytes]:
    """Returns the person who should answer a response now."""
    assert isinstance(view, Response), "only a response has a turn"
    return {view.parley(thread).other_party(view.author)}


@kind("response", about=("offer", "request", "response"))
class Response(Kind):
    """Answers an offer, a request or another response, with terms of your own."""

    class State(States):
        """The states of a response."""

        WAITING = "waiting", "Nobody has answered it."
        ACCEPTED = "accepted", "An agreement about it lives (`agreement`)."
        DECLINED = (
            "declined",
            (
                "The other party declined it (`close`), answered with other terms (`response`) or "
                "cancelled the agreement about it (`close`)."
            ),
        )
        WITHDRAWN = (
            "withdrawn",
            "Its author withdrew it, or cancelled the agreement about it (`close`).",
        )

    wording = Words("Response", happened="{who} responded", submit="Send")
    is_sure = True
    example = {"minutes": 60, "when": "2026-11-23T09:30"}
    closing = {
        Mark.WITHDRAWN: By(
            "author",
            while_=(State.WAITING,),
            instead={State.ACCEPTED: "cancel the agreement instead"},
        ),
        Mark.DECLINED: By(
            _next_turn,
            while_=(State.WAITING,),
            instead={State.ACCEPTED: "cancel the agreement instead"},
        ),
    }

    minutes: int | None = Minutes(min=1)
    when: str | None = Moment(days_back=YEAR)
    text: str | None = Text(max=2000, private=True, help="only the other party can read this")

    agreement: bytes | None = None
    intent: bytes
    why: str | None = None

    def parley(self, thread: Thread) -> Parley:
        """Returns the parley (the talks) that the response belongs to.

        Raises Refused if the response belongs to no parley.
        """
        parleys = thread.index(_Parleys)
        # A loop instead of recursion: two hostile people can answer each other very often.
        path: list[Response] = []
        above: Response | None = self
        while above is not None and above.id not in parleys:
            path.append(above)
            above = thread.find_draft(above.about, Response)
        for answer in reversed(path):
            parleys[answer.id] = _join_parley(thread, answer)
        parley = parleys[self.id]
        if isinstance(parley, Refused):
            raise parley
        return parley

    def complete(self, thread: Thread) -> None:
        """Fills in missing terms from the record that this response answers."""
        above = thread.drafts.get(thread.target(self).id)
        if isinstance(above, Response):
            when = above.when
        elif isinstance(above, Intent):
            when = above.starts
        else:
            return
        self.fill(minutes=above.minutes, when=when)

    def readers(self, thread: Thread, record: View) -> set[bytes]:
        """Returns the two people who can read the private words of the response.

        They are the author of the offer or request, and the person who first responded to it.
        """
        del record
        parley = self.parley(thread)
        return {parley.intent.author, parley.responder}

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the offer or request is over (R-13.4).

        Raises Refused also if this response answers another response that is not waiting. Raises
        AlreadySo if the author has given the same answer before, and that answer still stands.
        """
        intent = self.parley(thread).intent
        occurrences.check_rule(self.when or intent.starts, intent.repeats)
        intent.check_not_over(thread)
        above = thread.find_view(self.about, Response)
        if above is not None and above.state != self.State.WAITING:
            self._check_new(thread)
            raise Refused("R-13.4", "the response is {state}, not waiting", state=above.state)

    def _check_new(self, thread: Thread) -> None:
        """Raises AlreadySo if the author has proposed the same terms before, and they still stand
        (R-10.20).
        """
        terms = (self.author, self.minutes, self.when)
        for earlier in thread.linked_views(Response, "about", self.about or b""):
            is_same = terms == (earlier.author, earlier.minutes, earlier.when)
            if is_same and earlier.state in {self.State.WAITING, self.State.ACCEPTED}:
                raise AlreadySo("R-13.4", "you have proposed these terms already", earlier.id)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the response to the views, in the state "waiting".

        Raises Refused if the author answers their own offer or request (R-13.3). Also raises
        Refused if it is the other person's turn to answer (R-13.16).
        """
        self.intent = self.parley(thread).intent.id
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Sets the state of the response (R-13.5).

        If the response has an agreement that is not cancelled, the response is accepted. If another
        response answers this response with other terms, this response is declined.
        """
        agreements = thread.linked_views(Agreement, "about", self.id)
        living = [agreement for agreement in agreements if agreement.is_alive]
        answers = thread.linked_views(Response, "about", self.id)
        has_other_terms = any(answer.state != self.State.WITHDRAWN for answer in answers)
        has_cancelled = any(
            thread.is_marked(agreement.id, Mark.CANCELLED, by=self.author)
            for agreement in agreements
        )
        if living:
            self.state = self.State.ACCEPTED
            self.agreement = living[0].id
        elif thread.is_marked(self.id, Mark.WITHDRAWN) or has_cancelled:
            self.state = self.State.WITHDRAWN
        elif thread.is_marked(self.id, Mark.DECLINED) or agreements or has_other_terms:
            self.state = self.State.DECLINED
        if self.state not in {self.State.WITHDRAWN, self.State.DECLINED}:
            self.why = None

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns both parties, while the response waits for an answer."""
        if self.state != self.State.WAITING:
            return []
        above = find(self.about)  # it is by the other party: the two answer in turn
        return [self.author] if above is None else [self.author, above.author]

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """A response in the state "waiting" waits for an answer by the other party.

        It stops waiting when the offer or request is over, or has no place left.
        """
        intent = thread.find_view(self.intent, Intent)
        is_open = intent is not None and intent.state == Intent.State.OPEN
        if intent is not None and is_open and self.state == self.State.WAITING:
            for person in _next_turn(self, thread):
                yield Awaited(person, "agreement", self.id, until=intent.until)

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns the post that the author has answered.

        So this post is not suggested to the author again.
        """
        if self.state in {self.State.WAITING, self.State.ACCEPTED}:
            yield Answered(self.about)


def _join_parley(thread: Thread, answer: Response) -> Parley | Refused:
    """Returns the parley that a response belongs to, or the reason if it belongs to none.

    A parley is the talks with one person who responded. If the response answers another response,
    the parley of that other response must be in the index already.
    """
    above = thread.drafts.get(answer.about or b"")
    if isinstance(above, Intent):
        if answer.author == above.author:
            return Refused("R-13.3", "a response comes from somebody else than the intent")
        return Parley(above, answer.author)
    if not isinstance(above, Response):
        return Refused("R-03.13", "the words that this answers are not here any more")
    parley = thread.index(_Parleys)[above.id]
    if isinstance(parley, Parley) and answer.author != parley.other_party(above.author):
        return Refused("R-13.16", "only the person whose turn it is proposes other terms")
    return parley


@kind("agreement", about=("response",), lasting=True)
class Agreement(Payable):
    """Accepts a response. With an agreement, both people have signed the same terms."""

    class State(States):
        """The states of an agreement."""

        AGREED = "agreed", "Both have signed the same terms."
        DONE = (
            "done",
            "Both have signed that the time was given, each time if it repeats (`confirm`).",
        )
        CANCELLED = "cancelled", "A party cancelled it (`close`), and it is not done."

    wording = Words(
        "Agreement", happened="{who} agreed: both have signed the same terms", submit="Agree"
    )
    example = {"giver": SOMEBODY, "receiver": SOMEBODY, "minutes": 60}
    is_sure = True
    closing = {
        Mark.CANCELLED: By(
            "giver",
            "receiver",
            while_=(State.AGREED,),
            instead={State.DONE: "correct its receipt if that is wrong"},
        )
    }

    minutes: int | None = Minutes(min=1)
    when: str | None = Moment(days_back=YEAR)
    giver: PersonId = Person(required=True, filled=True)
    receiver: PersonId = Person(required=True, filled=True)
    repeats: str | None = Text(max=200, filled=True, help="as the intent says")

    intent: bytes
    receipts: list[ReceiptLine]
    why: str | None = None

    @property
    def is_alive(self) -> bool:
        """True if the agreement is not in the state "cancelled"."""
        return self.state != self.State.CANCELLED

    def complete(self, thread: Thread) -> None:
        """Fills in the terms of the response, the giver and the receiver.

        For a request, the giver is the person who responded. For an offer, the giver is its author.
        """
        response = _response_of(thread, self)
        parley = response.parley(thread)
        self.giver, self.receiver = parley.parties
        self.repeats = parley.intent.repeats
        self.fill(minutes=response.minutes, when=response.when)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the response is not waiting any more (R-13.7).

        Raises Refused also if the offer or request is over (R-13.4), or has no place left
        (R-13.7b), or if the agreement would not count (R-13.6). Raises AlreadySo if the author has
        agreed to this response already.
        """
        response = thread.find_view(self.about, Response)
        if response is not None:
            self._check_open(thread, response)
        self._check_terms(thread, _response_of(thread, self))

    def countersigns(self, thread: Thread, target: View) -> bool:
        """Returns True if this agreement fits the response. The terms must be the same. The author
        must be the person who should answer the response now.
        """
        if not isinstance(target, Response):
            return False
        try:
            self._check_terms(thread, target)
        except Refused:
            return False
        return True

    def fold_entry(self, thread: Thread) -> None:
        """Adds the agreement to the views (R-13.6).

        Raises Refused if its terms differ from the terms of the response. Also raises Refused if it
        is the other person's turn to answer the response.
        """
        self.intent = self._check_terms(thread, _response_of(thread, self)).id
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Sets the state of the agreement (R-13.8).

        Once both people have signed a receipt, the agreement is done. If the agreement repeats,
        both must have signed a receipt for each of its days. If one of the two people cancelled an
        agreement that is not done, the agreement is cancelled.
        """
        self.receipts = [
            {"id": receipt.id, "state": receipt.state, "minutes": receipt.minutes, "on": receipt.on}
            for receipt in thread.linked_views(Receipt, "about", self.id)
        ]
        if self._is_all_signed(thread):
            self.state = self.State.DONE
        elif thread.is_marked(self.id, Mark.CANCELLED):
            self.state = self.State.CANCELLED
        if self.is_alive:
            self.why = None

    def days(self, thread: Thread) -> tuple[str, ...]:
        """Returns the days of an agreement that repeats. Returns no days if it does not repeat."""
        return occurrences.days_of(self._first_moment(thread), self.repeats)

    # -- what receipts about it ask ---------------------------------------------------------------

    def fill_in_receipt(self, thread: Thread, receipt: Receipt) -> None:
        """Fills in the giver, the receiver, the minutes and the day, from the agreement.

        If the agreement repeats, the day is its latest day so far that has no confirmed receipt.
        """
        view = thread.find_view(self.id, Agreement)
        day = view.last_unsigned_day(thread) if view else None
        receipt.fill(
            giver=self.giver,
            receiver=self.receiver,
            minutes=self.minutes,
            on=day or self.when or thread.clock.today,
        )

    def check_receipt_before_signing(self, thread: Thread, receipt: Receipt) -> None:
        """Raises Refused if another receipt for the same time is already confirmed (R-13.10).

        Raises Refused also if the agreement is cancelled, or if it does not take place on the day
        of the receipt. Raises AlreadySo if the author has written such a receipt already.
        """
        agreement = thread.find_view(self.id, Agreement)
        if agreement is None:
            return
        check_not_written(thread, receipt)
        # An agreement that repeats may be done so far and still take place again tomorrow.
        is_done = agreement.state == self.State.DONE and not agreement.repeats
        if is_done or not agreement.is_alive:
            raise Refused("R-13.10", "the agreement is {state} already", state=agreement.state)
        if agreement.repeats:
            agreement.check_unsigned(thread, receipt.on)

    def check_receipt(self, thread: Thread, receipt: Receipt) -> None:
        """Raises Refused if neither the giver nor the receiver wrote the receipt (R-13.9).

        If the agreement counts, the receipt must name the same giver and receiver as the agreement.
        """
        if receipt.receiver == COMMON_POT:
            raise Refused("R-17.15", "the common pot pays for no agreement")
        check_parties(receipt)
        agreement = thread.find_view(self.id, Agreement)
        if agreement is None:
            return
        if (receipt.giver, receipt.receiver) != (agreement.giver, agreement.receiver):
            raise Refused("R-13.9", "giver and receiver are those of the agreement")

    def receipt_day(self, receipt: Receipt) -> str | None:
        """Returns the day of a receipt if the agreement repeats. Otherwise returns None."""
        return None if self.repeats is None else receipt.on[:DAY]

    def last_unsigned_day(self, thread: Thread) -> str | None:
        """Returns the latest day so far that has no confirmed receipt, or None."""
        signed = self._signed_days(thread)
        begun = [
            day
            for day in self.days(thread)
            if thread.clock.has_begun(recurrence.occurrence_start(self._first_moment(thread), day))
        ]
        return next((day for day in reversed(begun) if day not in signed), None)

    def check_unsigned(self, thread: Thread, on: str) -> None:
        """Raises Refused if the agreement lacks the day `on`, or if this day has a confirmed
        receipt.
        """
        day = on[:DAY]
        days = self.days(thread)
        if days and day not in days:
            raise Refused(
                "R-13.18", "it does not take place on {day}; name a day with `--on`", day=day
            )
        if day in self._signed_days(thread):
            raise Refused("R-13.10", "there is a confirmed receipt for {day} already", day=day)

    # -- for those who show it --------------------------------------------------------------------

    @property
    def _needs_receipt(self) -> bool:
        """Returns True if the agreement still needs a receipt.

        Returns False while a receipt waits to be confirmed.
        """
        is_written = any(receipt["state"] == Receipt.State.PROPOSED for receipt in self.receipts)
        return self.state == self.State.AGREED and not is_written

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns both parties, while the agreement waits for a receipt."""
        del find
        return [self.giver, self.receiver] if self._needs_receipt else []

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An agreement in the state "agreed" waits for a receipt by one of the two parties.

        It does not wait while it has a receipt in the state "proposed".
        """
        del thread
        if self._needs_receipt:
            for person in (self.giver, self.receiver):
                yield Awaited(person, "receipt", self.id)

    def diary_entry(self, person: bytes, find: FindView) -> DiaryEntry | None:
        """Returns an entry for the diary of a party: when the two parties meet."""
        if person not in {self.giver, self.receiver} or not self.when or not self.is_alive:
            return None
        intent = find(self.intent)
        if not isinstance(intent, Intent):
            return None
        other = self.giver if self.receiver == person else self.receiver
        title = intent.title or intent.kind
        return DiaryEntry(title, self.when, self.minutes, self.repeats, intent.area, other)

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns the time that one party has promised the other."""
        if self.state == self.State.AGREED:
            yield Promise(self.giver, self.receiver, self.minutes or 0, self.when)

    def _first_moment(self, thread: Thread) -> str:
        """Returns the moment at which the parties first meet. Returns an empty text if nobody named
        a moment.
        """
        intent = thread.find_draft(self.intent, Intent)
        return self.when or (intent.starts if intent else None) or ""

    def _is_all_signed(self, thread: Thread) -> bool:
        """Returns True if both people have signed a receipt for the agreement.

        If the agreement repeats, they must have signed a receipt for each of its days.
        """
        signed = self._signed_days(thread)
        if not self.repeats:
            return bool(signed)
        days = self.days(thread)
        return bool(days) and signed.issuperset(days)

    def _signed_days(self, thread: Thread) -> set[str | None]:
        """Returns the days that have a confirmed receipt.

        The day of an agreement that does not repeat is `None`.
        """
        return {day for _, _, day in counting_receipts(thread, self.id)}

    def _check_open(self, thread: Thread, response: Response) -> None:
        """Raises Refused if people cannot agree to the response any more."""
        agreement = thread.find_view(response.agreement, Agreement)
        if agreement is not None and agreement.author == self.author:
            raise AlreadySo("R-13.7", "you have agreed to this already", agreement.id)
        if response.state != Response.State.WAITING:
            raise Refused("R-13.7", "the response is {state}, not waiting", state=response.state)
        response.parley(thread).intent.check_not_over(thread)
        intent = thread.find_view(response.intent, Intent)
        if intent is not None and intent.state in {Intent.State.AGREED, Intent.State.DONE}:
            raise Refused(
                "R-13.7b",
                "as many people as it wants have agreed to the {kind}; "
                "cancel an agreement about it first",
                kind=intent.kind,
            )

    def _check_terms(self, thread: Thread, response: Response) -> Intent:
        """Checks the agreement, and returns the offer or request that it is about (R-13.6).

        Raises Refused if the agreement has other people or other terms than the response.
        """
        parley = response.parley(thread)
        intent = parley.intent
        if self.author != parley.other_party(response.author):
            if response.author != parley.responder:
                raise Refused("R-13.6", "only the person who responded can agree to this")
            raise Refused(
                "R-13.6", "only the author of the {kind} can agree to this", kind=intent.kind
            )
        if (self.giver, self.receiver) != parley.parties:
            raise Refused("R-13.6", "giver and receiver do not fit this {kind}", kind=intent.kind)
        if self.repeats != intent.repeats:
            raise Refused("R-13.6", "it must repeat as the intent says")
        for name in ("minutes", "when"):
            if getattr(self, name) != getattr(response, name):
                raise Refused(
                    "R-13.6",
                    (
                        "{field} differs from the response's; answer it with a response of your own to "
                        "propose other terms"
                    ),
                    field=name,
                )
        return intent


def _response_of(thread: Thread, agreement: Agreement) -> Response:
    """Returns the response that an agreement is about. Raises Refused if the response cannot be
    read.
    """
    target: Entry = thread.target(agreement)
    response = thread.find_draft(target.id, Response)
    if response is None:
        raise Refused("R-03.13", "the words that this answers are not here any more")
    return response
