"""Says who belongs, what folds and what is stored, by spec 03.

Left out are forks, councils, parts of renewals and the waiting for countersignatures. No vector
that the stranger reads needs them.
"""

from functools import cached_property
from itertools import pairwise

from tests.specs.stranger.codec import RefusedError, need
from tests.specs.stranger.records import read_content, read_statement

DAY = 86_400_000
_FOUNDING = bytes(16)


class Act:
    """An open record with its content."""

    def __init__(self, one):
        self.id, self.device, self.number, self.time = one.id, one.device, one.number, one.header[4]
        self.about = one.header[6][0] if one.header[6] else None
        self.audience = one.header[7]
        self.kind, self.fields = read_content(one.content)


class Term:
    def __init__(self, act, roll, fields):
        self.id, self.roll, self.time = act.id, roll, act.time
        self.vouchers, self.round = fields.get("vouchers", 2), fields.get("round", 0)
        self.removed = {
            key: (n, dict(cuts or []))
            for what, key, n, cuts in fields.get("holds") or []
            if what == "standing" and n % 2
        }


class Street:
    """A neighbourhood, as the records of a store show it."""

    def __init__(self, records):
        is_open = [one for one in records if one.header[7] & 3 == 0 and one.content]
        self.acts = sorted(map(Act, is_open), key=lambda act: (act.time, act.id))
        (self.charter,) = [act for act in self.acts if act.kind == "charter"]

    def of(self, *kinds):
        return [act for act in self.acts if act.kind in kinds]

    # Devices

    @cached_property
    def statements(self):
        given = [(_FOUNDING, one) for one in self.charter.fields["founders"]]
        given += [
            (self.charter.id[:16], act.fields["statement"]) for act in self.of("admit", "device")
        ]
        read = [(place, read_statement(one)) for place, one in given]
        return [said for place, said in read if said[1] == place]

    @cached_property
    def founders(self):
        founding = [said for said in self.statements if said[1] == _FOUNDING]
        return {said[2] for said in founding}

    @cached_property
    def certified(self):
        """The pairs of a device and a person, without those beyond a person's first 32."""
        pairs, known = [], []
        for what, _, person, device, _ in [one for one in self.statements if one[0] != "leave"]:
            if what == "certify" and (device, person) not in pairs:
                pairs.append((device, person))
        for device, person in pairs:
            if sum(person == other for _, other in known) < 32:
                known.append((device, person))
        return known

    def signers(self, act):
        return {person for device, person in self.certified if device == act.device}

    @cached_property
    def ends(self):
        """The revoked devices, each with the number of the last record that counts."""
        devices = [device for device, _ in self.certified]
        ends = {device: 0 for device in devices if devices.count(device) > 1}
        for said in self.statements:
            if said[0] == "revoke" and (said[3], said[2]) in self.certified:
                ends[said[3]] = min(said[4], ends.get(said[3], said[4]))
        return ends

    @cached_property
    def devices(self):
        """Maps each device that counts to its person (R-03.5c)."""
        owners = {}
        for device, person in self.certified:
            live = [one for one in owners if owners[one] == person and one not in self.ends]
            if device not in owners and (device in self.ends or len(live) < 4):
                owners[device] = person
        return owners

    def counts(self, device, number):
        person = self.devices.get(device)
        cuts = self.cuts.get(person)
        is_cut = cuts is not None and number > cuts.get(device, 0)
        return person is not None and number <= self.ends.get(device, number) and not is_cut

    # Terms: no time is read

    def who(self, kind, term, choice=None):
        acts = [act for act in self.of(kind) if act.about == term]
        acts = [act for act in acts if choice is None or act.fields["choice"] == choice]
        return set().union(*map(self.signers, acts))

    def agreed(self, term):
        return self.who("vote", term, "yes") | self.who("accept", term)

    @cached_property
    def chain(self):
        chain = [Term(self.charter, self.founders, self.charter.fields)]
        while True:
            parent = chain[-1]
            children = [act for act in self.of("renewal") if act.fields["parent"] == parent.id]
            passed = [
                Term(act, parent.roll | set(act.fields.get("joining") or []), act.fields)
                for act in children
                if 2 * len(self.agreed(act.id) & parent.roll) > len(parent.roll)
            ]
            if not passed:
                return chain
            chain.append(
                min(passed, key=lambda one: (-len(self.accepted(one, parent)), -one.round, one.id))
            )
            left = set(self.act(chain[-1].id).fields.get("leaving") or [])
            chain[-1].roll = chain[-1].roll - left

    @cached_property
    def passed(self):
        """The rolls of all terms that passed, in the chain or beside it (R-03.22f)."""
        passed, news = {}, {self.charter.id: self.founders}
        while news:
            passed |= news
            news = {
                act.id: (passed[act.fields["parent"]] | set(act.fields.get("joining") or []))
                - set(act.fields.get("leaving") or [])
                for act in self.of("renewal")
                if act.id not in passed
                and act.fields["parent"] in passed
                and 2 * len(self.agreed(act.id) & passed[act.fields["parent"]])
                > len(passed[act.fields["parent"]])
            }
        return passed

    def act(self, one):
        return next(act for act in self.acts if act.id == one)

    def accepted(self, term, parent):
        """Counts the people on the parent's roll who accepted the term or one built on it."""
        later = [act for act in self.of("renewal") if act.fields["parent"] == term.id]
        people = self.who("accept", term.id)
        return (people.union(*(self.who("accept", act.id) for act in later))) & parent.roll

    @cached_property
    def cuts(self):
        """Maps each person whom the current term writes down as removed to the cuts."""
        return {person: cuts for person, (_, cuts) in self.chain[-1].removed.items()}

    @cached_property
    def settled(self):
        """Maps each person whose removal is settled to the cuts (R-03.35a)."""
        removed = {person for term in self.chain for person in term.removed}
        for parent, term in pairwise(self.chain):
            roll, yes = len(parent.roll), self.who("vote", term.id, "yes") & parent.roll
            accepted = self.accepted(term, parent) - removed
            if 2 * len(yes - removed) <= roll or 3 * len(accepted) < 2 * roll:
                return {}
        return self.cuts

    # Admission

    @cached_property
    def people(self):
        """Maps each person who was let in to the time and the admits (R-03.6d, R-03.6h)."""
        people, newcomers, term = {}, {}, self.chain[-1]
        listed = {person for one in self.chain for person in (*one.roll, *one.removed)}
        voters = {person for one in self.chain for person in one.roll}
        room = self.charter.fields.get("room", 10)
        vouched = {}
        for act in self.of("admit"):
            voucher, person = self.devices.get(act.device), act.fields["person"]
            if voucher not in voters or not self.counts(act.device, act.number):
                continue
            vouched.setdefault(person, {}).setdefault(voucher, act)
            fit = [
                who
                for who in vouched[person]
                if person in listed or len(newcomers.get(who, ())) < room
            ]
            is_whole = len(term.roll) < term.vouchers and term.roll <= set(fit)
            if person in people or not (len(fit) >= term.vouchers or is_whole):
                continue
            needed = fit[: term.vouchers]
            people[person] = act.time, [vouched[person][who].id for who in needed]
            for who in needed if person not in listed else ():
                newcomers.setdefault(who, set()).add(person)
        for one in reversed(self.chain):
            for person in one.roll:
                admits = [act.id for act in list(vouched.get(person, {}).values())[: term.vouchers]]
                time, admits = people.get(person, (one.time, admits))
                people[person] = min(time, one.time), admits
        return people

    @cached_property
    def members(self):
        return {person: self.people[person] for person in self.people if person not in self.cuts}

    @cached_property
    def waiting(self):
        waiting = {}
        for act in self.of("admit"):
            voucher, person = self.devices.get(act.device), act.fields["person"]
            has_counted = voucher in self.members and self.counts(act.device, act.number)
            if person not in self.people and has_counted:
                waiting.setdefault(person, set()).add(voucher)
        return waiting

    # What folds and what is stored

    def belongs_from(self, person):
        """Returns the time from which a person belongs (R-03.9a)."""
        voters = {one for term in self.chain for one in term.roll}
        times = [term.time for term in self.chain if person in term.roll]
        times += [
            act.time
            for act in self.of("admit")
            if act.fields["person"] == person and self.signers(act) & voters
        ]
        return min(times)

    def check_folds(self, one, named, now):
        """`named` is the record that the record `one` is about, or None."""
        need(one.header[4] <= now + 600_000, "R-03.18a")
        person = self.devices.get(one.device)
        need(person in self.people, "R-03.5")
        need(self.counts(one.device, one.number), "R-03.12")
        need(one.header[4] >= self.belongs_from(person), "R-03.9a")
        need(named is None or one.header[4] >= named.header[4], "R-03.9b")

    def check_stored(self, one, now):
        need(one.header[4] <= now + DAY, "R-03.18")
        owners = [person for device, person in self.certified if device == one.device]
        need(owners, "R-03.19d")
        for person in owners:
            cuts = self.settled.get(person)
            need(cuts is None or one.device in cuts, "R-03.35c")
            need(cuts is None or one.number <= cuts[one.device], "R-03.35")
        if not any(person in self.people for person in owners):
            raise RefusedError("R-03.19", "nobody has let the device's person in")
