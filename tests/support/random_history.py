"""Random histories of a neighbourhood. Honest, careless and hostile people act in no particular
order.

Each history depends only on its number. A rough guess of the present term guides the people, so
that many of their acts count. The code under test has no influence, so a number always means the
same history.
"""

import copy
import random

from protocol.record import root_statement as statement
from protocol.schema.register_names import MEASURE, RULE, STANDING
from tests.support.authority_records import (
    HERE,
    START,
    certificate,
    certificate_for,
    charter,
    device,
    ids,
    person,
    revocation,
)

DAY = 86_400_000
NAMES = "ABCDEFGHIJKL"
RULES = [
    ("answer_days", [0, 4, 5, 7, 8, -1, "many", None]),
    ("room", [1, 2, 3, 50, 0]),
    ("timezone", ["Europe/London", "x" * 65]),
    ("share", [60, 99]),
    ("vouchers", [1, 2]),
    ("moderators", [[]]),
    ("founders", [[]]),
    ("hats", ["red", "green"]),
]


class Lists:
    """A guess of a term: the act that proposed the term, the roll and the moderators."""

    def __init__(self, act, roll, moderators):
        self.act, self.roll, self.moderators = act, roll, moderators


class History:
    """One random history. It has a `charter`, many `acts` (records that concern authority) and some
    `forks`.
    """

    def __init__(self, number, steps=None):
        self.random = random.Random(number)
        self.crowd = [copy.copy(person(name)) for name in NAMES]
        self.now = START
        self.forks = {}
        self.acts = []
        founders = self.crowd[: self.random.choice([1, 2, 3, 3, 4, 5])]
        self.charter = charter(*founders, **self.rules(founders))
        self.terms = [Lists(self.charter, list(founders), list(founders))]
        self.asked = []
        for one in self.crowd[len(founders) :]:
            if self.random.random() < 0.6:
                self.admit(one)
        steps = self.random.randint(10, 30) if steps is None else steps
        for _ in range(steps):
            self.now += self.random.choice([0, 1000, DAY, 9 * DAY])
            weights = [weight for weight, _ in MOVES]
            self.random.choices([move for _, move in MOVES], weights)[0](self)

    def rules(self, founders):
        some = {
            "vouchers": self.random.choice([1, 1, 1, 2, 2, 3]),
            "share": self.random.choice([50, 50, 66, 99]),
            "room": self.random.choice([1, 2, 3, 50]),
            "moderators": ids(self.random.sample(founders, len(founders) - 1)),
            "colour": "blue",  # a field of a later version
        }
        return {name: one for name, one in some.items() if self.random.random() < 0.7}

    # Who acts, when, and with which device

    def chance(self, share):
        return self.random.random() < share

    def anybody(self):
        return self.random.choice(self.crowd)

    def lists(self):
        """Returns the newest term in most cases, and now and then an older one."""
        return self.terms[-1] if self.chance(0.75) else self.random.choice(self.terms)

    def some(self, people, least=0):
        people = list(people)
        least = min(least, len(people))
        return self.random.sample(people, self.random.randint(least, len(people)))

    def most(self, people):
        """Chooses more than half of the people at random."""
        return self.some(people, len(people) // 2 + 1)

    def signed(self):
        """Chooses at random how a record is signed. In most cases, the record has the present time,
        the person's first device, and the next number.
        """
        how = {"time": self.now}
        if self.chance(0.15):
            how["time"] = max(START, self.now - self.random.choice([DAY, 20 * DAY, 90 * DAY]))
        if self.chance(0.15):
            how["n"] = self.random.choice([1, 1, 2, 3, 4, 5])
        if self.chance(0.15):
            how["seq"] = self.random.randint(1, 14)
        return how

    def post(self, who, method, *given, **more):
        how = self.signed()
        n = how.pop("n", None)
        if n is not None:
            how["device"] = device(who.name, n)
        self.acts.append(getattr(who, method)(*given, **how, **more))
        return self.acts[-1]

    # Moves

    def admit(self, newcomer=None):
        newcomer = newcomer or self.anybody()
        vouchers = self.some(self.lists().roll, 1) if self.chance(0.8) else [self.anybody()]
        for voucher in vouchers[:3]:
            for _ in range(self.random.choice([1, 1, 1, 2])):
                self.post(voucher, "admits", newcomer, certificate=self.certificate(newcomer))

    def certificate(self, newcomer):
        """In most cases, returns the newcomer's first certificate. Sometimes returns another
        certificate, a certificate for a wrong place, or bytes that are no certificate.
        """
        if self.chance(0.85):
            return certificate(newcomer.name, 0)
        return self.random.choice([
            certificate(newcomer.name, self.random.randint(1, 5)),
            certificate(self.anybody().name, 0),
            certificate(newcomer.name, 0, b"x" * statement.PLACE_SIZE),
            self.revocation(newcomer),
            b"nonsense",
        ])  # fmt: skip

    def collude(self):
        """Lets two newcomers admit each other."""
        first, second = self.random.sample(self.crowd, 2)
        self.post(first, "admits", second, certificate=certificate(second.name, 0))
        self.post(second, "admits", first, certificate=certificate(first.name, 0))

    def further_devices(self):
        owner = self.anybody()
        for n in self.some(range(1, 6), 1):
            place = HERE if self.chance(0.9) else b"x" * statement.PLACE_SIZE
            self.post(self.anybody(), "carries", certificate(owner.name, n, place))
        if self.chance(0.15):
            shared = certificate_for(owner.name, self.anybody().name, self.random.choice([0, 1]))
            self.post(self.anybody(), "carries", shared)

    def revocation(self, owner):
        who = owner if self.chance(0.9) else self.anybody()
        place = HERE if self.chance(0.9) else b"x" * statement.PLACE_SIZE
        n, after = self.random.choice([0, 0, 1, 2, 5]), self.random.choice([0, 3, 6, 9, 12])
        return revocation(who.name, owner.name, n, after, place)

    def revoke(self):
        """Revokes devices of a person, sometimes twice. Sometimes chooses the last number so low
        that a record which the device has signed no longer counts.
        """
        owner = self.anybody()
        for _ in range(self.random.choice([1, 1, 2])):
            self.post(self.anybody(), "carries", self.revocation(owner))
        signed = [one for one in self.acts if one.device == owner.device and one.kind != "admit"]
        if signed and self.chance(0.5):
            last = self.random.choice(signed).seq - 1
            self.post(owner, "carries", revocation(owner.name, owner.name, 0, last))

    def leave(self):
        """Lets a person leave, sometimes twice. The number is often one after which the person was
        in, and sometimes any odd number.
        """
        who = self.anybody()
        for _ in range(self.random.choice([1, 1, 2])):
            n = self.random.choice([1, 1, 1, 3, 3, 5, 999, 1001])
            place = HERE if self.chance(0.95) else b"x" * statement.PLACE_SIZE
            self.post(self.anybody(), "carries", who.leaves(n, dict(self.cuts(who)), place))

    def fork(self):
        key = device(self.anybody().name, self.random.choice([0, 0, 0, 1]))
        self.forks[key] = min(self.random.randint(1, 12), self.forks.get(key, 99))

    def fork_after_admitting(self):
        """Lets a voucher admit a newcomer, and then forks the voucher's log at this admit. The
        newcomer has already accepted the charter, and has admitted somebody else.

        In most cases, something then stops the newcomer: a fork, a revocation or a removal.
        """
        voucher, newcomer, other = self.random.sample(self.crowd, 3)
        admit = voucher.admits(newcomer, time=self.now)
        self.acts += [admit, newcomer.admits(other, time=self.now)]
        self.acts.append(newcomer.accepts(self.charter, admit, time=self.now))
        self.forks[admit.device] = min(admit.seq, self.forks.get(admit.device, 99))
        end = self.random.choice(["nothing", "fork", "revoked", "removed", "removed"])
        last = self.acts[-1].seq - 1
        if end == "fork":
            self.forks[newcomer.device] = min(last + 1, self.forks.get(newcomer.device, 99))
        elif end == "revoked":
            self.post(newcomer, "carries", revocation(newcomer.name, newcomer.name, 0, last))
        elif end == "removed":
            for moderator in self.most(self.lists().moderators):
                self.post(moderator, "removes", newcomer, cut=last)

    def propose(self, change=None):
        change = change or self.change()
        newcomers = self.some(self.crowd)[:3] if self.chance(0.5) else []
        asked = self.post(self.anybody(), "proposes", *change, newcomers=newcomers)
        if self.chance(0.1):
            asked.fields.pop("change")
        self.asked.append(asked)
        voters = self.lists().roll + newcomers
        self.vote(asked, self.most(voters) if self.chance(0.8) else self.some(self.crowd))

    def propose_both(self):
        """Proposes two values for one register with the same number."""
        what, key, n, _ = one = self.change()
        self.propose(one)
        if what == STANDING:
            other = [[device("A", 0), self.random.randint(0, 14)]] if n % 2 else None
        else:
            other = self.random.choice([5, 6, "UTC"])
        self.propose((what, key, n, other))

    def change(self):
        n = self.random.choice([1, 1, 1, 2, 2, 3, 4, 5, 1000, 1001, 1003])
        what = self.random.choice([STANDING, STANDING, RULE, RULE, MEASURE, "weather"])
        if what == STANDING:
            target = self.anybody()
            return STANDING, target.key, n, self.cuts(target) if n % 2 else None
        if what == RULE:
            name, values = self.random.choice(RULES)
            return RULE, name, n, self.random.choice(values)
        return what, self.random.choice(["noise", b"b" * 32]), n, self.random.choice([1, ["x"]])

    def cuts(self, target):
        keys = {device(target.name, n) for n in self.some(range(6))[:2]}
        keys |= {device(self.anybody().name, 0)} if self.chance(0.05) else set()
        keys |= {target.device} if self.chance(0.8) else set()
        return [[key, self.random.randint(0, 14)] for key in sorted(keys)]

    def vote(self, asked, voters):
        for voter in voters:
            choice = "yes" if self.chance(0.93) else "no"
            self.post(voter, "says", choice, asked)

    def vote_late(self):
        renewals = [one.act for one in self.terms]
        asked = self.random.choice([*self.asked, *renewals, *self.acts])
        self.vote(asked, self.some(self.crowd)[:4])

    def remove(self):
        """Removes a person. In most cases, more than half of the moderators post the removal;
        otherwise one person does. Some of these people post the removal twice, with different cuts.
        """
        target = self.anybody()
        council = self.lists().moderators
        n = self.random.choice([1, 1, 1, 3, 2, 5, 999, 1001])
        if self.chance(0.3):
            target, n = self.written_out() or (target, n)
        posting = self.most(council) if self.chance(0.8) else [self.anybody()]
        for moderator in posting:
            for _ in range(self.random.choice([1, 1, 2])):
                self.post(moderator, "removes", target, n, cuts=self.cuts(target))

    def written_out(self):
        """Returns a person whom the newest term records as removed, and the number of the removal.

        If there is no such person, returns None.
        """
        holds = self.terms[-1].act.fields.get("holds") or []
        found = [(key, n) for what, key, n, _ in holds if what == STANDING and n % 2]
        return next(((one, n) for one in self.crowd for key, n in found if key == one.key), None)

    def remove_each_other(self):
        council = self.lists().moderators
        if len(council) < 3:
            return
        first, second, *rest = self.random.sample(council, len(council))
        for target, posting in ((first, [second, *rest]), (second, [first, *rest])):
            for moderator in posting[: len(council) // 2 + 1]:
                self.post(moderator, "removes", target, cuts=self.cuts(target))

    def renew(self):
        parent = self.lists()
        self.propose_term(parent)
        if self.chance(0.35):
            self.propose_term(parent)  # a rival term; some people vote for both terms

    def rival(self):
        """Lets moderators of an old term propose a term of their own."""
        old = self.random.choice(self.terms)
        self.propose_term(old, moderators=self.some(old.moderators, 1))

    def propose_term(self, parent, moderators=None):
        joining, leaving = self.some(self.crowd)[:5], self.some(parent.roll)[:2]
        moderators = self.some(self.crowd, 1)[:5] if moderators is None else moderators
        parts, late = self.parts()
        renewal = self.post(
            self.anybody(), "renews", parent.act, moderators,
            round=self.random.choice([1, 1, 2, 3]), joining=joining, leaving=leaving,
            vouchers=self.random.choice([1, 1, 2, 3]), share=self.random.choice([50, 50, 66]),
            holds=self.holds(), parts=parts,
        )  # fmt: skip
        self.acts += late
        self.vote(renewal, self.most(parent.roll) if self.chance(0.85) else self.some(parent.roll))
        roll = [one for one in {*parent.roll, *joining} if one not in leaving]
        self.terms.append(Lists(renewal, sorted(roll, key=lambda one: one.name), moderators))
        self.accept(renewal, self.some(parent.roll))

    def parts(self):
        """Chooses the parts of a renewal at random: in most cases no part, sometimes one part that
        exists, and sometimes one part that nobody has.
        """
        if self.chance(0.75):
            return [], []
        fields = {"joining": ids(self.some(self.crowd)[:2]), "holds": self.holds()}
        part = self.anybody().act("part", fields, time=self.now)
        return [part.digest], [part] if self.chance(0.8) else []

    def holds(self):
        found = [list(self.change()) for _ in range(self.random.choice([0, 0, 1, 2, 4]))]
        return sorted(found, key=repr) if self.chance(0.5) else found

    def accept(self, renewal, people):
        for one in people:
            named = self.some(self.acts)[:2] if self.chance(0.1) else []
            self.post(one, "accepts", renewal, *named)

    def accept_late(self):
        some = [one.act for one in self.terms]
        self.accept(
            self.random.choice([*some, self.random.choice(self.acts or [self.charter])]),
            self.some(self.crowd)[:4],
        )

    def accept_charter(self):
        """Lets newcomers accept the charter, or now and then another record instead. The accepts
        name records that are about the newcomer, such as admits.
        """
        for newcomer in self.some(self.crowd)[:3]:
            mine = [one for one in self.acts if one.fields.get("person") == newcomer.key]
            first = (
                self.charter
                if self.chance(0.9)
                else self.random.choice(self.acts or [self.charter])
            )
            self.post(newcomer, "accepts", first, *self.some(mine)[:7])

    def stray(self):
        """Posts records that no software writes: a second charter, a vote about nothing, an accept
        of nothing.
        """
        who = self.anybody()
        self.acts.append(who.act("charter", {"name": "Rival", "founders": [who.founding]}))
        self.acts.append(who.act("vote", {"choice": "yes"}, time=self.now))
        self.acts.append(who.act("accept", {}, time=self.now))


MOVES = [
    (6, History.admit),
    (1, History.collude),
    (2, History.further_devices),
    (2, History.revoke),
    (2, History.leave),
    (2, History.fork),
    (1, History.fork_after_admitting),
    (6, History.propose),
    (1, History.propose_both),
    (2, History.vote_late),
    (3, History.remove),
    (1, History.remove_each_other),
    (6, History.renew),
    (2, History.rival),
    (2, History.accept_late),
    (3, History.accept_charter),
    (1, History.stray),
]
