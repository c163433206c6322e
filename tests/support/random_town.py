"""A town of honest and hostile people. Honest people do what the rules ask of software; hostile
people do not.

Records reach each honest home a few at a time. Hostile people have all records, and may show any
record to anybody. Honest people say yes to a roll or a council only if fewer than half (or a third)
of its people are hostile.
"""

import copy
import random

from protocol.authority import authority
from protocol.authority import register_change as changes
from protocol.authority.record_index import AuthorityIndex
from protocol.errors import Refused
from protocol.kinds import decisions
from protocol.schema.register_names import RULE, STANDING
from tests.support.authority_records import START, charter, ids, person

HONEST, HOSTILE = "HIJKLMN", "XYZW"
HOUR = 3_600_000


class Home:
    """An honest person, with the records that have reached them."""

    def __init__(self, who, town):
        self.who, self.town = who, town
        self.acts = AuthorityIndex()
        self.forks = {}
        self.side = 0
        self.folded = None

    def known(self):
        now = (len(self.acts), self.forks)  # acts are never taken away
        if self.folded is None or self.folded[0] != now:
            folded = authority.fold_authority(self.town.charter, self.acts, self.forks)
            self.folded = (now, folded)
        return self.folded[1]

    def of(self, *kinds):
        return self.acts.of_kinds(*kinds)

    def has_said(self, act):
        return any(one.device == self.who.device for one in self.acts.with_subject("vote", act.id))

    def duties(self):
        """Accepts the term in force, and votes as an honest person does (R-16.5)."""
        self.accept()
        for act in self.of("proposal"):
            if not self.has_said(act) and self.is_fine(act):
                self.town.post(self.who, "says", "yes", act)
                self.town.agreed.append(act.fields["change"])
        for act in self.of("renewal"):
            if not self.has_said(act) and self.may_renew(act):
                self.town.post(self.who, "says", "yes", act)
                self.town.renewed.add(act.id)

    def accept(self):
        term = self.known().term_to_accept(self.who.key)
        if term is not None:
            self.town.post(self.who, "accepts", self.acts.get(term))

    def is_fine(self, proposal):
        """Returns whether an honest person made this proposal and it removes no honest person."""
        known = self.known()
        what, key, _, _ = proposal.fields["change"]
        listed = known.term.roll | set(proposal.fields["newcomers"])
        ours = proposal.device in self.town.honest_devices
        return self.who.key in listed and ours and (what != STANDING or key in self.town.hostile)

    def may_renew(self, renewal):
        """Returns whether this person may say yes to a renewal.

        The software must allow it, no honest person may be left out, and the hostile people must
        still be few.
        """
        known, town = self.known(), self.town
        try:
            decisions.check_renewal(known, self.who.key, renewal.id)
        except Refused:
            return False
        now, term = known.term, known.renewals[renewal.id].term
        held = [[what, key, *one] for (what, key), one in term.written.items()]
        kept = sorted(held, key=repr) == sorted(changes.holdings_to_write(known), key=repr)
        stay = now.roll - town.hostile <= term.roll <= set(known.members)
        fair = town.fair(term.roll) and town.fair(term.moderators)
        same = (term.vouchers, term.share) == (now.vouchers, now.share)
        return self.who.key in now.roll and kept and stay and fair and same

    def idea(self):
        """Begins something that honest people begin: an admit, a removal, a rule or a renewal."""
        known, town = self.known(), self.town
        if self.who.key not in known.members:
            return
        enemy = town.random.choice(town.enemies)
        newcomer = town.random.choice(list(town.crowd.values()))
        held = known.holding((STANDING, enemy.key)).n
        idea = town.random.choice(["admit", "rule", "expel", "remove", "renew", "renew"])
        if idea == "admit" and newcomer.key not in known.people:
            town.post(self.who, "admits", newcomer)
        elif idea == "rule":
            n = known.holding((RULE, "smallest_group")).n + 1
            town.post(
                self.who, "proposes", RULE, "smallest_group", n, town.random.randint(100, 900)
            )
        elif idea == "expel" and held % 2 == 0:
            cut = [[enemy.device, town.random.randint(0, 9)]]
            town.post(self.who, "proposes", STANDING, enemy.key, held + 1, cut)
        elif idea == "remove" and self.who.key in known.term.moderators:
            cut = town.random.randint(5, 9)
            town.post(self.who, "removes", enemy, held + 1 - held % 2, cut=cut)
        elif idea == "renew":
            self.renew()

    def renew(self):
        """Proposes the next term as `meshcoop renew` does. Lets hostile people join while they are
        few.
        """
        known, town = self.known(), self.town
        if self.who.key not in known.term.roll:
            return None
        roll = known.term.roll & set(known.members)
        joining = [one for one in sorted(set(known.members) - roll) if one not in town.hostile]
        for one in sorted(set(known.members) - roll):
            if one in town.hostile and town.fair({*roll, *joining, one}):
                joining.append(one)
        rounds = [one.round for one in known.renewals.values() if one.parent == known.term.id]
        renewal = town.post(
            self.who, "renews", self.acts.get(known.term.id) or town.charter,
            town.of_keys(known.term.moderators & set(known.members)),
            round=1 + max(rounds, default=0), joining=town.of_keys(joining),
            leaving=town.of_keys(known.term.roll - set(known.members)),
            vouchers=known.term.vouchers, share=known.term.share, holds=changes.holdings_to_write(known),
        )  # fmt: skip
        if self.may_renew(renewal):
            town.post(self.who, "says", "yes", renewal)
            town.renewed.add(renewal.id)
        return renewal


