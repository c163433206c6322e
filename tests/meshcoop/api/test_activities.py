"""Activities at homes: the fields that software fills in, and the posts that software refuses. One
test cuts the connection between two homes, and both homes give away the last place.
"""

import random
from contextlib import suppress
from datetime import UTC

import pytest

from meshcoop.api.presenter import Presenter
from meshcoop.cli import plain_text as told
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import COMMON_POT
from protocol.kinds.activities.activities import Signup
from protocol.local_clock import start_of
from tests.support.clocks import clock_at
from tests.support.council import alike, council
from tests.support.street_in_memory import MORNING, by_id, settle, street

TODAY, NEXT, LATER = "2026-11-18", "2026-11-25", "2026-12-02"
WEEKLY = {"title": "Lunch", "starts": f"{TODAY}T12:30", "minutes": "90", "repeats": "FREQ=WEEKLY"}
DAY_MS = 86_400_000
CLOCK = clock_at(TODAY)
BEGINS = start_of(WEEKLY["starts"], UTC)


@pytest.fixture
def lane():
    with street(homes=3) as homes:
        yield homes


def lunch(home, **more):
    fields = WEEKLY | {"roles": ["cook=1", "server=2"]} | more
    return home.post("activity", **{name: one for name, one in fields.items() if one})


def shown(home, one):
    return Presenter(home.state, home.now).show_view(home.view(one))


def states(home, *signups):
    return [home.view(one).state for one in signups]


def test_what_is_left_out_is_the_next_day_and_the_only_role(lane):
    home = lane[0]
    home.street.clock = MORNING + 2 * DAY_MS
    root = lunch(home, roles="cook=1")
    signup = home.post("signup", root)

    view = home.view(signup)
    assert (view.on, view.role, view.state) == (NEXT, "cook", "placed")
    assert home.view(root).offset == 0


def test_roles_come_as_pairs_or_as_a_map(lane):
    home = lane[0]
    pairs = lunch(home, roles=["cook = 1", "a=b=2"])
    mapped = lunch(home, roles={"cook": 1, "a=b": 2})

    assert home.view(pairs).roles == home.view(mapped).roles == {"cook": 1, "a=b": 2}
    for wrong in (
        ["cook"],
        ["=2"],
        ["cook=x"],
        ["cook=1", "cook=2"],
        {"cook": 0},
        {"x" * 41: 1},
        7,
    ):
        with pytest.raises(Refused):
            lunch(home, roles=wrong)


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"repeats": "FREQ=SECONDLY"}, "R-17.2"),
        ({"starts": f"{TODAY}T12:30Z"}, "R-17.1"),
        ({"repeats": "FREQ=WEEKLY;BYDAY=MO"}, "R-17.3"),
        ({"roles": ["cook=60", "server=5"]}, "R-17.5"),
    ],
)
def test_what_nobody_could_take_part_in_is_not_signed(lane, wrong, rule):
    with pytest.raises(Refused) as refused:
        lunch(lane[0], **wrong)

    assert refused.value.rule == rule


def test_nobody_is_signed_up_twice_or_for_what_is_cancelled(lane):
    ada, ben, _ = lane
    root = lunch(ada)
    settle(*lane)
    first = ben.post("signup", root, role="cook")
    with pytest.raises(Refused, match="in another role"):
        ben.post("signup", root, role="server")
    ben.post("close", first, as_state="withdrawn")
    ben.post("signup", root, role="server")
    ada.post("close", root, as_state="cancelled")
    settle(*lane)
    with pytest.raises(Refused, match="cancelled"):
        lane[2].post("signup", root, role="cook")


def test_no_more_are_accepted_than_there_are_places(lane):
    ada, ben, cho = lane
    root = lunch(ada)
    settle(*lane)
    first, second = ben.post("signup", root, role="cook"), cho.post("signup", root, role="cook")
    settle(*lane)
    ada.post("accept", second)
    with pytest.raises(Refused, match=r"R-17\.8"):
        ada.post("accept", first)
    assert states(ada, first, second) == ["waiting", "placed"]


def test_the_last_place_taken_on_both_sides_of_a_cut_has_one_winner(lane):
    ada, ben, cho = lane
    root = lunch(ada, roles="cook=1")
    settle(*lane)
    first, second = ben.post("signup", root), cho.post("signup", root)
    assert states(ben, first) == states(cho, second) == ["placed"]
    settle(*lane)

    assert [states(home, first, second) for home in lane] == [["placed", "waiting"]] * 3
    assert len({home.state_hash() for home in lane}) == 1


def test_attendance_writes_down_who_had_a_place_and_that_stays(lane):
    ada, ben, cho = lane
    root = lunch(ada, roles="cook=1")
    settle(*lane)
    late = cho.post("signup", root)  # Cho is cut off: no other home has this signup yet
    ben.street.clock += 1000
    first = ben.post("signup", root)
    settle(ada, ben)
    ada.street.clock = MORNING + DAY_MS
    written = ada.post("attendance", root, people=[ben.me.person.hex()], on=TODAY)
    assert ada.view(written).held == {"cook": [ben.me.person]}
    settle(*lane)

    assert [states(home, first, late) for home in lane] == [["placed", "waiting"]] * 3
    (day,) = shown(cho, root)["occurrences"]
    assert [one["id"] for one in day["came"]] == [ben.me.person.hex()]
    assert day["missed"] == []
    with pytest.raises(Refused, match="others rely on"):
        ada.post("retract", written)


