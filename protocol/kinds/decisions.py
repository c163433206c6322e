"""Kinds with which people decide (specs/16-decisions.md): open, with keys and numbers only.

`protocol.authority` folds what they change. These kinds make the views that people see of it. Free
words go into a record of their own (`words`). It can be retracted without touching the decision.
"""

from datetime import UTC, datetime
from typing import Any

from protocol.authority import register_change, terms
from protocol.authority.authority import Authority
from protocol.authority.register_change import LogCuts, RegisterChange
from protocol.authority.terms import Ballot, Holding
from protocol.errors import Refused
from protocol.fold.kind import KINDS, NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread
from protocol.record.envelope import OPEN
from protocol.schema.fields import Bytes, Choice, Integer, Many, Moment, Person, Text
from protocol.schema.majority import MIN_COUNCIL
from protocol.schema.register_names import BY_RENEWAL, RULE, STANDING

MOST_LISTED = 64  # people or registers in one record


@kind("proposal", audience=OPEN, lasting=True, plural="decisions")
class Proposal(Kind):
    """A question to all; with a change, an answer that holds everywhere once it has passed."""

    judged_by_authority = True
    states = States(
        {
            "open": "Too few have said yes.",
            "passed": "Enough have said yes (`vote`), or the term in force wrote it down (`renewal`).",
            "failed": "By the clock: it is open, and `closes` is past.",
        }
    )
    deadline = ("closes", "failed")
    title = Text(required=True, min=1, max=120, beside=True)
    text = Text(max=2000, beside=True)
    change = RegisterChange(help="what it changes; nothing if left out")
    newcomers = Many(
        of=Person(), max=MOST_LISTED, filled=True, help="members who are not on the roll yet"
    )
    closes = Moment(help="after this software votes no more")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the register's next number, and the newcomers who may vote too (R-03.26)."""
        del today
        authority = thread.authority
        fields = dict(entry.fields)
        newcomers = sorted(set(authority.members) - authority.term.roll)
        fields.setdefault("newcomers", newcomers[:MOST_LISTED])
        if fields.get("change") is not None:
            change = _read_rule(fields["change"])
            fields["change"] = register_change.number_change(change, authority, thread.log_heads)
        return fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the change could not hold even if it passed (R-16.2)."""
        what, key, n, value = entry.fields.get("change") or (None, None, 0, None)
        if what == STANDING and n % 2 and key not in thread.authority.members:
            raise Refused("R-16.2", "only a member can be removed")
        if what == RULE:
            rules = KINDS["charter"].fields
            if key in BY_RENEWAL:
                raise Refused("R-16.2", f"{key} changes by renewal only: `meshcoop renew`")
            if key not in rules or key == "founders":
                raise Refused("R-16.2", f"the charter has no rule {key}")
            rules[key].check(key, value)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Shows the proposal, and whether it has passed (R-16.3).

        It has passed if the current term judges so, or if a term has written down its change.
        """
        outcome = thread.authority.outcomes.get(entry.id)
        has_passed = outcome is not None and outcome.passed
        thread.make_view(
            entry,
            state="passed" if has_passed or _is_written(thread, entry) else "open",
            yes=len(outcome.yes) if outcome else 0,
            no=len(outcome.no) if outcome else 0,
            roll=len(thread.authority.term.roll),
        )


