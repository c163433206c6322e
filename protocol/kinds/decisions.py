"""Kinds of records with which people decide (specs/16-decisions.md).

These records are open and contain only keys and numbers. `protocol.authority` works out what a
decision changes, and the code here makes the views that people see. Free words are in a record of
their own (`words`). The author of this record can retract the words without changing the decision.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, TypedDict

from protocol.authority import register_change, terms
from protocol.authority.additions import find_added, is_typed
from protocol.authority.authority import Authority
from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.kind_names import PART, PROPOSAL, REMOVE, RENEWAL, VOTE
from protocol.authority.register_change import LogCuts, RegisterChange
from protocol.authority.registers import Outcome
from protocol.authority.terms import MOST_WITNESSES, Ballot, Register
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Awaited, Crowd, Subject, Way
from protocol.fold.kind import SOMEBODY, SOMETHING, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import NoStates, States, View
from protocol.kinds.council import Asked, CouncilRecord
from protocol.kinds.services.trials import check_change, last_day_to_vote
from protocol.local_clock import LocalClock
from protocol.record.envelope import OPEN
from protocol.schema.declare import Bytes, Choice, Integer, Many, Moment, Person, Text, declare
from protocol.schema.fields import YEAR
from protocol.schema.fields import Moment as MomentField
from protocol.schema.majority import votes_needed
from protocol.schema.register_names import BY_RENEWAL, RULE, SORTS, STANDING, TRIAL
from protocol.schema.values import PersonId

MOST_LISTED = 64  # people or registers in one record

_SHARE_OF_RENEWAL = 50  # percent of the roll

YES = "yes"
NO = "no"


class Votes(TypedDict):
    """The people whose votes count now."""

    yes: list[PersonId]
    no: list[PersonId]


class Voted(TypedDict):
    """How people have voted."""

    voted: Votes

    needed: int  # yes votes with which it passes
    voters: int  # people who may vote


class VotedOnSubject(Voted):
    """How people have voted, and which person or which record the vote is about.

    Some votes are about no person and no record. If newcomers vote too, `needed_of_roll` yes votes
    must come from the roll (R-03.26).
    """

    concerns: Subject | None
    needed_of_roll: int | None


class Newcomer(TypedDict):
    """A member who would join the roll, and the members who vouched for them."""

    person: PersonId
    vouchers: list[PersonId]


class VotedOnTerm(Voted):
    """How people have voted on the next term, and which people the next term adds to the roll.

    `adds` is empty if the term changes anything else. `will_vote` is the number of people on the
    roll of the next term. While a part of the renewal is missing, `will_vote` is None. `is_typed`
    says whether a person types this number with a yes (R-16.5m).
    """

    adds: list[Newcomer]
    will_vote: int | None
    is_typed: bool


class Votable(Kind):
    """A base class of the kinds that people vote on."""

    def tally(self, thread: Thread) -> Outcome | Ballot | None:
        """Returns how the vote stands, as authority counts it.

        Returns None if authority does not know this record.
        """
        raise NotImplementedError

    who_votes: ClassVar[str]  # says to people who cannot vote why they cannot

    def voters(self, thread: Thread) -> set[bytes]:
        """Returns the people who may vote."""
        return set(thread.authority.term.roll)

    def check_vote(self, thread: Thread, vote: "Vote") -> None:
        """Raises Refused if the author's software should not sign this vote (R-16.4).

        Raises AlreadySo if the author has already voted in this way.
        """
        if vote.author not in self.voters(thread):
            raise Refused("R-16.4", self.who_votes)
        tally = self.tally(thread)
        if tally is None:
            return
        counted = tally.yes if vote.choice == YES else tally.no
        if vote.author in counted:
            raise AlreadySo("R-16.4", "you have voted so already", _find_vote(thread, vote))
        if vote.author in tally.yes:
            raise Refused(
                "R-16.4", "you have said yes, and a yes cannot be taken back; propose the opposite"
            )


@kind(PROPOSAL, audience=OPEN, lasting=True, plural="decisions")
class Proposal(Votable):
    """Asks everybody a question. If it contains a change, the change needs enough yes votes."""

    class State(States):
        """The states of a proposal."""

        OPEN = "open", "Too few have said yes."
        PASSED = (
            "passed",
            "Enough have said yes (`vote`), or the term in force wrote it down (`renewal`).",
        )
        FAILED = "failed", "By the clock: it is open, and `closes` is past."

    wording = Words(
        "Decision",
        begin="Ask everybody to decide something",
        before=(
            "All members can vote on your question. You cannot take it back. To change a "
            "rule, open the rule on the Neighbourhood tab."
        ),
        happened="{who} proposed it",
        submit="Propose",
    )
    example = {
        "change": [RULE, "answer_days", 1, 5],
        "newcomers": [SOMEBODY],
        "closes": "2026-12-24",
    }
    judged_by_authority = True
    deadline = ("closes", State.FAILED)
    who_votes = "it was proposed before you came; you can vote on what is proposed from now on"

    title: str | None = Text(required=True, min=1, max=120, beside=True)
    text: str | None = Text(max=2000, beside=True)
    change: list[Any] | None = declare(RegisterChange(help="what it changes; nothing if left out"))
    newcomers: list[PersonId] | None = Many(
        of=Person(), max=MOST_LISTED, filled=True, help="members who are not on the roll yet"
    )
    closes: str | None = Moment(
        days_back=0, days_ahead=2 * YEAR, help="after this software votes no more"
    )

    yes: int = 0
    no: int = 0
    roll: int = 0

    def complete(self, thread: Thread) -> None:
        """Fills in the newcomers who may vote too (R-03.26).

        If the proposal changes a register, fills in the next number of this register.
        """
        authority = thread.authority
        if self.newcomers is None:
            newcomers = sorted(set(authority.members) - authority.term.roll)
            self.newcomers = newcomers[:MOST_LISTED]
        if self.change is not None:
            change = _read_rule(self.change)
            self.change = register_change.number_change(change, authority, thread.log_heads)
            self.closes = self.closes or self._last_day(thread)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the change could have no effect even after it passes (R-16.2).

        Raises AlreadySo if the rule has the proposed value already.
        """
        what, key, n, value = self.change or (None, None, 0, None)
        if what == STANDING and n % 2 and key not in thread.authority.members:
            raise Refused("R-16.2", "only a member can be removed")
        if what == RULE:
            if key in BY_RENEWAL:
                raise Refused(
                    "R-16.2", "{field} changes by renewal only: `meshcoop renew`", field=key
                )
            if key not in CHARTER_RULES or key == "founders":
                raise Refused("R-16.2", "the charter has no rule {field}", field=key)
            _check_rule(key, value, thread.clock)
            if thread.authority.charter.get(key) == value:
                raise AlreadySo("R-16.2", "the rule {field} is so already", field=key)
        if what == TRIAL and key is not None:
            check_change(n, value, thread.facts_of_trial(key), thread.clock)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the proposal to the views, with its votes (R-16.3).

        The proposal has passed if enough people said yes, or if the term in force wrote down the
        proposal's change.
        """
        outcome = self.tally(thread)
        if (outcome is not None and outcome.passed) or self._is_written(thread):
            self.state = self.State.PASSED
        self.yes = len(outcome.yes) if outcome else 0
        self.no = len(outcome.no) if outcome else 0
        self.roll = len(thread.authority.term.roll)
        thread.add_view(self)

    def tally(self, thread: Thread) -> Outcome | None:
        """Returns how the vote on the proposal stands in the term in force."""
        return thread.authority.outcomes.get(self.id)

    def voters(self, thread: Thread) -> set[bytes]:
        """Returns the roll, and the newcomers that the proposal names."""
        return super().voters(thread) | set(self.newcomers or ())

    def check_vote(self, thread: Thread, vote: "Vote") -> None:
        """Makes the checks of every vote. Also raises Refused if the voting has closed (R-16.4a),
        or if the proposal has passed.

        If the proposal has passed and the vote is a yes, raises AlreadySo instead.
        """
        if self.closes and thread.clock.is_past(self.closes):
            raise Refused(
                "R-16.4", "voting closed on {closes}; it can be proposed again", closes=self.closes
            )
        super().check_vote(thread, vote)
        view = thread.find_view(self.id, Proposal)
        if view is None or view.state != self.State.PASSED:
            return
        if vote.choice == YES:
            raise AlreadySo("R-16.4", "it has passed already", self.id)
        raise Refused(
            "R-16.4", "it has passed already, and no vote changes that; propose the opposite"
        )

    def further_values(self, authority: Authority, clock: LocalClock) -> VotedOnSubject:
        """Returns the votes that count now, and the person or record that the change is about."""
        del clock
        roll = authority.term.roll
        share = authority.term.share
        voters = roll | set(self.newcomers or ())
        has_newcomers = len(voters) > len(roll)
        return {
            "voted": _count_votes(authority, self.id),
            "concerns": self._subject(),
            "needed": votes_needed(share, len(voters)),
            "voters": len(voters),
            "needed_of_roll": votes_needed(share, len(roll)) if has_newcomers else None,
        }

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An open proposal waits for votes until the voting closes."""
        del thread
        if self.state == self.State.OPEN:
            yield Awaited(Crowd.VOTERS, VOTE, self.id, until=self.closes)

    def _last_day(self, thread: Thread) -> str | None:
        """Returns the last day for votes if the proposal is to start a trial. Otherwise returns
        None.
        """
        what, key, n, _ = self.change or (None, None, 0, None)
        if what != TRIAL or n != 1 or key is None:
            return None
        facts = thread.facts_of_trial(key)
        return None if facts is None else last_day_to_vote(facts)

    def _subject(self) -> Subject | None:
        if self.change is None:
            return None
        register, key, *_ = self.change
        if register == RULE or register not in SORTS:
            return None
        return Subject(key, is_person=register == STANDING)

    def _is_written(self, thread: Thread) -> bool:
        """Returns True if the term in force has written down the change of this proposal."""
        if self.change is None:
            return False
        register, new = terms.read_holding(self.change)
        holding = thread.authority.term.written.get(register)
        if holding is None or holding.n != new.n:
            return False
        # For a person's standing only the number counts: moderators may have moved the cuts since.
        return register[0] == STANDING or holding == new


