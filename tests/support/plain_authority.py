"""Computes authority a second time, from the text of specs/03 alone, with plain sets and loops.

The code has no index and no trick, so that people can read it beside the rules. From `protocol` it
takes only two things that are not about authority: reading statements, and checking fields.
"""

from functools import cached_property
from itertools import chain

from protocol.errors import Refused
from protocol.fold.registry import KINDS
from tests.support.plain_terms import PlainTerms

BY_RENEWAL = {"founders", "moderators", "vouchers", "share"}


def plain(charter, acts, forks):
    """Computes authority with the settled cuts (R-03.35). Nobody whom a settled term removed votes
    with a device that the cut does not name, also not about their own return.
    """
    bare = Plain(charter, acts, forks)
    cuts, out = bare.settled_cuts, bare.out_by_settled
    while True:
        nobodys = {
            (device, person)
            for device, person in bare.pairs
            if person in out and device not in cuts[person]
        }
        held = Plain(charter, acts, forks, nobodys).registers
        still = {who: n for who, n in out.items() if held.get(("standing", who), (0, None))[0] == n}
        if still == out:
            break
        out = still
    both = forks.keys() | bare.ends.keys()
    forks = {one: min(forks.get(one, 2**60), bare.ends.get(one, 2**60)) for one in both}
    judged = Plain(charter, acts, forks, nobodys)
    # What settles a cut is judged once, by all records: a device that then belongs to nobody may
    # have voted for a later term, and this changes no cut.
    judged.ends = bare.ends
    return judged