def test_nobody_writes_down_who_came_beforehand(lane):
    ada = lane[0]
    root = lunch(ada)
    with pytest.raises(Refused) as refused:
        ada.post("attendance", root, people=[ada.me.person.hex()], on=LATER)

    assert refused.value.rule == "R-17.12"


def test_the_neighbour_signs_the_elder_up(lane):
    ada, elder, neighbour = lane
    root = lunch(ada)
    elder.post(
        "proxy", person=neighbour.me.person.hex(), matters=["signup", "close"], until="2027-01-31"
    )
    settle(*lane)
    signup = neighbour.author.post(
        "signup", {"role": "cook"}, about=root.id, represented=elder.me.person, resolve=by_id
    )
    settle(*lane)

    view = ada.view(signup)
    assert (view.author, view.by) == (elder.me.person, neighbour.me.person)
    (day,) = ada.view(root).occurrences
    assert day["roles"][0]["has"] == [elder.me.person]
    elder.post("close", signup, as_state="withdrawn")
    assert states(elder, signup) == ["withdrawn"]


@pytest.mark.parametrize(
    ("timezone", "state"),
    [("Europe/London", "open"), ("", "open"), ("Asia/Kolkata", "past"), ("Nowhere", "open")],
)
def test_what_is_past_is_told_by_the_clock_here(timezone, state):
    with street(homes=2, timezone=timezone) as (home, _):
        root = home.post("activity", title="Walk", starts=f"{TODAY}T12:30", minutes="30")
        home.street.clock = start_of("2026-11-18T12:45", UTC)

        assert shown(home, root)["state"] == state
        assert shown(home, root)["upcoming"] == ([] if state == "past" else [TODAY])
        assert home.view(root).state == "open"


def test_the_pot_pays_who_ran_it_once_a_day(lane):
    ada, ben, _ = lane
    root = lunch(ada)
    settle(*lane)
    ben.post("signup", root, role="cook")
    settle(*lane)
    came = [one.me.person.hex() for one in (ada, ben)]
    ada.street.clock = BEGINS
    written = ada.post("attendance", root, people=came)
    receipt = ada.post("receipt", written)  # besides Ada, only Ben came
    with pytest.raises(AlreadySo):
        ada.post("receipt", written)
    with pytest.raises(Refused, match=r"R-17\.16"):
        ada.post("receipt", written, minutes="60")
    settle(*lane)
    ben.post("confirm", receipt)
    settle(*lane)

    for home in lane:
        assert home.balances() == {ben.me.person: 90, COMMON_POT: -90}
        assert shown(home, receipt)["receiver"] == {
            "id": COMMON_POT.hex(),
            "name": "the common pot",
        }


def test_a_day_is_told_in_words(lane):
    ada, ben, cho = lane
    root = lunch(ada)
    settle(*lane)
    first, second = ben.post("signup", root, role="cook"), cho.post("signup", root, role="cook")
    settle(*lane)
    ada.street.clock = BEGINS
    written = ada.post("attendance", root, people=[cho.me.person.hex()])
    told_of = told.format_view({**shown(ada, root), "history": []}, CLOCK)

    ben_, cho_ = (shown(ada, one)["author"]["name"] for one in (first, second))
    assert "  roles: cook=1, server=2" in told_of
    assert f"  {TODAY}:\n    cook (1/1) {ben_}; waiting: {cho_}\n    server (0/2)" in told_of
    assert f"    came: {cho_}" in told_of
    assert f"  held: cook={ben_}" in told.format_view({**shown(ada, written), "history": []}, CLOCK)


def test_hidden_words_take_the_names_of_roles_along():
    with street(homes=3) as homes:
        council(*homes)
        ada, ben, cho = homes
        root = lunch(cho, roles="something rude=1", repeats=None)
        settle(*homes)
        signup = ben.post("signup", root)
        settle(*homes)
        for home in (ada, ben):
            home.post("hide", root)
            settle(*homes)

        assert "rude" not in repr([cho.view(root), cho.view(signup)])
        assert cho.view(root).occurrences[0]["roles"][0]["has"] == [ben.me.person]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_arrival_gives_one_state(seed):
    dice = random.Random(seed)
    with street(seed, homes=4) as homes:
        root = lunch(homes[0])
        settle(*homes)
        for home in dice.sample(homes, 4) * 3:
            with suppress(Refused):
                mine = home.post("signup", root, role=dice.choice(["cook", "server"]))
                if dice.random() < 0.4:
                    home.post("close", mine, as_state="withdrawn")
            if dice.random() < 0.3:
                settle(*dice.sample(homes, 2))
        for one in homes[0].state.views.of_kind(Signup)[:2]:
            with suppress(Refused):
                homes[0].author.post("accept", {}, about=one.id, resolve=by_id)
        alike(*homes)
        twin = homes[0].street.twin(homes[0])
        wires = homes[0].wires()
        for _ in range(2):
            dice.shuffle(wires)
            twin.feed(wires)
        settle(homes[0], twin)

        assert twin.state_hash() == homes[0].state_hash()
        (day,) = twin.view(root).occurrences
        assert [len(one["has"]) <= one["places"] for one in day["roles"]] == [True, True]