def _check_rule(key: str, value: object, clock: LocalClock) -> None:
    """Raises Refused if a rule of the charter may not have this value."""
    rule = CHARTER_RULES[key]
    rule.check(key, value)
    if isinstance(rule, MomentField):
        rule.check_span(key, str(value), clock)


def _count_votes(authority: Authority, decision: bytes) -> Votes:
    outcome = authority.outcomes.get(decision) or authority.renewals.get(decision)
    if outcome is None:
        return {"yes": [], "no": []}
    return {"yes": sorted(outcome.yes), "no": sorted(outcome.no)}


def _find_vote(thread: Thread, vote: "Vote") -> bytes | None:
    """Returns the id of an earlier vote by the author of `vote`, with the same choice as `vote`.
    Returns None if there is no such vote.
    """
    wanted = (vote.kind, vote.author, vote.choice)
    entries = (line.entry for line in thread.history)
    same = (
        entry.id
        for entry in entries
        if (entry.kind, entry.person, entry.fields.get("choice")) == wanted
    )
    return next(same, None)


def _is_votable(view_type: type[Kind]) -> bool:
    return issubclass(view_type, Votable)


@kind(VOTE, about=_is_votable, audience=OPEN, lasting=True, automatic_a_day=8)
class Vote(Kind):
    """One person's yes or no to a proposal or a renewal. A yes cannot be taken back."""

    State = NoStates
    wording = Words("Vote", happened="{who} voted", submit="Vote")
    example = {"choice": YES}
    judged_by_authority = True

    choice: str = Choice(required=True, words=(YES, NO))

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields two ways: to vote yes, and to vote no."""
        del thread, target, person
        yield Way({"choice": YES}, ask=())
        yield Way({"choice": NO}, ask=())

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the vote would not count, or would change nothing (R-16.4).

        A yes to a renewal must also pass `check_renewal` (R-16.5).
        """
        target = thread.find_draft(thread.target(self).id, Votable)
        if target is not None:
            target.check_vote(thread, self)