class Plain(PlainTerms):
    # Registers

    def outcome(self, proposal):
        """Returns three things: whether a proposal passed, the people who said yes, and the people
        who said only no.
        """
        roll = self.term.roll
        both = roll | set(proposal.fields.get("newcomers") or [])
        yes = self.who_says(proposal, "yes") & both
        no = (self.who_says(proposal, "no") & both) - yes
        enough = [100 * len(yes & some) > self.term.share * len(some) for some in (roll, both)]
        return all(enough), yes, no

    @cached_property
    def registers(self):
        """Maps registers to (n, value): the number and the value that the register has now. A
        register is (what, key). Leaves out registers that nobody has changed.
        """
        registers = dict(self.term.written)
        for register in set(self.asked):
            start, _ = self.term.written.get(register, (0, None))
            passed = self.in_reach(start, self.asked[register])
            if register[0] == "standing":
                restored = {n for n, _, _ in passed if n % 2 == 0}
                passed += self.in_reach(start, self.removals(register[1], passed))
                passed = self.with_leaves(register[1], passed, {start, *restored})
            if passed:
                highest = max(n for n, _, _ in passed)
                n, _, value = min(
                    [one for one in passed if one[0] == highest], key=lambda one: one[1]
                )
                registers[register] = (n, value)
        return registers

    def in_reach(self, start, changes):
        """Keeps the changes whose number is above the term's, but at most 1,000 above (R-03.25g)."""
        return [one for one in changes if start < one[0] <= start + 1000]

    @cached_property
    def asked(self):
        """Maps each register to the changes that proposals asked for and that passed. Each change
        is (n, id, value).

        If only `remove` records are about a register, its list of changes is empty.
        """
        asked = {}
        for act in self.of("remove"):
            asked["standing", act.fields["person"]] = []
        for leave in self.leaves:
            asked["standing", leave.person] = []
        for act in self.of("proposal"):
            if act.fields.get("change"):
                what, key, n, value = act.fields["change"]
                if self.outcome(act)[0] and may_hold((what, key), value):
                    asked.setdefault((what, key), []).append((n, act.id, value))
        return asked

    def removals(self, person, decided):
        """Returns the removals of this person that the moderators decided. Each removal is (n, id,
        cuts).

        The id of such a removal is empty, so that the removal sorts before all changes with a real
        id.
        """
        council = self.term.moderators
        if len(council) < 3:
            return []
        enough = len(council) // 2 + 1
        said = [
            act
            for act in self.of("remove")
            if act.fields["person"] == person
            and act.fields["n"] % 2 == 1
            and self.signers(act) & council
            and self.not_revoked(act)
        ]
        removals = []
        for n in {act.fields["n"] for act in said}:
            posted = [act for act in said if act.fields["n"] == n]
            if len(set(chain(*map(self.signers, posted))) & council) >= enough:
                cuts = self.council_cuts(posted, enough)
                beside = sorted([one for one in decided if one[0] == n], key=lambda one: one[1])
                for device, last in beside[0][2] if beside else []:
                    cuts[device] = max(last, cuts.get(device, 0))
                removals.append((n, b"", [[device, cuts[device]] for device in sorted(cuts)]))
        return removals

    def with_leaves(self, person, changes, numbers_before):
        """Adds the leaves of a person to the changes of the person's standing. Each leave takes the
        place of the removals with its number (R-03.35).
        """
        leaves = [one for one in self.leaves if one.person == person]
        for n in {one.n for one in leaves if one.n - 1 in numbers_before}:
            same = sorted([one for one in changes if one[0] == n], key=lambda one: one[1])
            cuts = [dict(one.cuts) for one in leaves if one.n == n]
            cuts += [dict(value) for _, _, value in same[:1]]
            devices = {device for one in cuts for device in one}
            lowest = [[one, min(cut.get(one, 0) for cut in cuts)] for one in sorted(devices)]
            changes = [one for one in changes if one[0] != n] + [(n, b"", lowest)]
        return changes

    def council_cuts(self, posted, enough):
        cuts = {}
        for device in {device for act in posted for device, _ in act.fields["cuts"]}:
            highest = {}
            for act in posted:
                last = dict(act.fields["cuts"]).get(device, 0)
                for moderator in self.signers(act) & self.term.moderators:
                    highest[moderator] = max(last, highest.get(moderator, 0))
            cuts[device] = sorted(highest.values())[enough - 1]
        return cuts

    @cached_property
    def cuts(self):
        """Maps each removed person to the cuts of their devices. A cut is the number of the last
        record in the device's log that counts.
        """
        return {
            key: dict(value)
            for (what, key), (n, value) in self.registers.items()
            if what == "standing" and n % 2 == 1
        }

    @cached_property
    def rules(self):
        """Maps the name of each rule of the charter to the value in force, which may differ from
        the charter's first value.
        """
        names = KINDS["charter"].fields.keys() - {"founders"}
        rules = {name: self.rule_at_first(name) for name in names}
        for (what, key), (_, value) in self.registers.items():
            if what == "rule" and key in rules and may_hold((what, key), value):
                rules[key] = value
        now = {"vouchers": self.term.vouchers, "share": self.term.share}
        return {**rules, **now, "moderators": sorted(self.term.moderators)}

    # Admission

    def not_cut(self, act):
        cuts = self.cuts.get(self.owner[act.device])
        return cuts is None or act.seq <= cuts.get(act.device, 0)

    def has_accepted(self, act):
        """Takes a record `act` that admits a person. Returns whether this person has accepted the
        charter with a record that names `act`.
        """
        return any(
            accept.device in self.devices
            and self.owner[accept.device] == act.fields["person"]
            and accept.about == self.charter.id
            and act.id in accept.parents[1:]
            and self.not_forked(accept)
            and self.not_revoked(accept)
            for accept in self.of("accept")
        )

    @cached_property
    def admits_within_reach(self):
        """The admits of each log's first newcomers: three times as many as a voucher has room
        for. Whoever a passed term lists does not count (R-03.7e).
        """
        listed = self.listed(self.terms.values())
        return [
            act
            for act in self.of("admit")
            if act.fields["person"] in listed
            or act.fields["person"] in self.first_newcomers(act.device, listed)
        ]

    def first_newcomers(self, device, listed):
        log = sorted(
            [act for act in self.of("admit") if act.device == device],
            key=lambda act: (act.seq, act.id),
        )
        people = dict.fromkeys(act.fields["person"] for act in log)
        return [person for person in people if person not in listed][: 3 * self.most_room]

    def listed(self, terms):
        removed = [
            key
            for term in terms
            for (what, key), (n, _) in term.written.items()
            if what == "standing" and n % 2 == 1
        ]
        return set(chain(*(term.roll for term in terms))) | set(removed)

    @cached_property
    def most_room(self):
        """The largest room that the charter, a passed term or a proposal that would pass under a
        passed term allows (R-03.19c).
        """
        rooms = [self.rule_at_first("room")]
        rooms += [
            term.written["rule", "room"][1]
            for term in self.terms.values()
            if ("rule", "room") in term.written
        ]
        rooms += [
            act.fields["change"][3]
            for act in self.of("proposal")
            if act.fields.get("change")
            and act.fields["change"][:2] == ["rule", "room"]
            and any(self.would_pass(act, term) for term in self.terms.values())
        ]
        return max(room for room in rooms if may_hold(("rule", "room"), room))

    def would_pass(self, proposal, term):
        yes = {
            person
            for act in self.of("vote")
            for person in self.signers(act)
            if act.about == proposal.id and act.fields["choice"] == "yes"
        }
        both = term.roll | set(proposal.fields.get("newcomers") or [])
        what, key, n, _ = proposal.fields["change"]
        start, _ = term.written.get((what, key), (0, None))
        if not start < n <= start + 1000:
            return False
        return all(100 * len(yes & some) > term.share * len(some) for some in (term.roll, both))

    @cached_property
    def counting_admits(self):
        return [
            act
            for act in self.admits_within_reach
            if act.device in self.devices
            and self.not_revoked(act)
            and self.not_cut(act)
            and (self.not_forked(act) or self.has_accepted(act))
        ]

    @cached_property
    def seats(self):
        return set(chain(*(term.roll for term in self.chain)))

    @cached_property
    def admitted(self):
        """Maps each person to the admits that let the person in, and to the vouchers whose room the
        person takes.
        """
        admitted, listed = {}, self.listed(self.chain)
        for act in self.counting_admits:
            person = act.fields["person"]
            if person in admitted or self.owner[act.device] not in self.seats:
                continue
            earlier = [one for one in self.counting_admits if one.fields["person"] == person]
            earlier = earlier[: earlier.index(act) + 1]
            with_room = [
                one
                for one in earlier
                if person in listed
                or self.taken_room(self.owner[one.device], admitted) < self.rules["room"]
            ]
            needed = enough_admits(with_room, self.seats, self.signers, self.term)
            if needed:
                takes = set() if person in listed else {self.owner[one.device] for one in needed}
                admitted[person] = (needed, takes)
        return admitted

    def taken_room(self, voucher, admitted):
        return sum(voucher in takes for _, takes in admitted.values())

    @cached_property
    def newcomers(self):
        """Maps each voucher to the people who take room of this voucher."""
        newcomers = {}
        for person, (_, takes) in self.admitted.items():
            for voucher in takes:
                newcomers.setdefault(voucher, set()).add(person)
        return newcomers

    @cached_property
    def people(self):
        """Maps each person who was ever let in to the time from which on they belong."""
        people = {person: needed[-1].time for person, (needed, _) in self.admitted.items()}
        for person in self.seats:
            first = next(term for term in self.chain if person in term.roll)
            people[person] = min(people.get(person, first.since), first.since)
        return people

    @cached_property
    def members(self):
        return set(self.people) - set(self.cuts)

    @cached_property
    def waiting(self):
        waiting = {}
        for act in self.counting_admits:
            person, voucher = act.fields["person"], self.owner[act.device]
            if person not in self.people and voucher in self.members:
                waiting.setdefault(person, set()).add(voucher)
        return waiting

    @cached_property
    def storable(self):
        """The devices whose records a home may store. It holds all devices of a person if at least
        one passed term would let the person in. Forks, revocations, removals and taken room make no
        difference here.
        """
        seats = set(chain(*(term.roll for term in self.terms.values())))
        admits = [act for act in self.admits_within_reach if act.device in self.owner]
        people = set(seats)
        for person in {act.fields["person"] for act in admits}:
            mine = [act for act in admits if act.fields["person"] == person]
            if any(enough_admits(mine, seats, self.signers, one) for one in self.terms.values()):
                people.add(person)
        return {device for device, person in self.pairs if person in people}


def may_hold(register, value):
    """Returns whether this version of the software may use a value of a register. For a register
    that is not a known rule of the charter, returns True.
    """
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


def enough_admits(admits, voters, signers, term):
    """Returns the admits that are enough to let a person in. If there are too few admits, returns
    an empty list (R-03.6).
    """
    first = {}
    for act in admits:
        for person in signers(act) & set(voters):
            first.setdefault(person, act)
    if len(first) >= term.vouchers:
        return list(first.values())[: term.vouchers]
    if len(term.roll) < term.vouchers and term.roll <= set(first):
        return [act for voucher, act in first.items() if voucher in term.roll]
    return []
