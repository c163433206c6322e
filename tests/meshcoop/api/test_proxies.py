"""A proxy: a neighbour acts for an elder until a given day, for the kinds of records that the elder
has named. The neighbour can never act against the elder.
"""

import random

import pytest

from protocol.errors import Refused
from protocol.fold.fold import fold_thread
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry
from protocol.schema.fields import Many, Map
from tests.support.street_in_memory import HOUR, by_id, exchange, settle, street

MATTERS = ["request", "response", "agreement", "receipt", "confirm"]
UNTIL = "2027-01-31"
NAMING_PEOPLE = [
    (declared.name, name)
    for declared in KINDS.values()
    for name, rule in declared.fields.items()
    if rule.names_people
]


def name_in(rule, person):
    """Returns a value for a field that names a person, inside a list or a map if need be."""
    if isinstance(rule, Map):
        return {"cook": name_in(rule.of, person)}
    if isinstance(rule, Many):
        return [b"?" * 32, name_in(rule.of, person)]
    return person


def give(elder, to, matters=MATTERS, until=UNTIL):
    return elder.post("proxy", person=to.me.person.hex(), matters=matters, until=until)


def post_for(home, elder, kind, about=None, /, **fields):
    home.street.clock += 60_000
    return home.author.post(
        kind, fields, about=about and about.id, represented=elder.me.person, resolve=by_id
    )


@pytest.fixture
def lane():
    """Makes the homes of the elder, of the neighbour who acts for her, and of the driver."""
    with street(homes=3) as homes:
        yield homes


def test_a_record_shows_both(lane):
    elder, neighbour, driver = lane
    give(elder, neighbour)
    settle(*lane)
    one = post_for(neighbour, elder, "request", title="A lift", minutes="60")
    settle(*lane)
    view = driver.view(one)
    assert (view.author, view.by) == (elder.me.person, neighbour.me.person)
    assert one.header.device == neighbour.me.device
    assert len({home.state_hash() for home in lane}) == 1
    assert driver.view(driver.post("offer", title="as myself")).by is None


def test_a_whole_exchange_is_the_elders_and_moves_her_minutes(lane):
    elder, neighbour, driver = lane
    give(elder, neighbour)
    settle(*lane)
    request = post_for(neighbour, elder, "request", title="A lift", minutes="60")
    settle(*lane)
    response = driver.post("response", request, text="at nine")
    settle(*lane)
    agreement = post_for(neighbour, elder, "agreement", response)
    settle(*lane)
    receipt = driver.post("receipt", agreement)
    settle(*lane)
    post_for(neighbour, elder, "confirm", receipt)
    settle(*lane)
    assert driver.view(receipt).state == "confirmed"
    assert driver.balances() == {driver.me.person: 60, elder.me.person: -60}


def test_a_proxy_never_signs_where_it_is_the_other_party(lane):
    elder, neighbour, _ = lane
    give(elder, neighbour)
    settle(*lane)
    request = post_for(neighbour, elder, "request", title="Hemming", minutes="60")
    settle(*lane)
    response = neighbour.post("response", request, text="I do it myself")
    settle(*lane)
    with pytest.raises(Refused, match=r"R-12\.6"):
        post_for(neighbour, elder, "agreement", response)
    settle(*lane)
    agreement = elder.post("agreement", response)  # the elder herself may agree
    settle(*lane)
    receipt = neighbour.post("receipt", agreement)
    settle(*lane)
    with pytest.raises(Refused, match=r"R-12\.6"):
        post_for(neighbour, elder, "confirm", receipt)
    own = neighbour.post("offer", title="My own")
    with pytest.raises(Refused, match=r"R-12\.6"):
        post_for(neighbour, elder, "response", own)


@pytest.mark.parametrize(("kind", "field"), NAMING_PEOPLE, ids=".".join)
def test_a_proxy_never_signs_where_a_field_names_them(lane, kind, field):
    elder, neighbour, _ = lane
    values = {field: name_in(KINDS[kind].fields[field], neighbour.me.person)}
    entry = Entry(b"1" * 32, neighbour.me.device, 2, 1, None, elder.me.person, kind, values)
    answer = Entry(b"2" * 32, neighbour.me.device, 3, 2, entry.id, elder.me.person, "accept", {})
    entry, answer = (each._replace(by=neighbour.me.person) for each in (entry, answer))
    thread = fold_thread([entry, answer], elder.state.authority)
    assert [line.refusal.rule for line in thread.history] == ["R-12.6", "R-12.6"]


def test_a_proxy_does_not_write_down_that_they_came(lane):
    elder, neighbour, driver = lane
    give(elder, neighbour, ["activity", "signup", "attendance"])
    lunch = elder.post("activity", title="Lunch", starts="2026-11-18", roles=["cook=2"])
    settle(*lane)
    people = [home.me.person.hex() for home in (neighbour, driver)]
    with pytest.raises(Refused, match=r"R-12\.6"):
        post_for(neighbour, elder, "attendance", lunch, people=people, on="2026-11-18")
    post_for(neighbour, elder, "attendance", lunch, people=people[1:], on="2026-11-18")