@kind(RENEWAL, audience=OPEN, lasting=True, posted=False, automatic_a_day=1)
class Renewal(Votable):
    """Proposes the next term: its roll, moderators, rules, and everything else in force."""

    class State(States):
        """The states of a renewal."""

        OPEN = "open", "Too few of the roll that it renews have said yes."
        PASSED = "passed", "Enough of that roll have said yes (`vote`), but another term holds."
        IN_FORCE = "in force", "Its term is the one that holds (`vote`, `accept`)."
        PAST = "past", "Its term held, and a later one followed (`renewal`)."

    wording = Words("New term", happened="{who} proposed the new term", submit="Propose")
    example = {
        "parent": SOMETHING,
        "round": 1,
        "joining": [SOMEBODY],
        "moderators": [SOMEBODY],
        "vouchers": 1,
        "share": 50,
    }
    judged_by_authority = True
    who_votes = "only people on the roll vote on the next term; you join the roll when it begins"
    # Software accepts the renewal that it finds in force. Authority folds the accept.
    accept = By(is_automatic=True)

    title: str | None = Text(max=120, beside=True)
    parent: bytes = Bytes(required=True, min=32, max=32, filled=True, help="the term it renews")
    round: int = Integer(
        required=True, min=1, filled=True, help="1 + the highest that its author saw"
    )
    joining: list[PersonId] | None = Many(
        of=Person(), max=MOST_LISTED, filled=True, help="people who join the roll"
    )
    leaving: list[PersonId] | None = Many(
        of=Person(), max=MOST_LISTED, help="people who leave the roll"
    )
    moderators: list[PersonId] = Many(
        of=Person(), max=MOST_LISTED, required=True, help="who may remove somebody"
    )
    vouchers: int = Integer(required=True, min=1, max=16, help="members who vouch for a newcomer")
    share: int = Integer(required=True, min=50, max=99, help="percent that a decision exceeds")
    witnesses: list[PersonId] | None = Many(
        of=Person(), max=MOST_WITNESSES, filled=True, help="people whose homes say what they saw"
    )
    holds: list[list[Any]] | None = Many(
        of=RegisterChange(), max=MOST_LISTED, filled=True, help="registers at the term's start"
    )
    parts: list[bytes] | None = Many(
        of=Bytes(min=32, max=32), max=MOST_LISTED, filled=True, help="what did not fit, by hash"
    )

    yes: int = 0
    accepted: int = 0
    roll: int | None = None

    def fold_entry(self, thread: Thread) -> None:
        """Adds the renewal to the views, with the number of yes votes and accepts (R-16.6)."""
        ballot = self.tally(thread)
        if ballot is not None:
            self.yes = len(ballot.yes)
            self.accepted = len(ballot.accepted)
            self.roll = ballot.roll
        self.state = self._state_in(thread.authority)
        thread.add_view(self)

    def check_accept(self, thread: Thread, accept: View) -> None:
        """Raises Refused if the renewal was never in force (R-16.5)."""
        del accept
        if self.id not in {term.id for term in thread.authority.chain.terms}:
            raise Refused("R-16.5", "software accepts the renewal that is in force, by itself")

    def tally(self, thread: Thread) -> Ballot | None:
        """Returns how the vote on the renewal stands. The people on the roll of the renewed term
        vote.
        """
        return thread.authority.renewals.get(self.id)

    def check_vote(self, thread: Thread, vote: "Vote") -> None:
        """Makes the checks of every vote. Also raises Refused if the renewed term is over
        (R-16.4d).

        A yes must also pass `check_renewal` (R-16.5).
        """
        super().check_vote(thread, vote)
        if vote.choice == YES:
            check_renewal(thread.authority, vote.author, self.id)
        elif self.parent != thread.authority.term.id:
            raise Refused("R-16.4", "it renews a term that is over")

    def further_values(self, authority: Authority, clock: LocalClock) -> VotedOnTerm:
        """Returns the votes that count now, and the people that the term would add to the roll."""
        del clock
        voters = len(authority.term.roll)
        ballot = authority.renewals.get(self.id)
        term = ballot.term if ballot is not None and self.parent == authority.term.id else None
        added = find_added(authority, term) if term is not None else frozenset()
        return {
            "voted": _count_votes(authority, self.id),
            "needed": votes_needed(_SHARE_OF_RENEWAL, voters),
            "voters": voters,
            "adds": [
                {"person": person, "vouchers": sorted(authority.vouchers_of(person))}
                for person in sorted(added)
            ],
            "will_vote": len(term.roll) if term is not None else None,
            "is_typed": term is None or is_typed(authority, term),
        }

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """An open renewal waits for votes, as long as the renewed term is in force."""
        if self.state == self.State.OPEN and self.parent == thread.authority.term.id:
            yield Awaited(Crowd.VOTERS, VOTE, self.id)

    def _state_in(self, authority: Authority) -> "Renewal.State":
        """Returns the state of the renewal, which depends on the chain of terms (R-16.6)."""
        if self.id == authority.term.id:
            return self.State.IN_FORCE
        if self.id in {term.id for term in authority.chain.terms}:
            return self.State.PAST
        return self.State.PASSED if self.id in authority.terms else self.State.OPEN


