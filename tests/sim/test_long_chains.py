"""A street with a long chain of terms: newcomers and relays still see who belongs.

Attackers: nobody is needed. Assets: that a large street can take in newcomers and relays.
"""

from collections.abc import Iterable, Iterator
from functools import partial

import pytest
import trio

from meshcoop.author.founding import Identity
from protocol.fold import content as contents
from protocol.fold.registry import KINDS
from protocol.record import envelope
from protocol.record.envelope import Header, Record
from protocol.record.root_statement import PLACE_SIZE
from protocol.wire import paged_chain, sync_session
from tests.support.simulated_relays import RelayHome
from tests.support.simulated_street import Home, Simulate, Street, chance, store_of


class Voters:
    """People who only vote: they sign without a home of their own."""

    def __init__(self, home: Home, count: int) -> None:
        assert home.author is not None
        self.author = home.author
        self.place = home.author.state.neighbourhood
        dice = chance(home.random)
        self.people = [Identity.new(dice, self.place[:PLACE_SIZE]) for _ in range(count)]
        self.heads: dict[bytes, Record] = {}
        for person in self.people:
            self.author.write(KINDS["device"], {"statement": person.statement})

    def renew(self, term: bytes, number: int, joining: list[bytes]) -> bytes:
        """Writes the next term. Just enough people vote for it."""
        authority = self.author.state.authority
        assert authority is not None
        fields = {
            "parent": term,
            "round": number,
            "moderators": sorted(authority.term.moderators),
            "vouchers": 1,
            "share": 50,
            "joining": sorted(joining),
        }
        renewal = self.author.write(KINDS["renewal"], fields)
        self.author.write(KINDS["vote"], {"choice": "yes"}, about=renewal.id)
        voters = self.people[: len(authority.term.roll) // 2]
        wires = [self._vote(voter, renewal).wire for voter in voters]
        self.author.inbox.ingest_wires(wires)
        assert self.author.state.authority is not None
        assert self.author.state.authority.term.id == renewal.id
        return renewal.id

    def _vote(self, voter: Identity, renewal: Record) -> Record:
        before = self.heads.get(voter.device)
        plain = contents.pack_content("vote", {"choice": "yes"})
        header = Header(
            envelope.VERSION,
            voter.device,
            before.header.seq + 1 if before else 1,
            before.id if before else None,
            renewal.header.time,
            None,
            [renewal.id],
            KINDS["vote"].audience_code,
            len(plain),
            envelope.content_digest(plain),
        )
        vote = envelope.sign(header, plain, self.place, voter.device_seed)
        self.heads[voter.device] = vote
        return vote


def make_terms(home: Home, people: int, terms: int) -> Voters:
    voters = Voters(home, people)
    term = voters.renew(voters.place, 1, [person.person for person in voters.people])
    for number in range(2, terms + 1):
        term = voters.renew(term, number, [])
    return voters


async def grow(street: Street, *, people: int, terms: int) -> None:
    away = street.homes.pop("cho")
    founder, other = street.homes.values()
    relay = RelayHome(street, "relay")
    async with trio.open_nursery() as nursery:
        for node in (relay, founder, other):
            await nursery.start(node.live)
        make_terms(founder, people, terms)
        await street.settle()
        assert founder.mesh is not None
        credentials = founder.mesh.credentials
        newcomer = street.newcomer("newcomer", founder)
        await nursery.start(newcomer.live)
        await street.settle()
        chain = credentials.chain(newcomer.identity.device)
        assert len(chain) > sync_session.MAX_CHAIN
        assert store_of(newcomer).records.count() == store_of(founder).records.count()

        await relay.enrolled_by(founder)
        await street.settle()
        await trio.sleep(60)
        served = relay.served.store.records
        assert set(served.ids()) == set(store_of(founder).records.ids())
        for home in (founder, other):
            await home.kill()
        street.homes = {"cho": away, "newcomer": newcomer}
        # Only the newcomer is on when a home comes back that has missed all terms.
        away.knows = [street.network.address("newcomer")]
        await nursery.start(away.live)
        await street.settle()
        assert set(store_of(away).records.ids()) == set(store_of(newcomer).records.ids())
        nursery.cancel_scope.cancel()


async def come_back(street: Street) -> None:
    """Cho comes back after four terms. Only Eve is on. Dan vouched for Eve, and Dan is on the roll
    of the last term alone. So Eve has to show all terms.
    """
    cho = street.homes.pop("cho")
    ada, ben = street.homes.values()
    async with trio.open_nursery() as nursery:
        for node in (ada, ben):
            await nursery.start(node.live)
        voters = make_terms(ada, 6, 3)
        await street.settle()
        dan = street.newcomer("dan", ada)
        await nursery.start(dan.live)
        await street.settle()
        assert ada.author is not None
        assert ada.author.state.authority is not None
        voters.renew(ada.author.state.authority.term.id, 4, [dan.identity.person])
        await street.settle()
        eve = street.newcomer("eve", dan)
        await nursery.start(eve.live)
        await street.settle()
        for home in (ada, ben, dan):
            await home.kill()
        street.homes = {"cho": cho, "eve": eve}
        cho.knows = [street.network.address("eve")]
        await nursery.start(cho.live)
        await street.settle()
        assert set(store_of(cho).records.ids()) == set(store_of(eve).records.ids())
        nursery.cancel_scope.cancel()


def pages_of_five(wires: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = list(wires)
    for at in range(0, len(rest), 5):
        yield rest[at : at + 5]


def test_a_newcomer_and_a_relay_see_who_belongs_where_few_records_fit_into_a_hello(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_session, "MAX_CHAIN", 12)
    monkeypatch.setattr(paged_chain, "batch_records", pages_of_five)
    simulate(1, partial(grow, people=6, terms=4), ("ada", "ben", "cho"))


def test_a_home_that_is_four_terms_behind_meets_only_somebody_it_does_not_know(
    simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_session, "MAX_CHAIN", 12)
    monkeypatch.setattr(paged_chain, "batch_records", pages_of_five)
    simulate(1, come_back, ("ada", "ben", "cho"))


@pytest.mark.long
def test_a_newcomer_and_a_relay_see_who_belongs_in_a_street_of_many_voters_and_terms(
    simulate: Simulate,
) -> None:
    simulate(1, partial(grow, people=60, terms=6), ("ada", "ben", "cho"))
