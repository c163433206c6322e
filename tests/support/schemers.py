"""Hostile people who choose what they sign: of many records, they sign those that do most damage.

The plain model tells them what each record would bring. They know all records of the town.
"""

import copy
from types import SimpleNamespace

from tests.support.hostile_members import MOVES, Hostility
from tests.support.plain_authority import Plain

CANDIDATES = 12  # moves that are weighed up for each move


class Schemers(Hostility):
    def move(self):
        """Makes the most harmful of several moves. Two moves together may do what neither does."""
        drafts = [
            self.draft(self.random.choices(MOVES, k=self.random.choice([1, 2])))
            for _ in range(CANDIDATES)
        ]
        best = max(drafts, key=lambda draft: (self.damage(draft), self.random.random()))
        self.town.forks = best.forks
        for who, act in best.posted:
            self.town.publish(who, act)

    def draft(self, moves):
        """Tries moves on a copy of the town's records."""
        town, self.town = self.town, copy.copy(self.town)
        draft, self.town.posted = self.town, []
        draft.acts, draft.forks = list(town.acts), dict(town.forks)
        draft.publish = lambda who, act: (draft.acts.append(act), draft.posted.append((who, act)))
        try:
            for move in moves:
                move(self)
        finally:
            self.town = town
        return SimpleNamespace(acts=draft.acts, forks=draft.forks, posted=draft.posted)

    def damage(self, draft):
        """Says how near the hostile people come to breaking a promise."""
        plain = Plain(self.town.charter, draft.acts, draft.forks)
        seats = {one for term in plain.chain for one in term.roll}
        expelled = (seats - self.town.hostile) - plain.members
        foreign = [term for term in plain.chain[1:] if term.id not in self.town.renewed]
        of_hostile = len(plain.members & self.town.hostile)
        further = sum(min(last, 50) for cuts in plain.cuts.values() for last in cuts.values())
        share = len(plain.term.roll & self.town.hostile) / len(plain.term.roll)
        near = [self.nearness(plain, act) for act in plain.of("proposal", "renewal")]
        return (
            1000 * (len(expelled) + len(foreign))
            + 20 * of_hostile
            + 10 * share
            + 5 * max(near, default=0)
            + 0.1 * further
            + self.posted_removals(plain)
        )

    def posted_removals(self, plain):
        """Counts the moderators who posted the removal of somebody honest."""
        return len({
            (act.fields["person"], act.fields["n"], who)
            for act in plain.of("remove")
            for who in plain.signers(act) & plain.term.moderators & self.town.hostile
            if act.fields["person"] not in self.town.hostile
        })  # fmt: skip

    def nearness(self, plain, asked):
        """Returns the share of the roll that said yes to something that no honest person wants."""
        if asked.device in self.town.honest_devices:
            return 0
        return len(plain.who_says(asked, "yes") & plain.term.roll) / len(plain.term.roll)