@kind(PART, audience=OPEN, lasting=True, posted=False, automatic_a_day=MOST_LISTED)
class Part(Kind):
    """A further part of a renewal, if the renewal is too long for one record.

    The renewal names each part by its hash.
    """

    State = NoStates
    wording = Words("Part of a new term", happened="{who} added a part of the new term")
    example = {"joining": [SOMEBODY]}
    judged_by_authority = True

    joining: list[PersonId] | None = Many(of=Person(), max=MOST_LISTED)
    leaving: list[PersonId] | None = Many(of=Person(), max=MOST_LISTED)
    holds: list[list[Any]] | None = Many(of=RegisterChange(), max=MOST_LISTED)

    def fold_entry(self, thread: Thread) -> None:
        """Does nothing, because `protocol.authority` folds a renewal together with its parts."""


@kind(REMOVE, audience=OPEN, lasting=True)
class Remove(CouncilRecord):
    """A moderator asks to remove a person. A majority of at least three moderators removes them."""

    class State(States):
        """The states of a removal."""

        STATED = "said", "The person's standing has a number lower than `n`."
        IN_FORCE = (
            "in force",
            "The person's standing has the number `n` (`remove`, `proposal`).",
        )
        PAST = (
            "past",
            "The person's standing has a number higher than `n` (`remove`, `proposal`).",
        )

    wording = Words("Removal", happened="{who} asked for it, as a moderator", submit="Confirm")
    example = {"person": SOMEBODY, "n": 1, "cuts": [[SOMETHING, 12]]}

    person: PersonId = Person(required=True, help="who is to go")
    why: str | None = Text(max=500, beside=True, help="for the neighbourhood to read")
    n: int = Integer(required=True, min=1, max=register_change.MAX_NUMBER, filled=True)
    cuts: list[list[Any]] = declare(
        LogCuts(required=True, filled=True, help="the last number of each device that counts")
    )

    @property
    def register(self) -> Register:
        """The register of the person's standing."""
        return STANDING, self.person or b""

    def complete(self, thread: Thread) -> None:
        """Fills in `n`, the number of the person's standing, and `cuts`.

        An odd number removes the person. If the number in force is odd, `n` is that number.
        Otherwise `n` is the next number. The cuts say how far the person's logs count. The cuts are
        filled in so that everything in these logs still counts.
        """
        authority = thread.authority
        number = authority.holding(self.register).n
        next_odd = number + 1 if number % 2 == 0 else number
        self.n = self.n or next_odd
        self.cuts = self.cuts or register_change.cuts_at_heads(
            authority, self.person, thread.log_heads
        )

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author is no moderator, or if there are fewer than three moderators
        (R-16.7).

        Raises Refused also if the person to be removed was never let in, or if the author has asked
        for this removal already.
        """
        if not self.is_by_council(thread):
            raise Refused(
                "R-16.7",
                "three or more moderators remove together, and you are none of them; "
                "anybody can propose it: `meshcoop post proposal --change remove PERSON`",
            )
        if self.person not in thread.authority.people:
            raise Refused("R-16.7", "only somebody who was let in can be removed")
        if self.is_posted(thread):
            raise AlreadySo(
                "R-16.7", "you have asked for this already; the other moderators decide"
            )

    def further_values(self, authority: Authority, clock: LocalClock) -> Asked:
        """Returns the moderators who ask for this removal."""
        del clock
        return {"asked_by": self.people_who_ask(authority)}

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """In the state "said", the record waits for the other moderators to ask for the same
        removal.
        """
        del thread
        if self.state == self.State.STATED:
            # Each moderator posts a `remove` of their own, which begins a thread and is about no
            # record. So the moderators are asked about this `remove` itself.
            yield Awaited(Crowd.MODERATORS, REMOVE, self.id)


def _has_words_beside(view_type: type[Kind]) -> bool:
    return any(field.beside for field in view_type.record_fields.values())


@kind("words", about=_has_words_beside, posted=False)
class WordsBeside(Kind):
    """Free words about a record. Nobody can erase the record. The author can erase the words."""

    State = NoStates
    wording = Words("Words", happened="{who} added words to it")
    example = {"title": "Shall we plant a pear tree?"}
    stands_alone = True

    title: str | None = Text(max=120)
    text: str | None = Text(max=2000)
    why: str | None = Text(max=500)
    reason: str | None = Text(max=500)

    def fold_entry(self, thread: Thread) -> None:
        """Adds these words to the view of the record that they are about (R-16.1).

        Raises Refused if the words are not by the author of that record, or if that record has
        words already.
        """
        target = thread.target(self)
        view = thread.views.get(target.id)
        if self.author not in {target.person, target.by} or view is None:
            raise Refused("R-16.1", "the words of a record are its author's")
        if thread.is_marked(target.id, Mark.WORDED):
            raise Refused("R-16.1", "it has its words already")
        thread.mark(target.id, Mark.WORDED, self)
        given = thread.entries[self.id].fields
        vars(view).update({name: given[name] for name in self.record_fields if name in given})


def check_renewal(authority: Authority, person: bytes, renewal: bytes) -> None:
    """Raises Refused if the software of `person` should not say yes to a renewal (R-16.5)."""
    ballot = authority.renewals.get(renewal)
    if ballot is None or ballot.term is None:
        raise Refused("R-16.5", "a part of this renewal is not here yet; try again later")
    # A person can post many renewals, and software checks each. So this looks only at the few
    # renewals that `person` has agreed to.
    agreed = authority.agreed_renewals.get(person, ())
    rivals = [authority.renewals[rival_id] for rival_id in agreed if rival_id != renewal]
    _check_rivals(ballot, rivals, person)
    if ballot.parent != authority.term.id:
        raise Refused("R-16.5", "it renews a term that is over")
    for register, holding in authority.registers.items():
        if ballot.term.holding(register).n < holding.n:
            raise Refused("R-16.5", "it leaves out something that was decided; renew again")


def _check_rivals(ballot: Ballot, rivals: list[Ballot], person: bytes) -> None:
    """Raises Refused if a person has agreed to a rival of the renewal `ballot` (R-16.5).

    A rival is another renewal of the term that `ballot` renews. `rivals` can also have renewals of
    other terms. The person agreed to the rival if
    they accepted it, or if it has the same round as `ballot` and they said yes to it.
    """
    for rival in rivals:
        if rival.parent != ballot.parent:
            continue
        if person in rival.accepted:
            raise Refused("R-16.5", "you have accepted another renewal of this term")
        if person in rival.yes and rival.round == ballot.round:
            raise Refused("R-16.5", "you have said yes to another renewal in this round")


def _read_rule(change: list[Any]) -> list[Any]:
    """Turns the typed value in a change of a rule into a value of the right type.

    People type every value as text. The charter's field for this rule turns the text into a number
    if the rule is a number.
    """
    what, key, n, value = change
    rule = CHARTER_RULES.get(key) if what == RULE else None
    if rule is None or n is not None:
        return change
    return [what, key, n, rule.read(key, value, _resolve_nobody)]


def _resolve_nobody(what: str, typed: str) -> bytes:
    raise Refused("R-16.2", "no {what} {typed} can be named here", what=what, typed=typed)
