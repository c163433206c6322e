"""Settled cuts: removals that a settled term has written down (specs/03, from R-03.35 on).

A cut is the last number of a removed person's log that counts. A store deletes the records beyond a
settled cut. The deleted records must make no difference to the question whether the cut is settled.
For this reason, the records of a removed person never help to settle the term that writes down the
removal.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from protocol.authority.record_index import AuthorityIndex
from protocol.authority.registers import Cuts, Registers, cuts_of
from protocol.authority.terms import Chain, Holding, Signers, Term, voters
from protocol.schema.register_names import STANDING


@dataclass(frozen=True)
class SettledCuts:
    """The cuts that settled terms have written down. A cut is the last number of a log that counts.

    `cuts` has the cuts of each person whose removal was ever settled. If several terms cut a log,
    the lowest cut holds. `out` has the people who are removed according to the newest settled term.
    It maps each of them to the number of the removal.
    """

    cuts: Mapping[bytes, Cuts] = field(default_factory=dict)
    out: Mapping[bytes, int] = field(default_factory=dict)

    @cached_property
    def ends(self) -> dict[bytes, int]:
        """For each device that a settled cut names, the first number beyond the cut (R-03.35)."""
        return {device: last + 1 for cuts in self.cuts.values() for device, last in cuts.items()}

    def with_forks(self, forks: Mapping[bytes, int]) -> dict[bytes, int]:
        """Returns the number at which each log is forked or ends.

        A log ends at the first number beyond a settled cut. From this number on, the log is treated
        like a forked log, even after its owner has come back.
        """
        ends = {device: min(end, forks.get(device, end)) for device, end in self.ends.items()}
        return {**forks, **ends}

    def named(self, signers: Signers) -> dict[bytes, frozenset[bytes]]:
        """Returns the signers of each device. Leaves out the removed people, who are in `out`.

        But a removed person stays the signer of the devices that a settled cut names (R-03.35c).
        """
        named = {
            device: frozenset(who for who in people if not self.is_unnamed(who, device))
            for device, people in signers.items()
        }
        return {device: people for device, people in named.items() if people}

    def is_unnamed(self, person: bytes, device: bytes) -> bool:
        """Returns True if the person is in `out`, and no settled cut of the person's logs names the
        device.
        """
        return person in self.out and device not in self.cuts[person]

    def without_restored(self, held: Registers) -> "SettledCuts":
        """Returns a copy in which `out` has only people who are still removed.

        A person is still removed if the register of their standing still holds the removal in
        `out`.
        """
        none = Holding(0, None)
        out = {who: n for who, n in self.out.items() if held.get((STANDING, who), none).n == n}
        return SettledCuts(self.cuts, out)


def read_settled_cuts(
    index: AuthorityIndex,
    passed: Mapping[bytes, Term],
    supported: Mapping[bytes, set[bytes]],
    chain: Chain,
    signers: Signers,
) -> SettledCuts:
    """Returns the cuts that the settled terms of the chain have written down (R-03.35a).

    `passed` has all terms that passed. `supported` maps each of them to the people who accepted it.
    """
    for last in range(len(chain.terms), 1, -1):
        path = chain.terms[:last]
        removed = {person for term in path for person in _removed_in(term)}
        if not removed:
            return SettledCuts()
        links = pairwise(path)
        if all(_is_settled(index, passed, supported, signers, link, removed) for link in links):
            return _cuts_along(path)
    return SettledCuts()


def _is_settled(
    index: AuthorityIndex,
    passed: Mapping[bytes, Term],
    supported: Mapping[bytes, set[bytes]],
    signers: Signers,
    link: tuple[Term, Term],
    removed: set[bytes],
) -> bool:
    """Returns True if a term passed and would be firm even without the `removed` people (R-03.35a).

    A term is firm if two thirds of its parent's roll accepted the term. `link` is the parent term
    and the term.
    """
    parent, term = link
    judging = parent.roll - removed
    siblings = [sibling for sibling in passed.values() if sibling.parent == parent.id]
    times_accepted = Counter(
        person for sibling in siblings for person in supported[sibling.id] & judging
    )
    accepted = [who for who in supported[term.id] & judging if times_accepted[who] == 1]
    yes = voters(index, signers, term.id) & judging
    return 2 * len(yes) > len(parent.roll) and 3 * len(accepted) >= 2 * len(parent.roll)


def _removed_in(term: Term) -> dict[bytes, Holding]:
    """Returns the people that a term lists as removed, with what the term says of their
    standing.
    """
    return {
        key: holding
        for (what, key), holding in term.written.items()
        if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
    }


def _cuts_along(path: tuple[Term, ...]) -> SettledCuts:
    lowest: dict[bytes, Cuts] = {}
    for term in path:
        for person, holding in _removed_in(term).items():
            cuts = lowest.setdefault(person, {})
            for device, last in cuts_of(holding).items():
                cuts[device] = min(last, cuts.get(device, last))
    out = {person: holding.n for person, holding in _removed_in(path[-1]).items()}
    return SettledCuts(lowest, out)
