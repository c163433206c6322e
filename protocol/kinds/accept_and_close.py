"""The kinds `accept` and `close`, with which people accept or end a record (specs/14).

The kind of the accepted or ended record says who may do so. In the class of that kind, `accept`
says who may accept its records. `closing` says who may end its records, and with which word.
"""

from collections.abc import Iterable, Iterator

from protocol.authority.kind_names import ACCEPT
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Way
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.thread import CLOSINGS, Entry, Mark, Thread
from protocol.fold.view import NoStates, View
from protocol.record.envelope import OPEN
from protocol.schema.declare import Choice, Text


@kind(
    ACCEPT,
    about=lambda view_type: view_type.accept is not None,
    audience=OPEN,
    lasting=True,
    automatic_a_day=8,
)
class Accept(Kind):
    """Takes what is offered, such as the charter or a renewal.

    A newcomer's software accepts the charter by itself. This `accept` names the records of the
    kinds `admit` and `epoch` that brought the newcomer in. Homes then keep and count the named
    records, even if their authors fork their logs. A member's software accepts by itself the
    renewal that it finds to be in force.
    """

    State = NoStates
    wording = Words("Acceptance", happened="{who} accepted", submit="Accept")
    example = {}
    witnessed = True

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way if the person may accept the record."""
        view = thread.find_view(target.id, Kind)
        by = view.accept if view is not None else None
        if view is None or by is None:
            return
        if not by.is_automatic and person in by.people(thread, view):
            yield Way()

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author's software should not accept the record.

        The record must be in a state in which it can be accepted. The record's kind can set further
        conditions. Raises AlreadySo if the author has accepted the record already, and nobody has
        ended the accepted record.
        """
        view = thread.find_view(self.about, Kind)
        by = view.accept if view is not None else None
        if view is None or by is None:
            return
        earlier = thread.marking_record(view.id, Mark.ACCEPTED, self.author)
        if earlier is not None and not view.is_closed:
            raise AlreadySo(
                by.rule, "you have accepted this {kind} already", earlier, kind=view.kind
            )
        view.check_nobody_left(thread)
        state = view.state_at(thread.clock)
        if by.while_ and state not in by.while_:
            raise Refused(by.rule, "the {kind} is {state} already", kind=view.kind, state=state)
        view.check_accept(thread, self)

    def has_effect(self, before: Thread, after: Thread) -> bool:
        """Returns True if the accept changes something that people can see, or changes authority.

        The accept of a renewal changes only authority.
        """
        target = before.find_draft(self.about, Kind)
        by = target.accept if target is not None else None
        return (by is not None and by.is_automatic) or super().has_effect(before, after)

    def countersigns(self, thread: Thread, target: View) -> bool:
        """Returns True if `target` itself names the author of this `accept` as a person who may
        accept it.
        """
        by = target.accept if isinstance(target, Kind) else None
        return (
            by is not None and by.is_named_in(target) and self.author in by.people(thread, target)
        )

    def fold_entry(self, thread: Thread) -> None:
        """Applies the `accept` to the view of the accepted record.

        Raises Refused if the author of the `accept` may not accept that record.

        If the record is a charter or a renewal, does nothing, because `protocol.authority` has
        already folded the `accept`.
        """
        target = thread.target(self)
        by = KINDS[target.kind].view_type.accept if target.kind in KINDS else None
        if by is None or by.is_automatic:
            return
        view = thread.find_view(target.id, Kind)
        if view is None or self.author not in by.people(thread, view):
            raise Refused(by.rule, by.otherwise)
        view.apply_accept(thread, self)
        thread.mark(target.id, Mark.ACCEPTED, self)


@kind("close", about=lambda view_type: bool(view_type.closing))
class Close(Kind):
    """Withdraws, declines, cancels, disputes or ends something."""

    State = NoStates
    wording = Words("End", happened="{who} closed it", submit="Yes")
    example = {"as_state": Mark.WITHDRAWN.value}
    witnessed = True

    as_state: str = Choice(required=True, words=tuple(mark.value for mark in CLOSINGS))
    why: str | None = Text(max=500)

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields a way for each word with which the person may end the record."""
        view = thread.find_view(target.id, Kind)
        marks = words_to_end(view, thread, person) if view is not None else ()
        return (Way({"as_state": mark.value}) for mark in marks)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the record is in a state in which it cannot be closed (R-14.7).

        Raises AlreadySo if the record has already ended in the way that the author wants. Also
        raises AlreadySo if the record has ended, and the author has closed it with the same word
        before.
        """
        view = thread.find_view(self.about, Kind)
        mark = Mark(self.as_state)
        by = view.closing.get(mark) if view is not None else None
        if view is None or by is None or self.author not in by.people(thread, view):
            return  # the fold refuses it
        _check_ending(view, mark, thread, self.author)

    def fold_entry(self, thread: Thread) -> None:
        """Closes a record.

        Raises Refused if the author may not end the record with the word in the `close` (R-14.2).
        """
        target = thread.target(self)
        mark = Mark(self.as_state)
        view = thread.find_view(target.id, Kind)
        by = view.closing.get(mark) if view is not None else None
        if view is None or by is None or self.author not in by.people(thread, view):
            raise Refused(
                "R-14.2", "they may not call this {kind} {mark}", kind=target.kind, mark=mark
            )
        view.apply_close(thread, self)
        if "why" in vars(view):
            vars(view)["why"] = None if thread.is_hidden(self.id) else self.why
        thread.mark(target.id, mark, self)


def words_to_end(view: Kind, thread: Thread, person: bytes) -> Iterator[Mark]:
    """Yields the words with which a person could end a record now. `thread` has a clock that tells
    the time.
    """
    for mark, by in view.closing.items():
        try:
            if person not in by.people(thread, view):
                continue
            _check_ending(view, mark, thread, person)
        except Refused:
            continue
        yield mark


def _check_ending(view: Kind, mark: Mark, thread: Thread, person: bytes) -> None:
    """Raises Refused if a person's software should not end a record with a word now (R-14.7).

    Raises AlreadySo if the record has already ended with this word. Also raises AlreadySo if the
    record has ended with another word, but this person has posted a `close` with this word before.
    """
    by = view.closing[mark]
    state = view.state_at(thread.clock)
    own = thread.marking_record(view.id, mark, person)
    if state == mark.value or (own is not None and view.is_closed):
        raise AlreadySo(
            "R-14.7",
            "the {kind} is {state} already",
            own or view.id,
            kind=view.kind,
            state=state,
        )
    remedy = by.instead.get(state)
    if remedy is not None:
        raise Refused(
            "R-14.7", "the {kind} is {state}; {remedy}", kind=view.kind, state=state, remedy=remedy
        )
    if by.while_ and state not in by.while_:
        raise Refused("R-14.7", "the {kind} is {state} already", kind=view.kind, state=state)
    view.check_close(thread, person)
