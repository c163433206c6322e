"""Receipts, the records that they are about, and their corrections (specs/13-exchange.md).

A receipt says that time was given. One party signs the receipt, and it counts once the other party
confirms it.
"""

from collections.abc import Iterable
from typing import TypedDict

from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import COMMON_POT, Awaited, Credit, FindView, Way
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import NoStates, States, View
from protocol.schema.declare import Minutes, Moment, Person, Text
from protocol.schema.fields import YEAR
from protocol.schema.values import PersonId

DAY = len("2026-11-23")

Occurrence = tuple[bytes, bytes, str | None]  # giver, receiver, and the day if there are several


class CorrectionLine(TypedDict):
    """A correction, as the view of its receipt lists it."""

    id: bytes
    state: str
    minutes: int


class Payable(Kind):
    """A base class of the kinds that receipts are about: agreements and attendances."""

    def receipt_ways(self, thread: Thread) -> Iterable[Way]:
        """Yields the ways in which a person could write a receipt about this record."""
        del thread
        return (Way(),)

    def fill_in_receipt(self, thread: Thread, receipt: "Receipt") -> None:
        """Fills in the terms that the author of a receipt has left out."""

    def check_receipt_before_signing(self, thread: Thread, receipt: "Receipt") -> None:
        """Raises Refused if the author's software should not sign this receipt."""

    def check_receipt(self, thread: Thread, receipt: "Receipt") -> None:
        """Raises Refused if the receipt does not fit the record that it is about."""
        raise NotImplementedError

    def receipt_day(self, receipt: "Receipt") -> str | None:
        """Returns the day that a receipt about this record is for.

        Returns None if all receipts about this record are for the same time.
        """
        return receipt.on[:DAY]

    def paid_together(self, thread: Thread) -> tuple[bytes, list[bytes]]:
        """Returns the payment group of this record: an id for the group, and the ids of its
        records.

        The records of a payment group share their receipts. For each occurrence, only one of all
        the receipts about these records counts.
        """
        del thread
        return self.id, [self.id]


class _CountingReceipts(dict[bytes, dict[Occurrence, bytes]]):
    """Maps the id of each payment group to the receipts that count in the group.

    A payment group is a set of records that are paid together. Within a group, the receipts are
    mapped by occurrence.
    """


def counting_receipts(thread: Thread, about: bytes) -> dict[Occurrence, bytes]:
    """Maps each occurrence of the record `about` to the id of the receipt that counts for it.

    If several receipts for one occurrence are confirmed, the earliest counts, by time and id.
    """
    target = thread.find_draft(about, Payable)
    place, paid = (about, [about]) if target is None else target.paid_together(thread)
    index = thread.index(_CountingReceipts)
    if place not in index:
        receipts = [
            receipt
            for record_id in paid
            for receipt in thread.linked_views(Receipt, "about", record_id)
        ]
        index[place] = _first_confirmed(thread, receipts)
    return index[place]


def _first_confirmed(thread: Thread, receipts: list["Receipt"]) -> dict[Occurrence, bytes]:
    first: dict[Occurrence, bytes] = {}
    for receipt in sorted(receipts, key=lambda receipt: receipt.order):
        if thread.is_marked(receipt.id, Mark.CONFIRMED):
            first.setdefault(receipt.occurrence(thread), receipt.id)
    return first


def _confirmers(view: View, thread: Thread) -> set[bytes]:
    """Returns the people who can confirm or dispute a receipt or a correction."""
    return _signers(view, thread) - {view.author}


def _signers(view: View, thread: Thread) -> set[bytes]:
    """Returns the two people who sign a receipt or a correction.

    One of them signs for the giver, and the other for the receiver.
    """
    receipt = view if isinstance(view, Receipt) else thread.find_draft(view.about, Receipt)
    return receipt.signers if isinstance(receipt, Receipt) else set()


def _is_payable(view_type: type[Kind]) -> bool:
    return issubclass(view_type, Payable)


