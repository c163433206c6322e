"""What a kind of record declares (specs/10-kinds.md). Each kind is one class, declared once.

    @kind("loan", about=())
    class Loan(Kind):
        class State(States):
            OFFERED = "offered", "Nobody has accepted it."
            LENT = "lent", "The borrower accepted it (`accept`)."

        wording = Words("Loan", happened="{who} lends something")
        example = {"title": "A drill", "borrower": SOMEBODY}
        accept = By("borrower", rule="toollib 1", otherwise="only the borrower accepts a loan")

        title: str | None = Text(required=True, max=120)
        borrower: PersonId = Person(required=True)
        lent_since: TimeMs | None = None

An attribute with a field type is a field of the record. The fold works out the other annotated
attributes. An instance of the class is a draft of one record. Once the record counts, the instance
is the view of the record.

The methods of `Kind` come in three groups. The author's software calls the first group before it
signs a record. The fold calls the second group. The third group serves the parts of the program
that treat all kinds alike, such as the diary, the balances, the list Today and matching.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.facets import (
    Awaited,
    Credit,
    DiaryEntry,
    FindView,
    MatchingFact,
    Way,
)
from protocol.fold.thread import CLOSINGS, Entry, Mark, Thread
from protocol.fold.view import States, View
from protocol.local_clock import LocalClock

SOMEBODY = b"a person's root key, 32 bytes   "  # stands for a person in examples
SOMETHING = b"a record's id, which is 32 bytes"  # stands for a record in examples

# A view is shown in this state if somebody on whom it relies has left (R-14.8a).
LEFT = "left"

_ANY_WAY = (Way(),)
_CLOSING_BY_WORD = {mark.value: mark for mark in CLOSINGS}

People = Callable[[Any, Thread], Iterable[bytes]]  # (the view, its thread) → people


@dataclass(frozen=True)
class Words:
    """The English words for a kind and for what people do with it. Screens translate these words.

    `happened` is a line of a history, with `{who}` for the author.
    """

    name: str
    happened: str
    begin: str = ""  # in the list of what one can begin, for kinds that begin a thread
    before: str = ""  # what to know before one begins it
    submit: str = "Post"  # the button that posts it
    states: Mapping[str, str] = field(default_factory=dict)  # state → its word on the screen


@dataclass(frozen=True)
class By:
    """Who may accept or close a record of a kind, and in which states of the record.

    Each item of `who` is the name of a value of the view, such as "author", or a function that
    returns people. If `but_author` is True, the record's author is left out. Software signs the
    accept or close only while the record is in one of the states `while_`. If `while_` is empty,
    the state does not matter. `instead` maps other states to what people can do in these states. An
    accept gives the record the state `makes`, if the kind has no `settle` of its own.
    """

    who: tuple[str | People, ...]
    while_: tuple[str, ...]
    but_author: bool
    instead: Mapping[str, str]
    makes: str | None
    rule: str
    otherwise: str
    is_automatic: bool

    def __init__(
        self,
        *who: str | People,
        while_: Iterable[str] = (),
        but_author: bool = False,
        instead: Mapping[str, str] | None = None,
        makes: str | None = None,
        rule: str = "R-14.2",
        otherwise: str = "they may not do this",
        is_automatic: bool = False,
    ) -> None:
        """Takes the attributes of the class.

        `who` says who may accept the record. If anybody else accepts the record, the accept is
        refused with the rule number `rule` and the text `otherwise`. If `is_automatic` is True,
        only software writes the accept.
        """
        for name, value in {
            "who": who,
            "while_": tuple(while_),
            "but_author": but_author,
            "instead": instead or {},
            "makes": makes,
            "rule": rule,
            "otherwise": otherwise,
            "is_automatic": is_automatic,
        }.items():
            object.__setattr__(self, name, value)

    def is_named_in(self, view: View) -> bool:
        """Returns True if fields of the record itself name the people who may accept it.

        An accept by one of these people then countersigns the record.
        """
        return bool(self.who) and all(who in view.record_fields for who in self.who)

    def people(self, thread: Thread, view: View) -> set[bytes]:
        """Returns the people who may accept or close the record of this view or draft."""
        people: set[bytes] = set()
        for who in self.who:
            value = getattr(view, who) if isinstance(who, str) else who(view, thread)
            people.update([value] if isinstance(value, bytes) else value)
        return people - {view.author} if self.but_author else people


def values_by_id(thread: Thread) -> dict[bytes, Mapping[str, object]]:
    """Returns the values of all views of a thread, by the id of the view's record."""
    return {record_id: vars(view) for record_id, view in thread.views.items()}


