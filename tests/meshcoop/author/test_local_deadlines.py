"""The clocks that the charter's time zone shows decide what is over, what has begun and what day it
is (R-10.17). So nobody answers what is shown as over, and everybody can answer the rest.
"""

import pytest

from meshcoop.api.presenter import Presenter
from meshcoop.author.next_steps import find_steps
from meshcoop.cli import plain_text
from protocol.errors import Refused
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS, package_of
from protocol.local_clock import start_of
from protocol.time_zones import find_zone
from tests.support.council import by_software, propose
from tests.support.street_in_memory import by_id, settle, street

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "Pacific/Auckland", "Pacific/Kiritimati", "Asia/Kathmandu", None]
TODAY, TOMORROW, DAY_AFTER = "2026-11-26", "2026-11-27", "2026-11-28"
MINUTE = 60_000


def set_clock(homes, moment):
    """Sets the clocks here to a local moment. A post then lets one minute pass first."""
    street_here = homes[0].street
    zone = homes[0].state.clock_at(street_here.clock).zone
    street_here.clock = start_of(moment, zone) - MINUTE


def shown(home, record):
    return Presenter(home.state, home.now).show_view(home.view(record))


def offers(home, record):
    """Returns the kinds of the answers that a home offers in a thread."""
    signer = home.author.signer_of(home.me.person)
    return {step.kind for step in find_steps(home.author, signer, record.id)}


class Deadline:
    """A record that is over after some local moment, and the answers that people give until then."""

    over = "expired"
    kind = "offer"

    def __init__(self, homes, until, number):
        self.ada, self.ben, self.cho = homes
        self.number = number
        self.homes = homes
        self.record = self.post(until)
        settle(*homes)

    def post(self, until):
        response_to = self.ada.post(self.kind, title="A lift", minutes="60", until=until)
        settle(*self.homes)
        self.response = self.ben.post("response", response_to)
        return response_to

    def answers(self):
        yield lambda: self.cho.post("response", self.record)
        yield lambda: self.ada.post("agreement", self.response)


class RequestDeadline(Deadline):
    kind = "request"


class ProposalDeadline(Deadline):
    over = "failed"
    kind = "proposal"

    def post(self, until):
        return propose(self.ada, None, closes=until)

    def answers(self):
        yield lambda: self.ben.post("vote", self.record, choice="yes")


class ProxyDeadline(Deadline):
    over = "over"
    kind = "proxy"

    def post(self, until):
        ben = self.ben.me.person.hex()
        matters = ["request", "offer"][: 1 + self.number]  # who says the same again is told so
        return self.ada.post("proxy", person=ben, matters=matters, until=until[: len(TODAY)])

    def answers(self):
        ada = self.ada.me.person
        fields = {"title": "A lift"}
        yield lambda: self.ben.author.post("request", fields, represented=ada, resolve=by_id)


DEADLINES = [Deadline, RequestDeadline, ProposalDeadline, ProxyDeadline]


def test_every_kind_that_is_over_by_the_clock_is_tried_here():
    kinds = {
        name
        for name, declared in KINDS.items()
        if package_of(name) is None and declared.view_type.deadline != Kind.deadline
    }

    assert kinds == {deadline.kind for deadline in DEADLINES}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("deadline", DEADLINES)
def test_what_is_shown_as_over_is_not_answered_and_the_rest_is(deadline, zone):
    fields = {"timezone": zone} if zone else {}
    with street(homes=3, **fields) as homes:
        by_software(*homes)
        until = TODAY if deadline is ProxyDeadline else f"{TODAY}T22:00"
        over_at = f"{TOMORROW}T00:00" if deadline is ProxyDeadline else f"{TODAY}T22:01"
        set_clock(homes, f"{TODAY}T09:00")
        open_one, closing_one = (deadline(homes, until, number) for number in range(2))

        set_clock(homes, over_at)
        for answer in open_one.answers():
            homes[0].street.clock -= MINUTE  # the last minute that is not over
            assert shown(homes[0], open_one.record)["state"] != deadline.over
            answer()
            settle(*homes)

        set_clock(homes, over_at)
        homes[0].street.clock += MINUTE
        assert shown(homes[0], closing_one.record)["state"] == deadline.over
        for answer in closing_one.answers():
            with pytest.raises(Refused):
                answer()