def test_only_in_the_matters_until_the_day_and_by_who_was_named(lane):
    elder, neighbour, driver = lane
    give(elder, neighbour, ["request"], "2026-11-30")
    settle(*lane)
    with pytest.raises(Refused, match=r"for request, not for offer"):
        post_for(neighbour, elder, "offer", title="Bread")
    with pytest.raises(Refused, match=r"given you no proxy"):
        post_for(driver, elder, "request", title="A lift")
    with pytest.raises(Refused, match=r"given you no proxy"):
        post_for(elder, neighbour, "request", title="A lift")
    post_for(neighbour, elder, "request", title="in time")
    for home in lane:
        home.skew = 30 * 24 * HOUR
    with pytest.raises(Refused, match=r"holds until 2026-11-30"):
        post_for(neighbour, elder, "request", title="too late")


def test_only_the_person_ends_it_and_what_was_signed_before_stays(lane):
    elder, neighbour, driver = lane
    proxy = give(elder, neighbour, [*MATTERS, "close"])
    settle(*lane)
    before = post_for(neighbour, elder, "request", title="before")
    settle(*lane)
    for home, how in ((neighbour, {}), (driver, {})):
        with pytest.raises(Refused, match=r"R-14\.2"):
            home.post("close", proxy, as_state="ended", **how)
    with pytest.raises(Refused, match=r"R-12\.6"):
        post_for(neighbour, elder, "close", proxy, as_state="ended")
    with pytest.raises(Refused, match=r"R-01\.17"):
        elder.post("retract", proxy)
    elder.post("close", proxy, as_state="ended")
    settle(*lane)
    assert driver.view(proxy).state == "ended"
    with pytest.raises(Refused, match="who gave the proxy has ended it"):
        post_for(neighbour, elder, "request", title="after")
    assert driver.view(before).title == "before"


@pytest.mark.parametrize(
    "wrong",
    [
        {"matters": ["charter"]},
        {"matters": ["proxy"]},
        {"matters": ["retract"]},
        {"matters": []},
        {"person": None},
    ],
)
def test_what_nobody_can_leave_to_another(lane, wrong):
    elder, neighbour, _ = lane
    person = (elder if "person" in wrong else neighbour).me.person.hex()
    with pytest.raises(Refused, match=r"R-12\.3"):
        elder.post("proxy", person=person, matters=wrong.get("matters", MATTERS), until=UNTIL)


@pytest.mark.parametrize("named", [b"x" * 32, b"", 7, [1], {"a": 1}, "text", None])
def test_a_forged_record_by_no_proxy_does_not_count(lane, named):
    elder, neighbour, driver = lane
    give(elder, neighbour)
    settle(*lane)
    fields = {"title": "forged"} | ({} if named is None else {"for": named})
    one = driver.put(driver.forge("request", **fields))
    settle(*lane)
    told = elder.told(one)
    assert told == (None if named is None else "R-12.4")
    assert getattr(elder.view(one), "author", None) in {None, driver.me.person}


def test_another_persons_proxy_is_of_no_use(lane):
    elder, neighbour, driver = lane
    proxy = give(elder, neighbour)
    settle(*lane)
    one = driver.put(driver.forge("request", title="forged", **{"for": proxy.id}))
    late = neighbour.put(
        neighbour.forge("charter", **{"name": "x", "founders": [], "for": proxy.id})
    )
    settle(*lane)
    assert elder.told(one) == "R-12.4"
    assert elder.told(late) is not None


def test_in_any_order_the_same_comes_of_it(lane):
    elder, neighbour, driver = lane
    proxy = give(elder, neighbour)
    settle(*lane)
    posts = [post_for(neighbour, elder, "request", title=f"{n}") for n in range(3)]
    settle(*lane)
    driver.post("response", posts[0], text="yes")
    settle(*lane)
    elder.post("close", proxy, as_state="ended")
    exchange(elder, driver)
    settle(*lane)
    wires = driver.wires()
    for seed in range(8):
        fresh = driver.street.home(driver, driver.me)
        for one in random.Random(seed).sample(wires, len(wires)):
            fresh.feed([one])
        assert fresh.state_hash() == driver.state_hash()
        fresh.state.rebuild()
        assert fresh.state_hash() == driver.state_hash()
    assert all(driver.view(one).by == neighbour.me.person for one in posts)


def test_a_late_end_takes_back_what_was_signed_after_it(lane):
    elder, neighbour, driver = lane
    proxy = give(elder, neighbour)
    settle(*lane)
    elder.post("close", proxy, as_state="ended")  # she signs it while her home has no connection
    one = post_for(neighbour, elder, "request", title="in good faith")
    settle(neighbour, driver)
    assert driver.view(one).title == "in good faith"
    settle(*lane)
    assert driver.view(one) is None
    assert driver.told(one) == "R-12.4"
    assert len({home.state_hash() for home in lane}) == 1