@kind("receipt", about=_is_payable, lasting=True)
class Receipt(Kind):
    """Says that time was given. The receipt counts once the other party confirms it.

    One party signs the receipt.
    """

    class State(States):
        """The states of a receipt."""

        PROPOSED = "proposed", "One party has signed it."
        CONFIRMED = (
            "confirmed",
            "The other party has signed it too (`confirm`), even after a dispute.",
        )
        DISPUTED = "disputed", "The other party disputes it (`close`) and has not confirmed it."
        WITHDRAWN = "withdrawn", "Its author withdrew it (`close`), and it is not confirmed."

    wording = Words("Receipt", happened="{who} wrote a receipt", submit="Sign")
    example = {"giver": SOMEBODY, "receiver": SOMEBODY, "minutes": 60, "on": "2026-11-23"}
    stands_alone = True
    is_sure = True
    closing = {
        Mark.WITHDRAWN: By("author", while_=(State.PROPOSED,)),
        Mark.DISPUTED: By(
            _confirmers,
            while_=(State.PROPOSED,),
            instead={State.CONFIRMED: "propose a correction of it"},
        ),
    }

    giver: PersonId = Person(required=True, filled=True)
    receiver: PersonId = Person(required=True, filled=True)
    minutes: int = Minutes(required=True, min=1)
    on: str = Moment(required=True, days_back=YEAR, days_ahead=0)
    note: str | None = Text(max=1000, private=True, help="words for the two parties only")

    duplicate: bool = False
    corrections: list[CorrectionLine]
    corrected: int | None = None
    why: str | None = None

    @property
    def signers(self) -> set[bytes]:
        """The two people who sign the receipt. If the common pot (the account of the whole
        neighbourhood) pays, the receipt's author signs for the pot.
        """
        return {self.giver, self.author if self.receiver == COMMON_POT else self.receiver}

    @property
    def counted_minutes(self) -> int:
        """The minutes that count: the minutes of the last correction that both parties have signed.

        If there is no such correction, the minutes of the receipt itself count.
        """
        return self.minutes if self.corrected is None else self.corrected

    def is_overtaken(self, thread: Thread) -> bool:
        """Returns True if another receipt counts for the same occurrence, so that this receipt
        cannot count.
        """
        counting = counting_receipts(thread, self.about or b"")
        return counting.get(self.occurrence(thread), self.id) != self.id

    def occurrence(self, thread: Thread) -> Occurrence:
        """Returns the occurrence that the receipt is for.

        If this home cannot read the record that the receipt is about, each day is an occurrence.
        """
        paid = thread.find_draft(self.about, Payable)
        day = self.on[:DAY] if paid is None else paid.receipt_day(self)
        return self.giver, self.receiver, day

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields the ways in which a person could write a receipt about `target`."""
        del person
        paid = thread.find_draft(target.id, Payable)
        return (Way(),) if paid is None else paid.receipt_ways(thread)

    def complete(self, thread: Thread) -> None:
        """Fills in giver, receiver, minutes and day from the record that the receipt is about."""
        paid = thread.find_draft(thread.target(self).id, Payable)
        if paid is not None:
            paid.fill_in_receipt(thread, self)

    def readers(self, thread: Thread, record: View) -> set[bytes]:
        """Returns the two parties, who can read the private note."""
        del thread
        return {record.author, *(person for person in (self.giver, self.receiver) if person)}

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the record that the receipt is about does not allow this receipt, or
        if the receipt would not count.
        """
        paid = thread.find_draft(self.about, Payable)
        if paid is not None:
            paid.check_receipt_before_signing(thread, self)
        self._check_counting(thread)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the receipt to the views, in the state "proposed" (R-13.9).

        Raises Refused if the receipt does not fit the record that it is about. Raises Refused also
        if giver and receiver are the same.
        """
        self._check_counting(thread)
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Sets the state of the receipt (R-13.11).

        Once both parties have signed the receipt, it is confirmed, even after a dispute or a
        withdrawal. If both have signed a correction too, the minutes of the correction count
        instead (R-13.17).
        """
        corrections = thread.linked_views(Correction, "about", self.id)
        self.corrections = [
            {"id": correction.id, "state": correction.state, "minutes": correction.minutes}
            for correction in corrections
        ]
        if thread.is_marked(self.id, Mark.CONFIRMED):
            self.state = self.State.CONFIRMED
            self.duplicate = self.is_overtaken(thread)
            self._correct(corrections)
        elif thread.is_marked(self.id, Mark.WITHDRAWN):
            self.state = self.State.WITHDRAWN
        elif thread.is_marked(self.id, Mark.DISPUTED):
            self.state = self.State.DISPUTED
        if self.state not in {self.State.DISPUTED, self.State.WITHDRAWN}:
            self.why = None

    def credits(self) -> Iterable[Credit]:
        """Returns the minutes of a confirmed receipt. A duplicate moves no minutes (R-13.14)."""
        if self.state == self.State.CONFIRMED and not self.duplicate:
            yield Credit(
                self.id, self.kind, self.created, self.on, self.giver, self.receiver, self.minutes
            )

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the party who has to confirm the receipt."""
        del find
        return self.signers - {self.author} if self.state == self.State.PROPOSED else []

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """A proposed receipt that can still count waits for a `confirm` by the other party."""
        if self.state == self.State.PROPOSED and not self.is_overtaken(thread):
            for person in _confirmers(self, thread):
                yield Awaited(person, "confirm", self.id)

    def _check_counting(self, thread: Thread) -> None:
        """Raises Refused if the receipt does not fit the record that it is about, or if giver and
        receiver are the same.
        """
        about = thread.target(self)
        paid = thread.find_draft(about.id, Payable)
        if paid is not None:
            paid.check_receipt(thread, self)
        elif self.receiver == COMMON_POT:
            check_pot_receipt(self, about)
        else:
            check_parties(self)

    def _correct(self, corrections: list["Correction"]) -> None:
        """Applies the confirmed corrections, in order of time and id (R-13.17).

        Each correction replaces the minutes that counted before.
        """
        minutes = self.minutes
        for correction in sorted(corrections, key=lambda correction: correction.order):
            if correction.state != Correction.State.CONFIRMED:
                continue
            correction.moved = None if self.duplicate else correction.minutes - minutes
            minutes = correction.minutes
            self.corrected = minutes


def check_not_written(thread: Thread, receipt: Receipt) -> None:
    """Raises AlreadySo if the author has already written a receipt for the same time and minutes
    (R-13.10b).

    An earlier receipt that is disputed does not matter.
    """
    for earlier in thread.linked_views(Receipt, "about", receipt.about or b""):
        is_same = (earlier.author, earlier.minutes) == (receipt.author, receipt.minutes)
        is_same_time = earlier.occurrence(thread) == receipt.occurrence(thread)
        if is_same and is_same_time and earlier.state != Receipt.State.DISPUTED:
            raise AlreadySo("R-13.10", "you have written this receipt already", earlier.id)


def check_parties(receipt: Receipt) -> None:
    """Raises Refused if the giver and the receiver of a receipt are one person, or if neither of
    them wrote the receipt (R-13.9).
    """
    parties = {receipt.giver, receipt.receiver}
    if receipt.author not in parties or len(parties) != 2:  # noqa: PLR2004
        raise Refused("R-13.9", "a receipt is between two people and by one of them")


def check_pot_receipt(receipt: Receipt, about: Entry) -> None:
    """Raises Refused if the common pot (the account of the whole neighbourhood) may not pay a
    receipt about the record `about` (R-17.15).

    The author of `about` must write the receipt, for another person.
    """
    if receipt.receiver != COMMON_POT or receipt.giver == COMMON_POT:
        raise Refused("R-17.15", "the common pot receives, and a person gives")
    if receipt.author != about.person or receipt.giver == receipt.author:
        raise Refused("R-17.15", "only the organiser writes the receipts, and only for others")


@kind("correction", about=("receipt",), lasting=True)
class Correction(Kind):
    """Corrects a receipt's minutes. The correction counts once the other party confirms it.

    One party signs the correction.
    """

    class State(States):
        """The states of a correction."""

        PROPOSED = "proposed", "One party has signed it."
        CONFIRMED = (
            "confirmed",
            "The other party has signed it too (`confirm`), even after a dispute.",
        )
        DISPUTED = "disputed", "The other party disputes it (`close`) and has not confirmed it."
        WITHDRAWN = "withdrawn", "Its author withdrew it (`close`), and it is not confirmed."

    wording = Words("Correction", happened="{who} proposed other minutes", submit="Propose")
    example = {"minutes": 45}
    is_sure = True
    closing = {
        Mark.WITHDRAWN: By("author", while_=(State.PROPOSED,)),
        Mark.DISPUTED: By(
            _confirmers,
            while_=(State.PROPOSED,),
            instead={State.CONFIRMED: "propose another one"},
        ),
    }

    minutes: int = Minutes(required=True, help="what is right; 0 if nothing was given")
    why: str | None = Text(max=500, beside=True, help="for the neighbourhood to read")

    giver: PersonId
    receiver: PersonId
    moved: int | None = None

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way to correct the receipt.

        Software first tries whether such a correction would be refused. The correction that it
        tries has other minutes than the minutes that count now.
        """
        del person
        receipt = thread.find_view(target.id, Receipt)
        if receipt is not None:
            yield Way(trial={"minutes": 0 if receipt.counted_minutes else 1})

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the receipt does not count (R-13.19), or if the author is not one of
        its two signers (R-13.17).

        Raises AlreadySo if these minutes count already, or if the author has proposed them already.
        """
        receipt = thread.find_view(self.about, Receipt)
        if receipt is None:
            return
        if receipt.state != Receipt.State.CONFIRMED:
            raise Refused(
                "R-13.19",
                "the receipt is {state}, so nothing counts yet; write another one",
                state=receipt.state,
            )
        if receipt.duplicate:
            raise Refused(
                "R-13.19", "another receipt for the same time counts instead; correct that one"
            )
        if receipt.counted_minutes == self.minutes:
            raise AlreadySo(
                "R-13.19",
                "{minutes} minutes are what counts already",
                receipt.id,
                minutes=self.minutes,
            )
        for proposed in thread.linked_views(Correction, "about", receipt.id):
            is_same = (proposed.author, proposed.minutes) == (self.author, self.minutes)
            if is_same and proposed.state == self.State.PROPOSED:
                raise AlreadySo("R-13.19", "you have proposed these minutes already", proposed.id)
        if self.is_overtaken(thread):
            raise Refused(
                "R-13.19", "what counts was signed by a clock ahead of this one; try again later"
            )
        self._check_signer(receipt)

    def is_overtaken(self, thread: Thread) -> bool:
        """Returns True if a later correction is confirmed, so that this correction changes
        nothing.
        """
        return any(
            other.state == self.State.CONFIRMED and other.created >= self.created
            for other in thread.linked_views(Correction, "about", self.about or b"")
            if other.id != self.id
        )

    def fold_entry(self, thread: Thread) -> None:
        """Adds the correction to the views, in the state "proposed" (R-13.17).

        The receipt must count, and its giver or its receiver must sign the correction. Otherwise
        raises Refused.
        """
        receipt = thread.find_view(self.about, Receipt)
        if receipt is None:
            raise Refused("R-13.17", "the receipt itself does not count")
        self._check_signer(receipt)
        self.giver = receipt.giver
        self.receiver = receipt.receiver
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Sets the state of the correction (R-13.17).

        Once the other party confirms the correction, it is confirmed, even after a dispute or a
        withdrawal.
        """
        if thread.is_marked(self.id, Mark.CONFIRMED):
            self.state = self.State.CONFIRMED
        elif thread.is_marked(self.id, Mark.WITHDRAWN):
            self.state = self.State.WITHDRAWN
        elif thread.is_marked(self.id, Mark.DISPUTED):
            self.state = self.State.DISPUTED

    def credits(self) -> Iterable[Credit]:
        """Returns how many minutes the correction adds to the minutes that counted before.

        The number may be negative. Until both parties have signed, returns nothing.
        """
        if self.moved is not None:
            yield Credit(
                self.id, self.kind, self.created, None, self.giver, self.receiver, self.moved
            )

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the party who has to confirm the correction."""
        receipt = find(self.about)
        if self.state != self.State.PROPOSED or not isinstance(receipt, Receipt):
            return []
        return receipt.signers - {self.author}

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """A proposed correction that can still count waits for a `confirm` by the other party."""
        if self.state == self.State.PROPOSED and not self.is_overtaken(thread):
            for person in _confirmers(self, thread):
                yield Awaited(person, "confirm", self.id)

    def _check_signer(self, receipt: Receipt) -> None:
        if self.author not in receipt.signers:
            raise Refused("R-13.17", "only giver and receiver correct a receipt")


@kind("confirm", about=("receipt", "correction", "confirm"), lasting=True, automatic_a_day=8)
class Confirm(Kind):
    """The other party signs a receipt or a correction, so that it counts.

    The software of the first signer then signs a `confirm` of this `confirm` (R-13.15). So homes
    keep and count the first `confirm`, even if its author forks their log later. Nobody can get rid
    of a debt by forking a log.
    """

    State = NoStates
    wording = Words("Confirmation", happened="{who} confirmed it: now it counts", submit="Confirm")
    example = {}
    stands_alone = True
    is_sure = True

    def check_before_signing(self, thread: Thread) -> None:
        """Raises AlreadySo if the author has already confirmed the record that this `confirm` is
        about (R-10.20).

        Raises Refused if another receipt or correction counts instead of that record (R-13.12b).
        Raises Refused also if that record is a `confirm` that does not count (R-13.15d), or if this
        `confirm` itself would not count (R-13.12).
        """
        target = thread.target(self)
        if thread.find_draft(target.id, Confirm) is not None:
            about = target.about or b""
            if thread.marking_record(about, Mark.CONFIRMED, target.person) is None:
                raise Refused("R-13.15d", "the confirm that it confirms does not count")
        earlier = thread.marking_record(target.id, Mark.CONFIRMED, self.author)
        if earlier is not None:
            raise AlreadySo(
                "R-13.12", "you have confirmed the {kind} already", earlier, kind=target.kind
            )
        view = thread.find_view(target.id, Kind)
        if isinstance(view, Receipt) and view.is_overtaken(thread):
            raise Refused(
                "R-13.12", "another receipt for the same time counts already; correct that one"
            )
        if isinstance(view, Correction) and view.is_overtaken(thread):
            raise Refused(
                "R-13.12", "a later correction counts already; propose another correction"
            )
        self._check_counting(thread)

    def has_effect(self, before: Thread, after: Thread) -> bool:
        """Returns True if the record changes something that people can see, or confirms a
        `confirm`.

        A confirmed `confirm` can count even after a fork.
        """
        is_of_confirm = before.find_draft(self.about, Confirm) is not None
        return is_of_confirm or super().has_effect(before, after)

    def countersigns(self, thread: Thread, target: View) -> bool:
        """Returns True if this record makes `target` count after a fork.

        If `target` is a receipt or a correction, the other party must have written this record. If
        `target` is a `confirm`, this record must be by the author of the receipt or correction that
        `target` confirms.
        """
        if isinstance(target, Confirm):
            return target.confirmed_author(thread) == self.author
        return _signers(target, thread) == {self.author, target.author}

    def fold_entry(self, thread: Thread) -> None:
        """Marks a record as confirmed by the other party, who did not write it (R-13.12).

        Raises Refused if this `confirm` is by anybody else, or if the record does not count.
        """
        self._check_counting(thread)
        thread.mark(thread.target(self).id, Mark.CONFIRMED, self)

    def _check_counting(self, thread: Thread) -> None:
        target = thread.target(self)
        draft = thread.drafts.get(target.id)
        if isinstance(draft, Confirm):
            if draft.confirmed_author(thread) != self.author:
                raise Refused(
                    "R-13.15", "only the author of what was confirmed confirms the confirm"
                )
        else:
            signers = _signers(draft, thread) if draft is not None else set()
            if target.id not in thread.views or not signers:
                raise Refused("R-13.12", "the record that it confirms does not count")
            if self.author not in signers - {target.person}:
                raise Refused(
                    "R-13.12", "only the other party can confirm this {kind}", kind=target.kind
                )

    def confirmed_author(self, thread: Thread) -> bytes | None:
        """Returns the author of the receipt or correction that this record confirms.

        Returns None if this record confirms something else.
        """
        above = thread.drafts.get(self.about or b"")
        return above.author if isinstance(above, Receipt | Correction) else None


@kind("thanks", plural="thanks")
class Thanks(Kind):
    """The receiver says that time was a gift. The gift is counted, but it changes no balance."""

    class State(States):
        """The state of a gift."""

        GIVEN = "given", "Always: a gift needs no answer."

    wording = Words(
        "Thanks",
        begin="Thank somebody for a gift of time",
        happened="{who} said thanks",
        submit="Say thanks",
    )
    on_board = True
    example = {"person": SOMEBODY, "minutes": 30, "text": "for the soup"}

    person: PersonId = Person(required=True, help="who gave")
    minutes: int | None = Minutes(default=0, help="0 or more")
    text: str | None = Text(max=2000)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the gift to the views. Raises Refused if a person thanks themselves (R-13.20)."""
        if self.person == self.author:
            raise Refused("R-13.20", "one thanks somebody else")
        self.minutes = self.minutes or 0
        thread.add_view(self)

    def credits(self) -> Iterable[Credit]:
        """Returns the minutes of the thanks as a gift. A gift changes no balance."""
        yield Credit(
            self.id, self.kind, self.created, None, self.person, self.author, self.minutes or 0,
            is_gift=True,
        )  # fmt: skip
