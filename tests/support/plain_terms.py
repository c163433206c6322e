"""Computes devices and terms a second time, from the text of specs/03 alone. The class `Plain` in
another module is a subclass of the class here.
"""

from functools import cached_property
from typing import NamedTuple

from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record import root_statement as statement


class PlainTerm(NamedTuple):
    id: bytes
    parent: bytes | None
    round: int
    since: int
    roll: frozenset
    moderators: frozenset
    vouchers: int
    share: int
    written: dict  # (what, key) → (n, value)


class PlainTerms:
    def __init__(self, charter, acts, forks, nobodys=()):
        """`nobodys` are pairs of a device and a person to whom it belongs no more (R-03.35c)."""
        self.charter = charter
        self.forks = forks
        self.nobodys = nobodys
        self.acts = sorted(
            {act.id: act for act in acts}.values(), key=lambda act: (act.time, act.id)
        )

    def of(self, *kinds):
        """Returns the records of these kinds, sorted by (time, id)."""
        return [act for act in self.acts if act.kind in kinds]

    def rule_at_first(self, name):
        given = self.charter.fields.get(name)
        return KINDS["charter"].fields[name].default if given is None else given

    # Devices

    @cached_property
    def statements(self):
        said = [(statement.FOUNDING_PLACE, one) for one in self.charter.fields["founders"]]
        here = self.charter.id[: statement.PLACE_SIZE]
        said += [(here, act.fields["statement"]) for act in self.of("admit", "device")]
        return [one for place, raw in said for one in read(raw) if one.place == place]

    @cached_property
    def leaves(self):
        """The statements in which people say that they leave (R-03.35)."""
        return [one for one in self.statements if isinstance(one, statement.Leave)]

    @cached_property
    def certified(self):
        """The pairs of a device and a person for whom it is certified."""
        said = [one for one in self.statements if isinstance(one, statement.Certificate)]
        return list(dict.fromkeys((one.device, one.person) for one in said))

    @cached_property
    def pairs(self):
        return [pair for pair in self.certified if pair not in self.nobodys]

    @cached_property
    def owner(self):
        """Maps each certified device to the person of its first certificate."""
        owner = {}
        for device, person in self.pairs:
            owner.setdefault(device, person)
        return owner

    @cached_property
    def people_of(self):
        """Maps each certified device to the people for whom it is certified."""
        people = {}
        for device, person in self.pairs:
            people.setdefault(device, set()).add(person)
        return people

    def signers(self, act):
        """Returns the people for whom the device of a record is certified."""
        return self.people_of.get(act.device, set())

    @cached_property
    def end(self):
        """Maps each revoked device to the number of its last record that counts."""
        devices = [device for device, _ in self.certified]
        end = {device: 0 for device in devices if devices.count(device) > 1}  # R-03.5e
        for one in self.statements:
            if isinstance(one, statement.Revocation) and (one.device, one.person) in self.certified:
                end[one.device] = min(one.after, end.get(one.device, one.after))
        return end

    @cached_property
    def devices(self):
        """The devices that count. These are all revoked devices, and for each person the first four
        devices that are not revoked.
        """
        devices = []
        for device, person in self.owner.items():
            earlier = [one for one in devices if self.owner[one] == person]
            live = [one for one in earlier if one not in self.end]
            if device in self.end or len(live) < 4:
                devices.append(device)
        return devices

    def not_revoked(self, act):
        return act.device not in self.end or act.seq <= self.end[act.device]

    def not_forked(self, act):
        return act.device not in self.forks or act.seq < self.forks[act.device]

    # Terms

    @cached_property
    def terms(self):
        founders = {
            one.person
            for raw in self.charter.fields["founders"]
            for one in read(raw)
            if isinstance(one, statement.Certificate) and one.place == statement.FOUNDING_PLACE
        }
        first = PlainTerm(
            self.charter.id,
            None,
            0,
            self.charter.time,
            frozenset(founders),
            frozenset(self.charter.fields.get("moderators") or founders),
            self.rule_at_first("vouchers"),
            self.rule_at_first("share"),
            {},
        )
        terms = {first.id: first}
        for _ in self.of("renewal"):  # a pass for each renewal: no line of terms is longer
            for act in self.of("renewal"):
                parent = terms.get(act.fields["parent"])
                term = parent and self.whole(act, parent)
                if term and 2 * len(self.agreed(act) & parent.roll) > len(parent.roll):
                    terms[term.id] = term
        return terms

    def whole(self, renewal, parent):
        """Returns the term that a renewal and its `part` records write down. If one of these `part`
        records is missing, returns None.
        """
        parts = []
        for digest in renewal.fields.get("parts") or []:
            here = [act for act in self.of("part") if act.digest == digest]
            if not here:
                return None
            parts.append(here[0])
        lists = [act.fields for act in (renewal, *parts)]
        joining = {one for some in lists for one in some.get("joining") or []}
        leaving = {one for some in lists for one in some.get("leaving") or []}
        roll = (parent.roll | joining) - leaving
        if not roll:
            return None
        written = {}
        for what, key, n, value in [one for some in lists for one in some.get("holds") or []]:
            if (what, key) not in written:
                written[what, key] = (n, value)
        said = renewal.fields
        moderators = frozenset(said["moderators"])
        return PlainTerm(
            renewal.id,
            parent.id,
            said["round"],
            renewal.time,
            roll,
            moderators,
            said["vouchers"],
            said["share"],
            written,
        )

    def who_says(self, target, choice):
        """Returns the people who voted for this choice with a certified device.

        If a revocation ends the device before the vote, the vote counts only if it is about a
        renewal.
        """
        return {
            person
            for act in self.of("vote")
            if act.about == target.id
            and act.fields["choice"] == choice
            and (target.kind == "renewal" or self.not_revoked(act))
            for person in self.signers(act)
        }

    def agreed(self, renewal):
        """Returns the people who said yes to a renewal or accepted it itself (R-03.22h)."""
        accepts = [act for act in self.of("accept") if act.about == renewal.id]
        return self.who_says(renewal, "yes").union(*map(self.signers, accepts))

    def accepted_by(self, renewal):
        """Returns the people who accepted the renewal or a term built on it."""
        people = set()
        for act in self.of("accept"):
            about = act.about
            while about != renewal and about in self.terms:
                about = self.terms[about].parent
            if about == renewal:
                people |= self.signers(act)
        return people

    def accepted(self, term):
        """Returns the people on the roll of the term's parent who accepted the term or a later term
        built on it.
        """
        return self.accepted_by(term.id) & self.terms[term.parent].roll

    def children(self, term):
        return [one for one in self.terms.values() if one.parent == term.id]

    def accepted_alone(self, term):
        """Returns the people who accepted the term, but none of the terms with the same parent."""
        people = self.accepted(term)
        for sibling in self.children(self.terms[term.parent]):
            if sibling.id != term.id:
                people = people - self.accepted(sibling)
        return people

    @cached_property
    def chain(self):
        line = [self.terms[self.charter.id]]
        while rivals := self.children(line[-1]):
            most = max(len(self.accepted_alone(one)) for one in rivals)
            rivals = [one for one in rivals if len(self.accepted_alone(one)) == most]
            latest = max(one.round for one in rivals)
            rivals = [one for one in rivals if one.round == latest]
            line.append(min(rivals, key=lambda one: one.id))
        return line

    @cached_property
    def term(self):
        return self.chain[-1]

    @cached_property
    def settled(self):
        return all(
            3 * len(self.accepted_alone(one)) >= 2 * len(self.terms[one.parent].roll)
            for one in self.chain[1:]
        )

    # Settled cuts

    def removed_by(self, terms):
        """Returns (person, number, cuts) for each removal that these terms write down."""
        return [
            (key, n, dict(value))
            for term in terms
            for (what, key), (n, value) in term.written.items()
            if what == "standing" and n % 2 == 1
        ]

    @cached_property
    def settled_terms(self):
        """The terms that are settled also without everybody whom one of them removes."""
        for length in range(len(self.chain), 1, -1):
            terms = self.chain[:length]
            removed = {person for person, _, _ in self.removed_by(terms)}
            if all(self.is_settled_without(removed, term) for term in terms[1:]):
                return terms
        return []

    def is_settled_without(self, removed, term):
        roll = self.terms[term.parent].roll
        renewal = next(act for act in self.of("renewal") if act.id == term.id)
        yes = (self.who_says(renewal, "yes") & roll) - removed
        accepted = self.accepted_alone(term) - removed
        return 2 * len(yes) > len(roll) and 3 * len(accepted) >= 2 * len(roll)

    @cached_property
    def settled_cuts(self):
        """Maps each person that settled terms removed to the lowest of their cuts."""
        lowest = {}
        for person, _, cuts in self.removed_by(self.settled_terms):
            known = lowest.setdefault(person, {})
            for device, last in cuts.items():
                known[device] = min(last, known.get(device, last))
        return lowest

    @cached_property
    def ends(self):
        """Maps each device that a settled cut names to the first number beyond the cut."""
        return {
            device: last + 1 for cuts in self.settled_cuts.values() for device, last in cuts.items()
        }

    @cached_property
    def out_by_settled(self):
        """Maps the people whom the newest settled term has as removed to the number of that."""
        return {person: n for person, n, _ in self.removed_by(self.settled_terms[-1:])}


def read(raw):
    """Returns a list with the statement in `raw`. If `raw` is no statement, returns an empty
    list.
    """
    try:
        return [statement.read_statement(raw)]
    except Refused:
        return []