def test_an_activity_later_this_evening_is_ahead_in_new_york():
    with street(homes=2, timezone=NEW_YORK) as homes:
        ada, ben = homes
        set_clock(homes, f"{TODAY}T18:00")
        dance = ada.post("activity", title="Dance", starts=f"{TODAY}T23:00", roles="guest=9")
        settle(*homes)
        set_clock(homes, f"{TODAY}T22:02")
        with pytest.raises(Refused, match=rf"{TODAY} 23:00.*R-17\.12"):
            ada.post("attendance", dance, people=[ben.me.person.hex()])
        set_clock(homes, f"{TODAY}T22:02")
        assert "signup" in offers(ben, dance)
        assert "attendance" not in offers(ada, dance)
        signup = ben.post("signup", dance)
        assert ben.view(signup).on == TODAY
        settle(*homes)
        assert ada.view(signup).state == "placed"

        set_clock(homes, f"{TODAY}T23:01")
        assert not {"signup", "close"} & offers(ben, dance)
        with pytest.raises(Refused, match=r"R-17\.7"):
            ada.post("signup", dance)
        assert "attendance" in offers(ada, dance)
        attendance = ada.post("attendance", dance, people=[ben.me.person.hex()])
        assert ada.view(attendance).on == TODAY


@pytest.mark.parametrize("zone", ZONES)
def test_a_signup_without_a_day_is_for_the_next_day_that_has_not_begun(zone):
    fields = {"timezone": zone} if zone else {}
    with street(homes=2, **fields) as homes:
        ada, ben = homes
        set_clock(homes, f"{TODAY}T08:00")
        swim = ada.post("activity", title="Swim", starts=f"{TODAY}T09:00", repeats="FREQ=DAILY")
        settle(*homes)
        set_clock(homes, f"{TODAY}T08:59")
        assert ada.view(ada.post("signup", swim)).on == TODAY
        set_clock(homes, f"{TODAY}T09:00")
        assert ben.view(ben.post("signup", swim)).on == TOMORROW


def test_a_proposal_that_closed_half_an_hour_ago_in_auckland_does_not_pass():
    with street(homes=3, timezone="Pacific/Auckland") as homes:
        ada, ben, _ = homes
        by_software(*homes)
        set_clock(homes, f"{TODAY}T09:00")
        closed = propose(ada, None, closes=f"{TODAY}T15:30")
        settle(*homes)
        set_clock(homes, f"{TODAY}T16:02")
        assert shown(ben, closed)["state"] == "failed"
        assert "vote" not in offers(ben, closed)
        with pytest.raises(Refused, match=r"R-16\."):
            ben.post("vote", closed, choice="yes")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("time", ["00:03", "12:00", "23:57"])
def test_a_day_that_is_left_out_is_the_local_day(zone, time):
    fields = {"timezone": zone} if zone else {}
    with street(homes=2, **fields) as homes:
        ada, ben = homes
        set_clock(homes, f"{TODAY}T{time}")
        offer = ada.post("offer", title="A lift", minutes="60")
        settle(*homes)
        response = ben.post("response", offer)
        settle(*homes)
        agreement = ada.post("agreement", response)
        settle(*homes)
        set_clock(homes, f"{TOMORROW}T{time}")
        assert ben.view(ben.post("receipt", agreement)).on == TOMORROW


def test_times_are_shown_as_the_clocks_here_show_them():
    with street(homes=1, timezone=NEW_YORK) as homes:
        (ada,) = homes
        set_clock(homes, f"{TODAY}T22:02")
        request = ada.post("request", title="A lift", starts=f"{DAY_AFTER}T03:30Z")
        history = [
            {
                "created": shown(ada, request)["created"], "author": {"name": "Ada"},
                "kind": "request", "automatic": False, "counted": True,
            }
        ]  # fmt: skip
        text = plain_text.format_view(
            {**shown(ada, request), "history": history}, ada.state.clock_at(ada.now())
        )

        assert f"  {TODAY} 22:02  Ada: request" in text
        assert f"  starts: {TOMORROW} 22:30" in text


def test_a_zone_that_does_not_exist_is_refused_with_names_like_it():
    for typed, near in {
        "Europe/Londn": "Europe/London",
        "BST": "Europe/London",
        "new york": NEW_YORK,
        "auckland": "Pacific/Auckland",
    }.items():
        with pytest.raises(Refused) as refused:
            KINDS["charter"].read_input({"name": "Here", "timezone": typed}, by_id)
        assert refused.value.rule == "R-10.3d"
        assert near in refused.value.arguments["near"]
    for typed in ("../../etc/passwd", "Etc", "", "posixrules", "\0", "x" * 65):
        with pytest.raises(Refused, match=r"R-10\.3"):
            KINDS["charter"].read_input({"name": "Here", "timezone": typed}, by_id)
    assert find_zone("../../etc/passwd") is None


@pytest.mark.parametrize(
    ("fields", "offset"),
    [
        ({"timezone": NEW_YORK}, -300),
        ({"timezone": "Europe/London"}, 0),
        ({"timezone": "Pacific/Auckland"}, 720),
        ({"timezone": NEW_YORK, "offset": 0}, 0),
        ({}, 0),
    ],
)
def test_windows_of_days_follow_the_zone_in_winter_unless_an_offset_is_given(fields, offset):
    with street(homes=1, **fields) as (home,):
        assert home.state.authority.charter["offset"] == offset
