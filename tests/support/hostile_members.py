"""The records with which the hostile people of a town attack."""

from protocol.authority import authority
from protocol.authority import register_change as changes
from protocol.schema.register_names import RULE, STANDING
from tests.support.authority_records import certificate, device, revocation

DAY = 86_400_000


class Hostility:
    def __init__(self, town):
        self.town, self.random = town, town.random

    def move(self):
        self.random.choice(MOVES)(self)

    def post(self, who, method, *given, **more):
        """Posts a record for a hostile person, sometimes with another device, number or time."""
        chance = self.random.random
        if chance() < 0.2:
            more["device"] = device(who.name, self.random.randint(1, 3))
        if chance() < 0.2:
            more["seq"] = self.random.randint(1, 30)
        if chance() < 0.2:
            more["time"] = self.town.now - self.random.randint(0, 60) * DAY
        return self.town.post(who, method, *given, **more)

    def one(self):
        return self.random.choice(self.town.enemies)

    def victim(self):
        return self.random.choice(self.town.homes).who

    def of(self, *kinds):
        return [act for act in self.town.acts if act.kind in kinds]

    def everybody_says_yes(self, act):
        for one in self.town.enemies:
            self.post(one, "says", "yes", act)

    def say_yes(self):
        asked = self.of("proposal", "renewal")
        for act in self.random.sample(asked, min(3, len(asked))):
            self.everybody_says_yes(act)

    def accept_anything(self):
        for act in self.of("renewal")[-4:]:
            for one in self.town.enemies:
                if self.random.random() < 0.5:
                    self.post(one, "accepts", act)

    def expel(self):
        victim, n = self.victim(), self.random.choice([1, 1, 3, 5])
        change = (STANDING, victim.key, n, [[victim.device, 0]])
        newcomers = self.random.choice([[], self.town.enemies])
        self.everybody_says_yes(self.post(self.one(), "proposes", *change, newcomers=newcomers))

    def remove(self):
        victim, n = self.victim(), self.random.choice([1, 1, 3, 5])
        for one in self.town.enemies:
            for _ in range(2):
                self.post(one, "removes", victim, n, cut=self.random.randint(0, 20))

    def change_a_rule(self):
        n = self.random.choice([1, 2, 9])
        change = (RULE, "smallest_group", n, self.random.randint(1, 99))
        self.everybody_says_yes(self.post(self.one(), "proposes", *change))

    def take_over(self):
        """Proposes a term with only the hostile people on its roll. Any earlier term may be its
        parent.
        """
        parent = self.random.choice([self.town.charter, *self.of("renewal")])
        victim = self.victim()
        holds = [(STANDING, victim.key, 1, [[victim.device, 0]]), (RULE, "smallest_group", 7, 77)]
        renewal = self.post(
            self.one(), "renews", parent, self.town.enemies, round=self.random.randint(1, 9),
            joining=self.town.enemies, leaving=[victim], holds=holds,
        )  # fmt: skip
        self.everybody_says_yes(renewal)
        self.accept_anything()

    def renew_nicely(self):
        """Proposes renewals that honest people would accept, in many rounds, so that the votes are
        divided.
        """
        known = authority.fold_authority(self.town.charter, self.town.acts, self.town.forks)
        term, town = known.term, self.town
        joining = [one for one in set(known.members) - term.roll if self.random.random() < 0.5]
        leaving = term.roll - set(known.members)
        renewal = self.post(
            self.one(), "renews", known.chain.terms[-1], town.of_keys(term.moderators & set(known.members)),
            round=self.random.randint(1, 4), joining=town.of_keys(joining),
            leaving=town.of_keys(leaving), vouchers=term.vouchers, share=term.share,
            holds=changes.holdings_to_write(known),
        )  # fmt: skip
        self.everybody_says_yes(renewal)

    def let_each_other_in(self):
        for one in self.town.enemies:
            for other in self.town.enemies:
                if one is not other:
                    self.post(one, "admits", other)

    def further_devices(self):
        one = self.one()
        for n in range(1, 4):
            self.post(one, "carries", certificate(one.name, n))

    def revoke(self):
        one = self.one()
        last = self.random.randint(0, 12)
        self.post(one, "carries", revocation(one.name, one.name, self.random.randint(0, 2), last))

    def leave(self):
        """Lets a hostile person leave, with any number. Somebody who is removed may hope that the
        higher cut holds.
        """
        one, n = self.one(), self.random.choice([1, 3, 5, 999])
        self.post(one, "carries", one.leaves(n, self.random.choice([0, 10**9])))

    def restore(self):
        one, n = self.one(), self.random.choice([2, 4, 1000])
        self.everybody_says_yes(self.post(self.one(), "proposes", STANDING, one.key, n, None))

    def fork(self):
        key = device(self.one().name, self.random.randint(0, 2))
        last = self.random.randint(1, 12)
        self.town.forks[key] = min(last, self.town.forks.get(key, last))


MOVES = [
    *([Hostility.say_yes, Hostility.accept_anything, Hostility.renew_nicely] * 3),
    *([Hostility.take_over, Hostility.expel, Hostility.remove] * 2),
    Hostility.change_a_rule,
    Hostility.let_each_other_in,
    Hostility.further_devices,
    Hostility.revoke,
    Hostility.fork,
    Hostility.leave,
    Hostility.restore,
]
