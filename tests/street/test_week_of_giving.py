"""One week in Rushey Lane, steps 2 to 6 and 13, on real nodes: what people give each other."""

import json
from datetime import UTC, datetime, timedelta

from tests.support.disk_traces import disguises, in_files, sealed_in
from tests.support.real_homes import agree, eventually, put_on_roll, together
from tests.support.two_halves import halves

ADDRESS = "12 Quincunx Terrace, second floor, ring twice"
ELDER = ("--as", "Elder")
PIN = "2412"


def day(ahead):
    return (datetime.now(UTC) + timedelta(days=ahead)).date()


def next_thursday():
    """Returns the first Thursday from tomorrow on."""
    tomorrow = day(1)
    return (tomorrow + timedelta(days=(3 - tomorrow.weekday()) % 7)).isoformat()


def everybody(street):
    """Makes the four homes. The elder is a guest of the neighbour; two more guests live at the
    shopkeeper's.
    """
    east, west = street.east, street.west
    neighbour = east.founder("Neighbour")
    driver, shop, nurse, _ = together(
        lambda: west.newcomer(neighbour, "Driver"),
        lambda: west.newcomer(neighbour, "Shopkeeper"),
        lambda: east.newcomer(neighbour, "Nurse"),
        lambda: guest(neighbour, "Elder"),
    )
    put_on_roll(neighbour, shop)  # before that, the shopkeeper lets nobody in
    together(*(lambda name=name: guest(shop, name) for name in ("Baker", "Tailor")))
    return neighbour, nurse, driver, shop


def guest(home, name):
    """Makes somebody without a machine a guest of this home. All guests of these homes have the
    same PIN.
    """
    pin = home.path.parent / "pin"
    pin.write_text(PIN + "\n")
    home.env["MESHCOOP_PIN_FILE"] = str(pin)
    assert home("guest", "--as", name)["state"] == "member"


def suggested_to_each_other(neighbour, nurse):
    """2. Checks that the nurse and the elder are suggested to each other.

    The elder has listed what she can do before anybody needed it. The nurse has a request and an
    offer.
    """
    assets = [word for one in ("hemming", "Yoruba", "listening") for word in ("--assets", one)]
    wants = ("--wants", "blood pressure")
    profile = neighbour.post("profile", *ELDER, "--name", "Elder", *assets, *wants)
    nurse.has(profile)
    offer, asked = together(
        lambda: nurse.post("offer", "--title", "Blood pressure sessions", "--minutes", "15"),
        lambda: nurse.post(
            "request", "--title", "A Yoruba speaker at the surgery", "--minutes", "90"
        ),
    )
    neighbour.has(offer, asked)
    to_elder, why, to_nurse, (who,), said, ways, way, (quarter,) = together(
        lambda: neighbour("list", "suggestions", *ELDER),
        lambda: neighbour.text("list", "suggestions", *ELDER, "--about", asked),
        lambda: nurse("list", "suggestions"),
        lambda: nurse("list", "suggestions", "--about", asked[:10]),
        lambda: nurse.text("list", "suggestions"),
        lambda: nurse("introductions", "Elder")["ways"],
        lambda: nurse.text("introductions", "Elder"),
        lambda: nurse("list", "reciprocity"),
    )
    assert {(one["suggests"], one["about"]) for one in to_elder} == {
        ("help", asked), ("want", offer),
    }  # fmt: skip
    assert "both named Yoruba" in why
    assert {one["title"] for one in to_nurse} == {"Elder"}
    assert {one["suggests"] for one in to_nurse} == {"help", "want"}
    assert who["for"]["name"] == "Elder"
    assert "You may want: Elder" in said
    assert ways[0]["first"]["name"] == "Neighbour"
    assert way.startswith("Ask ")
    assert quarter["ask_them"] == []
    return asked


def by_proxy(neighbour, driver, thursday):
    """3. The elder gives the neighbour a proxy, and the neighbour posts a request for the elder.
    Only the elder can end the proxy.
    """
    proxy = neighbour.post(
        "proxy", *ELDER, "--person", "Neighbour", "--matters", "request", "--until", "2099-12-31"
    )
    lift = neighbour.post(
        "request", "--for", "Elder", "--title", "A lift to the clinic",
        "--starts", f"{thursday}T09:30", "--minutes", "120", "--area", "south side",
    )  # fmt: skip
    driver.has(lift)
    shown = driver("show", lift)
    assert (shown["author"]["name"], shown["by"]["name"]) == ("Elder", "Neighbour")
    assert "Neighbour for Elder" in driver.text("show", lift)
    assert (shown["starts"], shown["minutes"]) == (f"{thursday}T09:30", 120)
    assert shown["area"] == "south side"
    end = ("post", "close", "--about", proxy, "--as-state", "ended")
    neighbour.refused(*end)
    neighbour(*end, *ELDER)
    again = neighbour.refused("post", "request", "--title", "Once more", "--for", "Elder")
    assert "ended" in again
    return lift


def agreed(asks, gives, intent, *, guest_asks=False):
    """Makes an agreement. The home `gives` responds to `intent`, and the home `asks` agrees. One of
    the two people is the elder.
    """
    mine, theirs = (ELDER, ()) if guest_asks else ((), ELDER)
    response = gives.post("response", "--about", intent, *theirs)
    asks.has(response)
    agreement = asks.post("agreement", "--about", response, *mine)
    gives.has(agreement)
    return agreement


