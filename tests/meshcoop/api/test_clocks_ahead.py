"""Homes whose clocks are ahead: their neighbours can go on, and learn whose clock is wrong
(R-03.18c, R-03.18d).
"""

from random import Random

import pytest
import trio

from meshcoop.api.methods.status import show_ahead
from meshcoop.api.peer_clocks import PeerClock, compare_clocks, show_other_clocks, show_own_clock
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import Queries
from meshcoop.author.founding import Identity
from meshcoop.cli import plain_text
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.errors import Refused
from protocol.wire import calls
from tests.support.api_in_memory import Asking
from tests.support.street_in_memory import HOUR, settle, street


@pytest.fixture
def lane():
    """Makes the homes of Ada, Ben and Cho. Ben's clock is 23 hours ahead."""
    with street(homes=3, timezone="America/New_York") as homes:
        for home, name in zip(homes, ("Ada", "Ben", "Cho"), strict=True):
            home.post("profile", name=name)
        settle(*homes)
        homes[1].skew = 23 * HOUR
        yield homes


def show(home, record):
    queries = Queries(Asking(home).membership, home.now, home.me.person, home.author.private)
    return trio.run(queries.show_record, calls.Show(id=record.id.hex()))


def ahead(home):
    return show_ahead(home.state, Presenter(home.state, home.now))


def test_a_record_from_ahead_is_named_and_not_shown(lane):
    ada, ben, _ = lane
    offer = ada.post("offer", title="A lift", minutes="60")
    settle(*lane)
    for early in (ben.post("request", title="A ladder"), ben.post("response", offer)):
        settle(*lane)
        with pytest.raises(
            Refused, match=r"Ben's home dated this .* set the clock there"
        ) as refused:
            show(ada, early)
        assert refused.value.rule == "R-03.18c"
        assert refused.value.arguments["now"] == ada.state.clock_at(ada.now()).now.replace("T", " ")
        ada.street.clock += 23 * HOUR
        ada.state.fold_due()
        assert show(ada, early)["author"]["name"] == "Ben"
        ada.street.clock -= 23 * HOUR


def test_a_record_about_one_from_ahead_is_neither_posted_nor_a_crash(lane):
    ada, ben, cho = lane
    early = ben.post("request", title="A ladder")
    settle(*lane)
    with pytest.raises(Refused):
        ada.post("response", early)
    later = ben.post("close", early, as_state="withdrawn")
    settle(*lane)
    with pytest.raises(Refused, match="Ben's home"):
        show(cho, later)


def test_the_home_that_is_ahead_is_named_to_the_others_and_not_theirs(lane):
    ada, ben, cho = lane
    assert ahead(ada) == []
    ben.post("request", title="A ladder")
    settle(*lane)

    for home in (ada, cho):
        [row] = ahead(home)
        sentence = plain_text.format_ahead(row, home.state.clock_at(home.now()))
        assert sentence.startswith("Ben's home dated something 20")
        assert sentence.endswith("ask Ben to set the clock there.")
        assert home.author.find_fault(home.me.device) is None
    assert ahead(ben) == []


def test_a_home_whose_records_are_not_even_stored_is_named_until_they_are_due(lane):
    ada, ben, _ = lane
    ben.skew = 71 * HOUR
    ben.post("request", title="A ladder")
    settle(*lane)
    [row] = ahead(ada)
    assert row["person"]["name"] == "Ben"
    assert row["device"] == ben.me.device.hex()

    ada.street.clock += 71 * HOUR
    assert ada.state.clock_limit.take_awaited()
    ada.inbox.ingest([])
    assert ahead(ada) == []
    assert ada.store.logs.find(ben.me.device).head == ben.head


def test_who_was_ahead_learns_it_when_the_clock_is_right_again(lane):
    _, ben, _ = lane
    ben.post("request", title="A ladder")
    ben.skew = 0

    fault = ben.author.find_fault(ben.me.device)
    assert fault.rule == "R-03.32"
    assert "set this machine's clock if" in fault.reason
    assert "if it is right, wait until" in fault.reason


async def compared_clocks(homes):
    """Connects three homes in memory. Returns the clocks that each of them has compared with its own."""
    network = MemoryNetwork(Random(1))
    async with (
        network.host("a") as first,
        network.host("b") as second,
        network.host("c") as third,
        trio.open_nursery() as nursery,
    ):
        meshes = [
            HomeMesh(host, home.author, home.now, home.street.dice.randbytes)
            for home, host in zip(homes, (first, second, third), strict=True)
        ]
        for mesh in meshes:
            await nursery.start(mesh.run)
            mesh.peers.learn(map(network.address, "abc"))
        await trio.sleep(60)  # of the clock that jumps
        told = [compare_clocks(mesh.conversations.values()) for mesh in meshes]
        nursery.cancel_scope.cancel()
    return told


@pytest.mark.parametrize(("hours", "where"), [(23, "23 hours ahead of"), (-71, "71 hours behind")])
async def test_the_home_whose_clock_is_wrong_is_told_as_soon_as_it_meets_others(
    lane, hours, where, autojump_clock
):
    lane[1].skew = hours * HOUR

    first, wrong, third = map(show_own_clock, await compared_clocks(lane))

    assert first is third is None
    assert plain_text.format_own_clock(wrong).startswith(
        f"This machine's clock is {where} 2 of 2 other clocks."
    )


async def test_one_person_who_lies_about_the_time_makes_no_home_doubt_its_own_clock(
    lane, autojump_clock
):
    """Attacker: a member, with two devices. Asset: what homes say of their clocks (R-03.18f)."""
    ada, ben, _ = lane
    extra = Identity.of(ben.me.root_seed, ben.street.dice.randbytes, ben.street.place)
    phone = ben.street.home(ben, extra)
    ben.write("device", statement=extra.statement)
    settle(*lane, phone)
    ben.skew = phone.skew = 5 * HOUR
    nodes = [ada, ben, phone]

    clocks, *_ = await compared_clocks(nodes)

    assert show_own_clock(clocks) is None
    (row,) = show_other_clocks(clocks, Presenter(ada.state, ada.now))
    assert row["minutes"] == -5 * 60
    assert plain_text.format_other_clock(row) == (
        "This machine's clock is 5 hours behind Ben's clock. One of the two is wrong."
    )


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        ([9], None),
        ([9, 0], None),
        ([9, -9], None),  # they do not agree
        ([9, 1], 60),  # the lie moves nothing
        ([9, 9, 0, 0], None),
        ([900, 1, 1, 0], 60),
        ([-2, -2, 0], -120),
    ],
)
def test_most_clocks_and_at_least_two_say_how_wrong_the_own_clock_is(hours, minutes):
    clocks = [PeerClock(bytes([n]), ahead * HOUR) for n, ahead in enumerate(hours)]

    own_clock = show_own_clock(clocks)

    assert (own_clock and own_clock["minutes"]) == minutes
