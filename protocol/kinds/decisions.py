"""Kinds with which people decide (specs/16-decisions.md): open, keys and numbers only.

What they change is folded by `protocol.authority`; here are the views that people see of it. Free
words go in a record beside (`words`), which can be taken back without touching what was decided.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from protocol.authority import register_change as changes
from protocol.authority import registers, terms
from protocol.authority.register_change import Change, Cuts
from protocol.authority.terms import RULE, STANDING
from protocol.errors import Refused
from protocol.fold.kind import KINDS, Kind, kind
from protocol.fold.thread import Entry, Thread
from protocol.record.envelope import OPEN
from protocol.schema.fields import Bytes, Choice, Integer, Many, Moment, Person, Text

if TYPE_CHECKING:
    from protocol.authority.authority import Authority

MOST = 64  # people or registers in one record


@kind("proposal", audience=OPEN, relied_on=True, plural="decisions")
class Proposal(Kind):
    """A question to all; with a change, an answer that holds everywhere once it has passed."""

    judged = True
    states = ("open", "passed", "failed")
    ends = ("closes", "failed")
    title = Text(required=True, min=1, max=120, beside=True)
    text = Text(max=2000, beside=True)
    change = Change(help="what it changes; nothing if left out")
    newcomers = Many(of=Person(), max=MOST, filled=True, help="members who are not on the roll yet")
    closes = Moment(help="after this software votes no more")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The register's next number, and the newcomers who vote beside the roll (R-03.26)."""
        del today
        known, fields = thread.authority, dict(entry.fields)
        late = sorted(set(known.members) - known.term.roll)
        fields.setdefault("newcomers", late[:MOST])
        if fields.get("change") is not None:
            change = _readable(fields["change"])
            fields["change"] = changes.numbered(change, known, thread.heads)
        return fields

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-16.2: software proposes only what could hold."""
        what, key, n, value = entry.fields.get("change") or (None, None, 0, None)
        if what == STANDING and n % 2 and key not in thread.authority.members:
            raise Refused("R-16.2", "only a member can be removed")
        if what == RULE:
            declared = KINDS["charter"].fields
            if key in terms.BY_RENEWAL:
                raise Refused("R-16.2", f"{key} changes by renewal only: `meshcoop renew`")
            if key not in declared or key == "founders":
                raise Refused("R-16.2", f"the charter has no rule {key}")
            declared[key].check(key, value)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-16.3: passed as the current term judges, or as a term has written."""
        outcome = thread.authority.outcomes.get(entry.id)
        yes, no = (outcome.yes, outcome.no) if outcome else ((), ())
        passed = bool(outcome and outcome.passed) or _is_written(thread, entry)
        thread.make_view(
            entry,
            state="passed" if passed else "open",
            yes=len(yes),
            no=len(no),
            roll=len(thread.authority.term.roll),
        )


@kind("vote", about=("proposal", "renewal"), audience=OPEN, relied_on=True)
class Vote(Kind):
    """One person's answer. A yes stands."""

    judged = True
    choice = Choice(required=True, words=("yes", "no"))

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-16.4, R-16.5: software votes where it counts, and for one renewal a round."""
        known, target = thread.authority, thread.target_of(entry)
        closes = target.fields.get("closes")
        if closes and _moment(entry.time)[: len(closes)] > closes:
            raise Refused("R-16.4", f"voting closed on {closes}; it can be proposed again")
        listed = known.term.roll | set(target.fields.get("newcomers") or ())
        if entry.person not in listed:
            raise Refused(
                "R-16.4", "only the roll votes, and the newcomers whom the proposal names"
            )
        if entry.fields["choice"] == "yes" and target.kind == "renewal":
            check_renewal(known, entry.person, target.id)


@kind("renewal", audience=OPEN, relied_on=True, posted=False)
class Renewal(Kind):
    """Proposes the whole next term, with everything that holds written down."""

    judged = True
    states = ("open", "passed", "in force", "past")
    title = Text(max=120, beside=True)
    parent = Bytes(required=True, min=32, max=32, filled=True, help="the term it renews")
    round = Integer(required=True, min=1, filled=True, help="1 + the highest that its author saw")
    joining = Many(of=Person(), max=MOST, filled=True, help="people who join the roll")
    leaving = Many(of=Person(), max=MOST, help="people who leave the roll")
    moderators = Many(of=Person(), max=MOST, required=True, help="who may remove somebody")
    vouchers = Integer(required=True, min=1, max=16, help="members who vouch for a newcomer")
    share = Integer(required=True, min=50, max=99, help="percent that a decision exceeds")
    holds = Many(of=Change(), max=MOST, filled=True, help="registers at the term's start")
    parts = Many(of=Bytes(min=32, max=32), max=MOST, filled=True, help="what did not fit, by hash")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-16.6: where it stands among the terms."""
        known = thread.authority
        ballot = known.renewals.get(entry.id)
        chain = [one.id for one in known.chain.terms]
        state = "passed" if entry.id in known.terms else "open"
        if entry.id in chain:
            state = "in force" if entry.id == chain[-1] else "past"
        thread.make_view(
            entry,
            state=state,
            yes=len(ballot.yes) if ballot else 0,
            accepted=len(ballot.accepted) if ballot else 0,
            roll=ballot.roll if ballot else None,
        )

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """R-16.5: software accepts the renewal that is in force, by itself."""
        if entry.about not in {one.id for one in thread.authority.chain.terms}:
            raise Refused("R-16.5", "software accepts the renewal that is in force, by itself")