class Town:
    """Honest homes and hostile people under one charter. One number determines the whole town."""

    def __init__(self, number, least=2):
        """Makes a town. If `least` is 2, fewer than half of the people on each list are hostile. If
        `least` is 3, fewer than a third of them are.
        """
        self.random = random.Random(f"town {number}")
        self.least = least
        self.now = START
        honest, hostile = (
            [copy.copy(person(name)) for name in names] for names in (HONEST, HOSTILE)
        )
        self.crowd = {one.key: one for one in honest + hostile}
        self.hostile = {one.key for one in hostile}
        self.enemies = hostile
        self.honest_devices = {one.device for one in honest}
        few = self.random.randint(1, len(hostile) - 1)
        many = self.random.randint((self.least - 1) * few + 1, len(honest))
        founders = honest[:many] + hostile[:few]
        council = [*honest[: max(2, few + 1, (self.least - 1) * few + 1)], *hostile[:few]]
        council = [one for one in council if one in founders]
        assert self.fair(set(ids(founders)))
        self.charter = charter(*founders, moderators=ids(council), room=1)
        self.homes = [Home(one, self) for one in honest]
        self.acts, self.forks = [], {}
        self.late = []  # (home, act): the act has not reached the home yet
        self.agreed, self.renewed = [], set()
        self.settled = {}  # person → the longest settled chain that the person saw

    def fair(self, people):
        few = len(self.hostile & set(people))
        return self.least * few < len(set(people))

    def of_keys(self, keys):
        return [self.crowd[one] for one in sorted(keys)]

    def post(self, who, method, *given, **more):
        """Signs and posts an act. If the author is honest, their home has the act at once.
        Everybody else gets the act later.
        """
        act = getattr(who, method)(*given, **{"time": self.now, **more})
        self.publish(who, act)
        return act

    def publish(self, who, act):
        self.acts.append(act)
        for home in self.homes:
            if home.who is who:
                home.acts.add(act)
            else:
                self.late.append((home, act))

    def spread(self, share=0.5):
        """Lets some of the late acts arrive at homes. An act never crosses a partition of the
        network.
        """
        held = []
        for home, act in self.late:
            one_side = home.side == self.side_of(act)
            if one_side and self.random.random() < share:
                home.acts.add(act)
            else:
                held.append((home, act))
        self.late = held

    def side_of(self, act):
        for home in self.homes:
            if home.who.device == act.device:
                return home.side
        return self.random.randint(0, 2)  # hostile people hear every side

    def part(self):
        for home in self.homes:
            home.side = self.random.randint(0, 2)

    def heal(self):
        for home in self.homes:
            home.side = 0
            home.forks = dict(self.forks)
        for home, act in self.late:
            home.acts.add(act)
        self.late = []
