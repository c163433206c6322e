"""Authority once more, from the text of specs/03 alone and in the plainest way: sets and loops.

Nothing is indexed and nothing is clever, so that it can be read beside the rules. `protocol` lends
what authority is not about: statements are read and fields checked as everywhere.
"""

from functools import cached_property
from itertools import chain
from typing import NamedTuple

from protocol import statement
from protocol.errors import Refused
from protocol.schema import KINDS

MONTH = 2_592_000_000
BY_RENEWAL = {"founders", "moderators", "vouchers", "share"}


class PlainTerm(NamedTuple):
    id: bytes
    parent: bytes | None
    round: int
    roll: frozenset
    moderators: frozenset
    vouchers: int
    share: int
    written: dict  # (what, key) → (n, value)


class Plain:
    def __init__(self, charter, acts, forks):
        self.charter = charter
        self.forks = forks
        self.acts = sorted({act.id: act for act in acts}.values(), key=lambda act: (act.time, act.id))

    def of(self, *kinds):
        """In order of (time, id)."""
        return [act for act in self.acts if act.kind in kinds]

    def rule_at_first(self, name):
        given = self.charter.fields.get(name)
        return KINDS["charter"].fields[name].default if given is None else given

    # Devices

    @cached_property
    def statements(self):
        said = [(statement.FOUNDING, one) for one in self.charter.fields["founders"]]
        here = self.charter.id[: statement.PLACE]
        said += [(here, act.fields["statement"]) for act in self.of("admit", "device")]
        return [one for place, raw in said for one in read(raw) if one.place == place]

    @cached_property
    def owner(self):
        """Of each certified device."""
        owner = {}
        for one in self.statements:
            if isinstance(one, statement.Certified) and one.device not in owner:
                owner[one.device] = one.person
        return owner

    @cached_property
    def end(self):
        """Of each revoked device, the last number that counts."""
        end = {}
        for one in self.statements:
            if isinstance(one, statement.Revoked) and self.owner.get(one.device) == one.person:
                end[one.device] = min(one.after, end.get(one.device, one.after))
        return end

    @cached_property
    def devices(self):
        """Those that count: the first four live ones, and the revoked before these are full."""
        devices = []
        for device, person in self.owner.items():
            earlier = [one for one in devices if self.owner[one] == person]
            if len([one for one in earlier if one not in self.end]) < 4:
                devices.append(device)
        return devices

    def not_revoked(self, act):
        return act.device not in self.end or act.seq <= self.end[act.device]

    def not_forked(self, act):
        return act.device not in self.forks or act.seq < self.forks[act.device]

    def not_cut(self, act):
        cuts = self.cuts.get(self.owner[act.device])
        return cuts is None or act.seq <= cuts.get(act.device, 0)

    # Terms

    @cached_property
    def terms(self):
        founders = {
            one.person
            for raw in self.charter.fields["founders"]
            for one in read(raw)
            if isinstance(one, statement.Certified) and one.place == statement.FOUNDING
        }
        first = PlainTerm(
            self.charter.id,
            None,
            0,
            frozenset(founders),
            frozenset(self.charter.fields.get("moderators") or founders),
            self.rule_at_first("vouchers"),
            self.rule_at_first("share"),
            {},
        )
        terms = {first.id: first}
        for _ in self.of("renewal"):  # no line of terms is longer than this
            for act in self.of("renewal"):
                parent = terms.get(act.fields["parent"])
                term = parent and self.whole(act, parent)
                if term and 2 * len(self.who_says(act, "yes") & parent.roll) > len(parent.roll):
                    terms[term.id] = term
        return terms

    def whole(self, renewal, parent):
        """The term that a renewal and its parts write down; None while one is missing."""
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
            roll,
            moderators,
            said["vouchers"],
            said["share"],
            written,
        )

    def who_says(self, target, choice):
        """People by any certified device; a yes to a renewal stands beyond a revocation."""
        return {
            self.owner[act.device]
            for act in self.of("vote")
            if act.parents[0] == target.id
            and act.fields["choice"] == choice
            and act.device in self.owner
            and (target.kind == "renewal" or self.not_revoked(act))
        }

    def accepted(self, term):
        """Who of the parent's roll accepted it, or a term built on it."""
        people = set()
        for act in self.of("accept"):
            about = self.terms.get(act.parents[0])
            while about and about.id != term.id:
                about = self.terms.get(about.parent)
            if about and act.device in self.owner:
                people.add(self.owner[act.device])
        return people & self.terms[term.parent].roll

    def children(self, term):
        return [one for one in self.terms.values() if one.parent == term.id]

    def accepted_alone(self, term):
        """Without those who accepted a sibling too."""
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

    # Registers

    def passed(self, proposal):
        yes = self.who_says(proposal, "yes")
        roll = self.term.roll
        both = roll | set(proposal.fields.get("newcomers") or [])
        return all(100 * len(yes & some) > self.term.share * len(some) for some in (roll, both))

    @cached_property
    def registers(self):
        """(what, key) → (n, value), of all that was ever changed."""
        registers = {}
        for register, (n, value) in self.term.written.items():
            if may_hold(register, value):
                registers[register] = (n, value)
        for register in set(self.asked):
            start, _ = self.term.written.get(register, (0, None))
            passed = [one for one in self.asked[register] if one[0] > start]
            if register[0] == "standing":
                passed += [one for one in self.removals(register[1], passed) if one[0] > start]
            if passed:
                highest = max(n for n, _, _ in passed)
                n, _, value = min(
                    [one for one in passed if one[0] == highest], key=lambda one: one[1]
                )
                registers[register] = (n, value)
        return registers

    @cached_property
    def asked(self):
        """Changes that passed, and for removals, empty lists of these: register → (n, id, value)."""
        asked = {}
        for act in self.of("remove"):
            asked["standing", act.fields["person"]] = []
        for act in self.of("proposal"):
            if act.fields.get("change"):
                what, key, n, value = act.fields["change"]
                if self.passed(act) and may_hold((what, key), value):
                    asked.setdefault((what, key), []).append((n, act.id, value))
        return asked

    def removals(self, person, decided):
        """The council's: (n, an id before all others, cuts)."""
        council = self.term.moderators
        if len(council) < 3:
            return []
        enough = len(council) // 2 + 1
        said = [
            act
            for act in self.of("remove")
            if act.fields["person"] == person
            and act.fields["n"] % 2 == 1
            and self.owner.get(act.device) in council
            and self.not_revoked(act)
        ]
        removals = []
        for n in {act.fields["n"] for act in said}:
            posted = [act for act in said if act.fields["n"] == n]
            if len({self.owner[act.device] for act in posted}) >= enough:
                cuts = self.council_cuts(posted, enough)
                beside = sorted([one for one in decided if one[0] == n], key=lambda one: one[1])
                for device, last in beside[0][2] if beside else []:
                    cuts[device] = max(last, cuts.get(device, 0))
                removals.append((n, b"", [[device, cuts[device]] for device in sorted(cuts)]))
        return removals

    def council_cuts(self, posted, enough):
        cuts = {}
        for device in {device for act in posted for device, _ in act.fields["cuts"]}:
            highest = {}
            for act in posted:
                moderator = self.owner[act.device]
                last = dict(act.fields["cuts"]).get(device, 0)
                highest[moderator] = max(last, highest.get(moderator, 0))
            cuts[device] = sorted(highest.values())[enough - 1]
        return cuts

    @cached_property
    def cuts(self):
        """Of each person who is removed: device → the last number that counts."""
        return {
            key: dict(value)
            for (what, key), (n, value) in self.registers.items()
            if what == "standing" and n % 2 == 1
        }

    @cached_property
    def rules(self):
        """The charter as it holds now."""
        rules = {name: self.rule_at_first(name) for name in KINDS["charter"].fields}
        for (what, key), (_, value) in self.registers.items():
            if what == "rule" and key in rules:
                rules[key] = value
        now = {"vouchers": self.term.vouchers, "share": self.term.share}
        return {**rules, **now, "moderators": sorted(self.term.moderators)}

    # Admission

    def has_accepted(self, act):
        """Whether the person admitted named this admit under the charter."""
        return any(
            self.owner.get(accept.device) == act.fields["person"]
            and accept.parents[0] == self.charter.id
            and act.id in accept.parents[1:]
            and self.not_forked(accept)
            and self.not_revoked(accept)
            for accept in self.of("accept")
        )

    @cached_property
    def counting_admits(self):
        most = self.rules["admissions_a_month"]
        counting, month = [], {}
        for act in self.of("admit"):
            if act.device not in self.devices:
                continue
            if not self.not_revoked(act) or not self.not_cut(act):
                continue
            if not self.not_forked(act) and not self.has_accepted(act):
                continue
            others = month.setdefault((self.owner[act.device], act.time // MONTH), set())
            if len(others - {act.fields["person"]}) < most:
                counting.append(act)
            others.add(act.fields["person"])
        return counting

    @cached_property
    def people(self):
        """Whoever was ever let in → the time of the last admit needed, None for those on a roll."""
        people = {one: None for term in self.chain for one in term.roll}
        admits = self.counting_admits
        growing = True
        while growing:
            growing = False
            for person in dict.fromkeys(act.fields["person"] for act in admits):
                needed = enough_admits(self.of_person(admits, person), people, self.owner, self.term)
                if person not in people and needed:
                    people[person] = needed[-1].time
                    growing = True
        return people

    def of_person(self, admits, person):
        return [act for act in admits if act.fields["person"] == person]

    @cached_property
    def members(self):
        return set(self.people) - set(self.cuts)

    @cached_property
    def waiting(self):
        waiting = {}
        for act in self.counting_admits:
            person, voucher = act.fields["person"], self.owner[act.device]
            if person not in self.people and voucher in self.people:
                waiting.setdefault(person, set()).add(voucher)
        return waiting

    @cached_property
    def storable(self):
        """Devices of whoever any term that passed would have let in, had nobody been stopped."""
        people = set(chain(*(term.roll for term in self.terms.values())))
        admits = [act for act in self.of("admit") if act.device in self.owner]
        before = None
        while before != len(people):
            before = len(people)
            for person in {act.fields["person"] for act in admits}:
                mine = self.of_person(admits, person)
                if any(enough_admits(mine, people, self.owner, one) for one in self.terms.values()):
                    people.add(person)
        return {device for device, person in self.owner.items() if person in people}


def read(raw):
    """A list of what it says, empty if it is no statement."""
    try:
        return [statement.read(raw)]
    except Refused:
        return []


def may_hold(register, value):
    """Whether this version knows what to do with the value, or does not know the register."""
    what, key = register
    declared = KINDS["charter"].fields
    if what != "rule" or key not in declared:
        return True
    if key in BY_RENEWAL:
        return False
    try:
        declared[key].check(key, value)
    except Refused:
        return False
    return True


def enough_admits(admits, people, owner, term):
    """Of the admits for one person those that let them in, or none (R-03.6)."""
    needed = []
    for act in admits:
        vouched = {owner[one.device] for one in needed}
        if owner[act.device] in people and owner[act.device] not in vouched:
            needed.append(act)
        vouched = {owner[one.device] for one in needed}
        if len(needed) >= term.vouchers:
            return needed
        if len(term.roll) < term.vouchers and term.roll <= vouched:
            return needed
    return []