def address_for_the_driver(homes, agreement):
    """4. The elder's address goes to the driver after both have agreed. No other home ever holds
    it.
    """
    neighbour, nurse, driver, shop = homes
    neighbour("address", "give", agreement, "--text", ADDRESS, *ELDER)
    shown = eventually(lambda: read_address(driver, agreement), "the address does not come")
    assert (shown["text"], shown["from"]["name"]) == (ADDRESS, "Elder")
    agree(*homes)  # from now on no home gets more records
    (sealed,) = sealed_in(driver)
    assert sealed_in(neighbour) == [sealed]
    for third in (nurse, shop):
        assert sealed_in(third) == []
        assert in_files(third, [*disguises(ADDRESS), sealed]) == []
        assert "between other people" in third.refused("address", "show", agreement)


def read_address(home, agreement):
    done = home.run("--json", "address", "show", agreement)
    return json.loads(done.stdout) if done.returncode == 0 else None


def lunch_but_for_one(neighbour, shop):
    """6. Plans a weekly lunch with six places in two roles. All places but one are taken."""
    lunch = neighbour.post(
        "activity", "--title", "Lunch", "--starts", f"{day(3)}T12:30", "--minutes", "90",
        "--repeats", "FREQ=WEEKLY", "--roles", "cook=2", "--roles", "server=4",
    )  # fmt: skip
    shop.has(lunch)

    def sign_up(home, role, *names):
        with home.lines() as script:
            form = {"kind": "signup", "about": lunch, "fields": {"role": role}}
            script.post(*({**form, "as": name} for name in names))

    together(
        lambda: sign_up(neighbour, "cook", "Neighbour", "Elder"),
        lambda: sign_up(shop, "server", "Shopkeeper", "Baker", "Tailor"),
    )
    return lunch


def interpreted(neighbour, nurse, agreement):
    """5. The elder interprets for the nurse. Both sign the receipt, and that is enough."""
    receipt = neighbour.post("receipt", "--about", agreement, "--on", f"{day(0)}", *ELDER)
    nurse.has(receipt)
    neighbour.has(nurse.post("confirm", "--about", receipt))
    for rows in together(*(lambda home=home: home("balance") for home in (neighbour, nurse))):
        found = {one["person"]["name"]: one["balance"] for one in rows}
        assert (found["Elder"], found["Nurse"], sum(found.values())) == (90, -90, 0)


def the_last_place(home, lunch):
    """6. Signs up for the last place, which is free on this side of the cut."""
    signup = home.post("signup", "--about", lunch, "--role", "server")
    assert home("show", signup)["state"] == "placed"
    return signup


def healed(homes, lunch, first, second):
    """6. After the cut, one of the two people has the place at every home, and the other person is
    told.
    """
    agree(*homes)
    for shown in together(*(lambda home=home: home("show", lunch) for home in homes)):
        cook, server = shown["occurrences"][0]["roles"]
        assert {one["name"] for one in cook["has"]} == {"Neighbour", "Elder"}
        helpers = {one["name"] for one in server["has"]}
        assert helpers == {"Shopkeeper", "Baker", "Tailor", "Nurse"}
        assert [one["name"] for one in server["waits"]] == ["Driver"]
    driver = homes[2]
    assert driver("show", first)["state"] == "placed"
    assert driver("show", second)["state"] == "waiting"


def put_right_and_given(homes, agreement):
    """13. Corrects three hours to two; the original receipt stays. Then an hour counts as a gift,
    and no balance moves.
    """
    neighbour, _, driver, shop = homes
    on = ("--on", f"{day(0)}")  # they drove earlier than agreed
    wrong = driver.post("receipt", "--about", agreement, "--minutes", "180", *on)
    neighbour.has(wrong)
    driver.has(neighbour.post("confirm", "--about", wrong, *ELDER))
    assert driver("balance", "Driver")["balance"] == 180
    why = ("--why", "It was two hours")
    right = driver.post("correction", "--about", wrong, "--minutes", "120", *why)
    neighbour.has(right)
    thanks = ("thanks", "--person", "Driver", "--minutes", "60", "--text", "For the hour")
    shop.has(
        *together(
            lambda: neighbour.post("confirm", "--about", right, *ELDER),
            lambda: neighbour.post(*thanks, *ELDER),
        )
    )
    receipt, rows, his = together(
        lambda: shop("show", wrong), lambda: shop("balance"), lambda: shop("balance", "Driver")
    )
    assert (receipt["minutes"], receipt["corrected"], receipt["state"]) == (180, 120, "confirmed")
    found = {one["person"]["name"]: one["balance"] for one in rows}
    moved = {name: balance for name, balance in found.items() if balance}
    assert moved == {"Driver": 120, "Elder": -30, "Nurse": -90}
    assert his["gifts_given"] == 60
    lines = [(one["kind"], one["minutes"], one["balance"]) for one in his["history"]]
    assert lines == [("receipt", 180, 180), ("correction", -60, 120), ("thanks", 60, 120)]


def test_a_week_of_giving():
    with halves() as street:
        homes = neighbour, nurse, driver, shop = everybody(street)
        asked = suggested_to_each_other(neighbour, nurse)
        lift = by_proxy(neighbour, driver, next_thursday())
        interpreting, driving, lunch = together(
            lambda: agreed(nurse, neighbour, asked),
            lambda: agreed(neighbour, driver, lift, guest_asks=True),
            lambda: lunch_but_for_one(neighbour, shop),
        )
        address_for_the_driver(homes, driving)
        with street.cut():
            street.alone(street.east)
            interpreted(neighbour, nurse, interpreting)
            first = the_last_place(nurse, lunch)
            street.alone(street.west)
            second = the_last_place(driver, lunch)
            assert driver("list", "receipts") == []  # no record has crossed the cut
        healed(homes, lunch, first, second)
        put_right_and_given(homes, driving)
