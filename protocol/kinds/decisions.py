"""Kinds of records with which people decide (specs/16-decisions.md).

These records are open and contain only keys and numbers. `protocol.authority` works out what a
decision changes, and the code here makes the views that people see. Free words are in a record of
their own (`words`). Its author can retract the words without changing the decision.
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
    """Asks everybody a question. A change in it holds everywhere once enough people say yes."""

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
        """Raises Refused if the change could have no effect even after it passes (R-16.2)."""
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
        """Adds the proposal to the views, with its votes (R-16.3).

        It has passed if enough people said yes, or if the term in force wrote down its change.
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
    """One person's yes or no to a proposal or a renewal. A yes cannot be taken back."""

    judged_by_authority = True
    states = NO_VIEW
    choice = Choice(required=True, words=("yes", "no"))

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the vote would not count (R-16.4).

        A yes to a renewal must also pass `check_renewal` (R-16.5).
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
    """Proposes the next term: its roll, moderators and rules, and everything else that holds."""

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
        """Adds the renewal to the views, with the number of yes votes and accepts (R-16.6)."""
        ballot = thread.authority.renewals.get(entry.id)
        thread.make_view(
            entry,
            state=_renewal_state(thread.authority, entry.id),
            yes=len(ballot.yes) if ballot else 0,
            accepted=len(ballot.accepted) if ballot else 0,
            roll=ballot.roll if ballot else None,
        )

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the renewal is in force, or was in force before (R-16.5)."""
        if entry.about not in {term.id for term in thread.authority.chain.terms}:
            raise Refused("R-16.5", "software accepts the renewal that is in force, by itself")


@kind("part", audience=OPEN, lasting=True, posted=False)
class Part(Kind):
    """What did not fit into a renewal. The renewal names this content by its hash."""

    judged_by_authority = True
    states = NO_VIEW
    joining = Many(of=Person(), max=MOST_LISTED)
    leaving = Many(of=Person(), max=MOST_LISTED)
    holds = Many(of=RegisterChange(), max=MOST_LISTED)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Does nothing, because `protocol.authority` folds a renewal together with its parts."""


@kind("remove", audience=OPEN, lasting=True)
class Remove(Kind):
    """A moderator asks to remove a person. A majority of at least three moderators removes them."""

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
        """Fills in `n`, the number of the person's standing, and `cuts`.

        An odd number removes the person. If the number in force is odd, it is used. Otherwise the
        next number is used. The cuts say how far the person's logs count: here, up to their end.
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

        Raises Refused also if the person to be removed was never let in.
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
        """Adds the removal to the views (R-16.7).

        It is in force while the person's standing has the number `n`.
        """
        holding = thread.authority.holding((STANDING, entry.fields["person"]))
        thread.make_view(entry, state=register_state(entry.fields["n"], holding))


@kind("words", about=("proposal", "renewal", "remove", "hide", "correction"), posted=False)
class Words(Kind):
    """Free words beside a record that nobody can erase. Their author can erase the words."""

    states = NO_VIEW
    stands_alone = True
    title = Text(max=120)
    text = Text(max=2000)
    why = Text(max=500)
    reason = Text(max=500)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds these words to the view of the record that they are about (R-16.1).

        Raises Refused if they are not by the author of that record, or if that record has words
        already.
        """
        target = thread.target_of(entry)
        view = thread.views.get(target.id)
        if entry.person not in {target.person, target.by} or view is None:
            raise Refused("R-16.1", "the words of a record are its author's")
        if "worded" in thread.marks[target.id]:
            raise Refused("R-16.1", "it has its words already")
        thread.marks[target.id].add("worded")
        view.update({name: words for name, words in entry.fields.items() if name in self.fields})


def register_state(number: int, holding: Holding) -> str:
    """Returns the state of a `remove` or `hide` that would give a register the number `number`.

    `holding` is the number and the value that the register has now.
    """
    if number == holding.n:
        return "in force"
    return "said" if number > holding.n else "past"


def check_renewal(authority: Authority, person: bytes, renewal: bytes) -> None:
    """Raises Refused if the software of `person` should not say yes to a renewal (R-16.5)."""
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
    """Raises Refused if a person has agreed to a rival of the renewal `ballot` (R-16.5).

    A rival is another renewal of the same term. The person agreed if they accepted the rival, or if
    they said yes to it in the same round.
    """
    for rival in rivals:
        if person in rival.accepted:
            raise Refused("R-16.5", "you have accepted another renewal of this term")
        if person in rival.yes and rival.round == ballot.round:
            raise Refused("R-16.5", "you have said yes to another renewal in this round")


def _read_rule(change: list[Any]) -> list[Any]:
    """Turns the typed value in a change of a rule into a value of the right type.

    People type a number as text. The field of the charter with this rule turns it into a number.
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
    # For a person's standing only the number counts: moderators may have moved the cuts since.
    return register[0] == STANDING or holding == new


def _renewal_state(authority: Authority, renewal: bytes) -> str:
    """Returns the state of a renewal. It depends on the chain of terms (R-16.6)."""
    chain = [term.id for term in authority.chain.terms]
    if renewal in chain:
        return "in force" if renewal == chain[-1] else "past"
    return "passed" if renewal in authority.terms else "open"