class Kind(View):
    """A kind of record. Subclasses declare fields and states, and override methods."""

    State: ClassVar[type[States]]
    wording: ClassVar[Words]
    example: ClassVar[Mapping[str, object]]  # the fields of a record of this kind

    # Who may accept a record, and who may end it with which word. By default, nobody may.
    accept: ClassVar[By | None] = None
    closing: ClassVar[Mapping[Mark, By]] = {}
    # If True, a record counts even if the record that it is about lost its content.
    stands_alone: ClassVar[bool] = False
    # If True, authority judges whether a record counts. Forks of its log do not matter.
    judged_by_authority: ClassVar[bool] = False
    # If True, a record may change whether other records of the thread count.
    sways_others: ClassVar[bool] = False
    # If True, a record counts and changes something if `ways` yields a way for it and software would
    # sign it. So nobody has to fold it with its thread to know.
    is_sure: ClassVar[bool] = False
    # If True, a record about the trunk of a thread begins a branch: outside this branch, no record
    # folds differently because of it, except those to which `ties` ties it.
    begins_branch: ClassVar[bool] = False
    # If True, homes of witnesses name the records of the kind, if the root of their thread is of such
    # a kind too (R-24.2a).
    witnessed: ClassVar[bool] = False
    # If True, records of the kind stand on the board, where neighbours look for what is new.
    on_board: ClassVar[bool] = False
    # The name of a field and a state. If the moment in this field is past and the view is still in
    # the first state of the kind, the view is shown in the state that is named here.
    deadline: ClassVar[tuple[str, str] | None] = None
    # Values that are lists of record ids. They are shown as the views of these records.
    shown_as_views: ClassVar[tuple[str, ...]] = ()
    # If True, views of the kind are shown in the list of people and have no list of their own.
    is_listed_with_people: ClassVar[bool] = False

    # -- people who have left ---------------------------------------------------------------------

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the people without whom this view cannot go on in its present state (R-14.8).

        They are the people whose answer the view waits for, and the people to whom the view
        promises something. `find` finds other views of the thread. This method is also called on a
        draft before it is signed.
        """
        del find
        return ()

    def find_left(self, authority: Authority, find: FindView) -> set[bytes]:
        """Returns the people who have left the neighbourhood, although this view relies on them."""
        if not authority.left:
            return set()
        return {person for person in self.relies_on(find) if person in authority.left}

    def check_nobody_left(self, thread: Thread) -> None:
        """Raises Refused if this draft or view relies on somebody who has left (R-14.8)."""
        if self.find_left(thread.authority, thread.find):
            raise Refused(
                "R-14.8",
                "this needs somebody who has left the neighbourhood; end it, or begin another one",
            )

    # -- before it is signed ----------------------------------------------------------------------

    def check_signing(self, thread: Thread) -> None:
        """Raises Refused if the author's software should not sign the record."""
        self.check_nobody_left(thread)
        self.check_before_signing(thread)

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields the ways in which a person could answer `target` with a record of this kind.

        Most kinds have one way, which fixes no field. The fold or the author's software can still
        refuse a way that this method yields.
        """
        del thread, target, person
        return _ANY_WAY

    @property
    def is_closed(self) -> bool:
        """True if the view has a state that a `close` gives."""
        return self.state in {mark.value for mark in self.closing}

    def fill(self, **values: Any) -> None:
        """Sets each of these values, unless the draft has a value there already."""
        own_values = vars(self)
        for name, value in values.items():
            if own_values[name] is None:
                own_values[name] = value

    def complete(self, thread: Thread) -> None:
        """Fills in the fields that the author left out (R-10.7).

        The author's software calls this method before it signs the record. Until then, even a
        required field can be None. `thread.clock` tells the local time.
        """

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the kind has a reason not to sign the record.

        If other software signs the record anyway, homes still count it. `thread.clock` tells the
        local time.
        """

    def has_effect(self, before: Thread, after: Thread) -> bool:
        """Returns True if the record changes something that people can see (R-10.19).

        `before` is the folded thread without the record, and `after` is the folded thread with it.
        Authority judges some records, and these can change something outside the thread. So for
        these records, the result is always True. If such a record is useless,
        `check_before_signing` refuses it.
        """
        return self.judged_by_authority or values_by_id(before) != values_by_id(after)

    @classmethod
    def standing(cls, views: Iterable[Self], clock: LocalClock) -> Iterable[Self]:
        """Selects the views that say what holds now. `views` has views of one person, the newest
        first. Software does not sign a record that would only repeat such a view (R-10.20).

        By default there are no such views: a person who asks twice for the same thing wants it
        twice.
        """
        del views, clock
        return ()

    def check_accept(self, thread: Thread, accept: View) -> None:
        """Raises Refused if software should not sign an `accept` of this record."""

    def check_close(self, thread: Thread, person: bytes) -> None:
        """Raises Refused if a person's software should not sign a `close` of this record."""

    def readers(self, thread: Thread, record: View) -> set[bytes]:
        """Returns the people who can decrypt the private parts of `record`.

        In a private thread, this method is called on the view of the root. `record` can then be any
        record of the thread. In other threads, `record` is the record of this instance.
        """
        del thread
        return {record.author}

    @classmethod
    def handed_keys(cls, fields: Mapping[str, Any]) -> dict[bytes, bytes]:
        """Returns the keys that a record with these fields gives to its readers.

        Each key decrypts another private record. The result maps the id of that record to the key.
        """
        del fields
        return {}

    # -- in the fold ------------------------------------------------------------------------------

    def is_adopted(self, thread: Thread) -> bool:
        """Returns True if a decision of the roll makes the record count, even after a fork."""
        del thread
        return False

    def countersigns(self, thread: Thread, target: View) -> bool:
        """Returns True if this record makes another person's record `target` count after a fork."""
        del thread, target
        return False

    def ties(self) -> Iterable[bytes]:
        """Returns what ties this draft to records of other branches. Records with a common tie fold
        together.

        Ids in the fields are ties already, so an override need not return them. Each tie is shorter
        than an id, so that nobody takes the tie for an id.
        """
        return ()

    def fold_entry(self, thread: Thread) -> None:
        """Applies this record to the views of its thread. A root record becomes a view itself.

        Raises Refused if the record does not count.
        """
        if not self.record_is_answer:
            thread.add_view(self)

    def apply_accept(self, thread: Thread, accept: View) -> None:
        """Applies an `accept` of the record to this view.

        The author of the `accept` is a person who may accept the record. Raises Refused if the
        `accept` does not count.
        """

    def apply_close(self, thread: Thread, close: View) -> None:
        """Applies a `close` of the record to this view.

        The author of the `close` is a person who may close the record. A kind overrides this if a
        `close` changes more than the state of the view. Raises Refused if the `close` does not
        count.
        """

    def settle(self, thread: Thread) -> None:
        """Sets the state of the view after all records of the thread are folded.

        Later views settle first, so answers settle before the records that they answer.

        If a kind does not override this, an `accept` gives the view the state `accept.makes`. If
        there is also a `close` and its word is the name of a state, the view gets that state.
        """
        if (
            self.accept is not None
            and self.accept.makes
            and thread.is_marked(self.id, Mark.ACCEPTED)
        ):
            self.state = self.accept.makes
        for state in self.State:
            mark = _CLOSING_BY_WORD.get(state.value)
            if mark in self.closing and mark is not None and thread.is_marked(self.id, mark):
                self.state = state

    # -- for those who show it --------------------------------------------------------------------

    def clock_state(self) -> tuple[str, str] | None:
        """Returns a moment, and the state in which the view is shown after that moment.

        Returns None if the clock does not change the state of the view.
        """
        if self.deadline is None or self.state != self.blank["state"]:
            return None
        name, state = self.deadline
        moment: str | None = getattr(self, name)
        return (moment, state) if moment else None

    def state_at(self, clock: LocalClock) -> str:
        """Returns the state in which the view is shown at a local time (R-10.18)."""
        timed = self.clock_state()
        if timed is None:
            return self.state
        moment, later_state = timed
        return later_state if clock.is_past(moment) else self.state

    def further_values(self, authority: Authority, clock: LocalClock) -> Mapping[str, object]:
        """Returns values that are shown with the view, but depend on more than its thread.

        An override returns a TypedDict. Its annotations say which values are people or times.
        """
        del authority, clock
        return {}

    def credits(self) -> Iterable[Credit]:
        """Returns the minutes that the view moves from one person to another."""
        return ()

    def diary_entry(self, person: bytes, find: FindView) -> DiaryEntry | None:
        """Returns the entry that the view makes in a person's diary, or None if it makes none."""
        del person, find
        return None

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """Returns the answers that the view waits for, once its thread is folded."""
        del thread
        return ()

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns what the view says about needs and offers. Matching makes suggestions from it."""
        return ()

    record_is_answer: ClassVar[bool] = False  # filled in when the kind is registered