@kind("vote", about=("proposal", "renewal"), audience=OPEN, lasting=True)
class Vote(Kind):
    """One person's answer. A yes stands."""

    judged_by_authority = True
    states = NO_VIEW
    choice = Choice(required=True, words=("yes", "no"))

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the vote would not count (R-16.4).

        For a yes to a renewal, `check_renewal` may raise Refused too (R-16.5).
        """
        authority = thread.authority
        target = thread.target_of(entry)
        closes = target.fields.get("closes")
        if closes and _moment(entry.time)[: len(closes)] > closes:
            raise Refused("R-16.4", f"voting closed on {closes}; it can be proposed again")
        voters = authority.term.roll | set(target.fields.get("newcomers") or ())
        if entry.person not in voters:
            raise Refused(
                "R-16.4", "only the roll votes, and the newcomers that the proposal names"
            )
        if entry.fields["choice"] == "yes" and target.kind == "renewal":
            check_renewal(authority, entry.person, target.id)


@kind("renewal", audience=OPEN, lasting=True, posted=False)
class Renewal(Kind):
    """Proposes the whole next term, with everything that holds written down."""

    judged_by_authority = True
    states = States(
        {
            "open": "Too few of the roll that it renews have said yes.",
            "passed": "Enough of that roll have said yes (`vote`), but another term holds.",
            "in force": "Its term is the one that holds (`vote`, `accept`).",
            "past": "Its term held, and a later one followed (`renewal`).",
        }
    )
    title = Text(max=120, beside=True)
    parent = Bytes(required=True, min=32, max=32, filled=True, help="the term it renews")
    round = Integer(required=True, min=1, filled=True, help="1 + the highest that its author saw")
    joining = Many(of=Person(), max=MOST_LISTED, filled=True, help="people who join the roll")
    leaving = Many(of=Person(), max=MOST_LISTED, help="people who leave the roll")
    moderators = Many(of=Person(), max=MOST_LISTED, required=True, help="who may remove somebody")
    vouchers = Integer(required=True, min=1, max=16, help="members who vouch for a newcomer")
    share = Integer(required=True, min=50, max=99, help="percent that a decision exceeds")
    holds = Many(
        of=RegisterChange(), max=MOST_LISTED, filled=True, help="registers at the term's start"
    )
    parts = Many(
        of=Bytes(min=32, max=32), max=MOST_LISTED, filled=True, help="what did not fit, by hash"
    )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Shows the renewal's place among the terms, and how many voted and accepted (R-16.6)."""
        ballot = thread.authority.renewals.get(entry.id)
        thread.make_view(
            entry,
            state=_renewal_state(thread.authority, entry.id),
            yes=len(ballot.yes) if ballot else 0,
            accepted=len(ballot.accepted) if ballot else 0,
            roll=ballot.roll if ballot else None,
        )

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the renewal is part of the chain of terms (R-16.5)."""
        if entry.about not in {term.id for term in thread.authority.chain.terms}:
            raise Refused("R-16.5", "software accepts the renewal that is in force, by itself")


@kind("part", audience=OPEN, lasting=True, posted=False)
class Part(Kind):
    """The part of a renewal that had no room in it, named there by the hash of this content."""

    judged_by_authority = True
    states = NO_VIEW
    joining = Many(of=Person(), max=MOST_LISTED)
    leaving = Many(of=Person(), max=MOST_LISTED)
    holds = Many(of=RegisterChange(), max=MOST_LISTED)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Does nothing: `protocol.authority` folds the term of the renewal, with its parts."""


@kind("remove", audience=OPEN, lasting=True)
class Remove(Kind):
    """A moderator's word that somebody is out; a majority of three or more moderators removes."""

    judged_by_authority = True
    states = States(
        {
            "said": "The person's standing has a number lower than `n`.",
            "in force": "The person's standing has the number `n` (`remove`, `proposal`).",
            "past": "The person's standing has a number higher than `n` (`remove`, `proposal`).",
        }
    )
    person = Person(required=True, help="who is to go")
    why = Text(max=500, beside=True, help="for the neighbourhood to read")
    n = Integer(required=True, min=1, max=register_change.MAX_NUMBER, filled=True)
    cuts = LogCuts(required=True, filled=True, help="the last number of each device that counts")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the number and the cuts.

        If the number of the person's standing is odd, it is kept. Otherwise the next number is
        taken. The cuts keep everything that the person posted.
        """
        del today
        authority = thread.authority
        person = entry.fields.get("person")
        number = authority.holding((STANDING, person or b"")).n
        next_odd = number + 1 if number % 2 == 0 else number
        cuts = (
            register_change.cuts_at_heads(authority, person, thread.log_heads)
            if person is not None
            else []
        )
        return {"n": next_odd, "cuts": cuts} | entry.fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the author is one of three or more moderators (R-16.7).

        The person must be somebody who was let in.
        """
        term = thread.authority.term
        if entry.person not in term.moderators or len(term.moderators) < MIN_COUNCIL:
            raise Refused(
                "R-16.7",
                "three or more moderators remove together, and you are none of them; "
                "anybody can propose it: `meshcoop post proposal --change remove PERSON`",
            )
        if entry.fields["person"] not in thread.authority.people:
            raise Refused("R-16.7", "only somebody who was let in can be removed")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Shows the removal. It is in force while the person's standing has its number (R-16.7)."""
        holding = thread.authority.holding((STANDING, entry.fields["person"]))
        thread.make_view(entry, state=register_state(entry.fields["n"], holding))