@kind("part", audience=OPEN, relied_on=True, posted=False)
class Part(Kind):
    """What a renewal had no room for, named there by the hash of this content."""

    judged = True
    joining = Many(of=Person(), max=MOST)
    leaving = Many(of=Person(), max=MOST)
    holds = Many(of=Change(), max=MOST)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Nothing: the renewal's term is folded by `protocol.terms`."""


@kind("remove", audience=OPEN, relied_on=True)
class Remove(Kind):
    """A moderator's word that somebody is out; a majority of three or more moderators removes."""

    judged = True
    states = ("said", "in force", "past")
    person = Person(required=True, help="who is to go")
    why = Text(max=500, beside=True, help="for the neighbourhood to read")
    n = Integer(required=True, min=1, max=changes.MOST_NUMBERS, filled=True)
    cuts = Cuts(required=True, filled=True, help="the last number of each device that counts")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The next odd number of that person's standing, and cuts that leave what was posted."""
        del today
        known, person = thread.authority, entry.fields.get("person")
        held = known.holding((STANDING, person or b""))
        filled = {"n": held.n + 1 - held.n % 2, "cuts": []}
        if person is not None:
            filled["cuts"] = changes.cuts(known, person, thread.heads)
        return filled | entry.fields

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-16.7: software lets moderators say so, of members."""
        term = thread.authority.term
        if entry.person not in term.moderators or len(term.moderators) < registers.COUNCIL:
            raise Refused(
                "R-16.7",
                "three or more moderators remove together, and you are none of them; "
                "anybody can propose it: `meshcoop post proposal --change remove PERSON`",
            )
        if entry.fields["person"] not in thread.authority.people:
            raise Refused("R-16.7", "only somebody who was let in can be removed")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-16.7: in force while that person's standing has this number."""
        held = thread.authority.holding((STANDING, entry.fields["person"]))
        n = entry.fields["n"]
        state = "in force" if n == held.n else "said" if n > held.n else "past"
        thread.make_view(entry, state=state)


@kind("words", about=("proposal", "renewal", "remove", "hide", "correction"), posted=False)
class Words(Kind):
    """The words of a record that stays, for the neighbourhood; they can be taken back."""

    stands_alone = True
    title = Text(max=120)
    text = Text(max=2000)
    why = Text(max=500)
    reason = Text(max=500)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-16.1: the author's own, the first of them."""
        target = thread.target_of(entry)
        view = thread.views.get(target.id)
        if entry.person not in {target.person, target.by} or view is None:
            raise Refused("R-16.1", "the words of a record are its author's")
        if "worded" in thread.marks[target.id]:
            raise Refused("R-16.1", "it has its words already")
        thread.marks[target.id].add("worded")
        view.update({name: one for name, one in entry.fields.items() if name in self.fields})


def _readable(change: list[Any]) -> list[Any]:
    """A rule's new value as its field has it: people and programs write numbers as text."""
    what, key, n, value = change
    rule = KINDS["charter"].fields.get(key) if what == RULE else None
    if rule is None or n is not None:
        return change
    return [what, key, n, rule.read(key, value, _nobody)]


def _nobody(what: str, typed: str) -> bytes:
    raise Refused("R-16.2", f"no {what} {typed} can be named here")


def _moment(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat()


def _is_written(thread: Thread, entry: Entry) -> bool:
    """Whether a term wrote down what this proposal asked for."""
    change = entry.fields.get("change")
    if change is None:
        return False
    which, new = terms.register(change)
    held = thread.authority.term.written.get(which)
    return held is not None and held.n == new.n and (which[0] == STANDING or held == new)


def check_renewal(known: "Authority", person: bytes, renewal: bytes) -> None:
    """R-16.5: what software says yes to. Raises Refused."""
    mine = known.renewals.get(renewal)
    if mine is None or mine.term is None:
        raise Refused("R-16.5", "a part of this renewal is not here yet; try again later")
    for other, ballot in known.renewals.items():
        if other == renewal or ballot.parent != mine.parent:
            continue
        if person in ballot.accepted:
            raise Refused("R-16.5", "you have accepted another renewal of this term")
        if person in ballot.yes and ballot.round == mine.round:
            raise Refused("R-16.5", "you have said yes to another renewal in this round")
    if mine.parent != known.term.id:
        raise Refused("R-16.5", "it renews a term that is over")
    for which, held in known.registers.items():
        if mine.term.held(which).n < held.n:
            raise Refused("R-16.5", "it leaves out something that was decided; renew again")