@kind("words", about=("proposal", "renewal", "remove", "hide", "correction"), posted=False)
class Words(Kind):
    """The words of a record that stays, for the neighbourhood; they can be taken back."""

    states = NO_VIEW
    stands_alone = True
    title = Text(max=120)
    text = Text(max=2000)
    why = Text(max=500)
    reason = Text(max=500)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Shows the author's first words with the record that they are about (R-16.1)."""
        target = thread.target_of(entry)
        view = thread.views.get(target.id)
        if entry.person not in {target.person, target.by} or view is None:
            raise Refused("R-16.1", "the words of a record are its author's")
        if "worded" in thread.marks[target.id]:
            raise Refused("R-16.1", "it has its words already")
        thread.marks[target.id].add("worded")
        view.update({name: words for name, words in entry.fields.items() if name in self.fields})


def register_state(number: int, holding: Holding) -> str:
    """Returns the state of a moderator's `remove` or `hide` that gives a register this number."""
    if number == holding.n:
        return "in force"
    return "said" if number > holding.n else "past"


def check_renewal(authority: Authority, person: bytes, renewal: bytes) -> None:
    """Raises Refused if a person's software should not say yes to a renewal (R-16.5)."""
    ballot = authority.renewals.get(renewal)
    if ballot is None or ballot.term is None:
        raise Refused("R-16.5", "a part of this renewal is not here yet; try again later")
    rivals = [
        rival
        for rival_id, rival in authority.renewals.items()
        if rival_id != renewal and rival.parent == ballot.parent
    ]
    _check_rivals(ballot, rivals, person)
    if ballot.parent != authority.term.id:
        raise Refused("R-16.5", "it renews a term that is over")
    for register, holding in authority.registers.items():
        if ballot.term.holding(register).n < holding.n:
            raise Refused("R-16.5", "it leaves out something that was decided; renew again")


def _check_rivals(ballot: Ballot, rivals: list[Ballot], person: bytes) -> None:
    """Raises Refused if the person has accepted a rival, or said yes to one in
    this round (R-16.5).
    """
    for rival in rivals:
        if person in rival.accepted:
            raise Refused("R-16.5", "you have accepted another renewal of this term")
        if person in rival.yes and rival.round == ballot.round:
            raise Refused("R-16.5", "you have said yes to another renewal in this round")


def _read_rule(change: list[Any]) -> list[Any]:
    """Reads the value in a change of a rule by that rule's field.

    People type numbers as text, so the field turns the text into a number.
    """
    what, key, n, value = change
    rule = KINDS["charter"].fields.get(key) if what == RULE else None
    if rule is None or n is not None:
        return change
    return [what, key, n, rule.read(key, value, _resolve_nobody)]


def _resolve_nobody(what: str, typed: str) -> bytes:
    raise Refused("R-16.2", f"no {what} {typed} can be named here")


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat()


def _is_written(thread: Thread, entry: Entry) -> bool:
    """Returns True if the term in force has written down the change of this proposal."""
    change = entry.fields.get("change")
    if change is None:
        return False
    register, new = terms.read_holding(change)
    holding = thread.authority.term.written.get(register)
    if holding is None or holding.n != new.n:
        return False
    # For a standing only the number matters: moderators may have moved the cuts since.
    return register[0] == STANDING or holding == new


def _renewal_state(authority: Authority, renewal: bytes) -> str:
    """Returns the state of a renewal, by its place among the terms (R-16.6)."""
    chain = [term.id for term in authority.chain.terms]
    if renewal in chain:
        return "in force" if renewal == chain[-1] else "past"
    return "passed" if renewal in authority.terms else "open"
