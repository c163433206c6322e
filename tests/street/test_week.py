"""One week in Rushey Lane, steps 1, 12 and 14, on real nodes: how the neighbours decide."""

from contextlib import contextmanager

from tests.support.real_homes import agree, eventually, folder, request

CHARTER = (
    "--vouchers", "2", "--credit-low", "-600", "--credit-high", "1200", "--smallest-group", "3",
)  # fmt: skip


@contextmanager
def pin(home, path):
    """Within the block, runs the home's commands with the PIN in this file."""
    home.env["MESHCOOP_PIN_FILE"] = str(path)
    try:
        yield home
    finally:
        del home.env["MESHCOOP_PIN_FILE"]


def pins(one, **codes):
    paths = {name: one.path / f"pin of {name}" for name in codes}
    for name, path in paths.items():
        path.write_text(codes[name] + "\n")
    return paths


def comes(one, name, inviter, *vouchers):
    """Lets somebody join. The inviter's home vouches by itself. Then each of the other vouchers
    vouches with a command.
    """
    home = one.home(name.lower())
    joined = home("join", inviter.invite(), "--as", name, "--listen", one.listen())
    for voucher in vouchers:
        eventually(lambda voucher=voucher: vouched(voucher, joined), "nobody is seen to wait")
        voucher("approve", joined["person"]["id"])
    eventually(lambda: home("status")["person"], f"{name} does not come in")
    return home


def vouched(home, joined):
    waiting = home("status")["waiting"]
    known = [*waiting["vouched"], *waiting["knocks"]]
    return any(one["person"]["id"] == joined["person"]["id"] for one in known)


def people(home, state="member"):
    return [one["name"] for one in home("list", "people") if one["state"] == state]


def on_roll(home):
    return {one["name"] for one in home("status")["term"]["roll"]}


def monday(one, elder):
    """1. All people join in the same way, and two people vouch for each. Only for the second
    person, one voucher is enough.
    """
    neighbour = one.founder("Neighbour", *CHARTER)
    driver = comes(one, "Driver", neighbour)  # while there is one person, one suffices
    neighbour("renew", "--will-vote", "2")
    eventually(lambda: len(on_roll(driver)) == 2, "the roll does not grow")
    nurse = comes(one, "Nurse", neighbour, driver)
    with pin(neighbour, elder):
        waits = neighbour("guest", "--as", "Elder")
    assert waits["state"] == "waiting"
    eventually(lambda: vouched(driver, waits), "nobody is seen to wait")
    driver("approve", waits["person"]["id"])
    shop = comes(one, "Shopkeeper", driver, neighbour)  # the nurse is on no roll yet
    homes = neighbour, driver, nurse, shop
    eventually(lambda: len(people(shop)) == 5, "not all five are members")
    same = [
        (one["kind"], one["state"], one["author"] is not None) for one in nurse("list", "people")
    ]
    assert len(set(same)) == 1
    charter = nurse("list", "charters")[0]
    assert (charter["credit_low"], charter["credit_high"]) == (-600, 1200)
    return homes


def renewal(homes):
    """Puts all people on the roll, with a council of three."""
    neighbour, driver, *_ = homes
    council = [word for name in ("Neighbour", "Driver", "Nurse") for word in ("--moderator", name)]
    renewal = driver("renew", "--will-vote", "5", *council)["id"]
    neighbour.has(renewal)
    neighbour.post("vote", "--about", renewal, "--choice", "yes", "--will-vote", "5")
    eventually(lambda: all(len(on_roll(home)) == 5 for home in homes), "the roll does not grow")


def the_panel(homes, young):
    """12. Four people make a pact: a young person (a guest), the shopkeeper, a chair and a
    coordinator.
    """
    neighbour, driver, nurse, shop = homes
    with pin(neighbour, young):
        waits = neighbour("guest", "--as", "Young")
    eventually(lambda: vouched(driver, waits), "nobody is seen to wait")
    driver("approve", waits["person"]["id"])
    eventually(lambda: len(people(neighbour)) == 6, "the young person is not let in")
    with pin(neighbour, young):
        neighbour.post("profile", "--name", "Young", "--assets", "painting", "--as", "Young")
    eventually(lambda: all("Young" in people(home) for home in homes), "the young is not in")
    words = "three hours of repainting the shutter, quietly agreed"
    parties = [word for name in ("Young", "Nurse", "Driver") for word in ("--parties", name)]
    pact = shop.post("pact", "--text", words, "--minutes", "180", *parties)
    for home in (driver, nurse, neighbour):
        home.has(pact)
    for home in (driver, nurse):
        home.post("accept", "--about", pact)
    with pin(neighbour, young):
        assert neighbour("show", pact, "--as", "Young")["text"] == words
        last = neighbour.post("accept", "--about", pact, "--as", "Young")
    shop.has(last)
    assert shop("show", pact)["state"] == "agreed"
    assert neighbour("list", "pacts") == []
    assert neighbour.run("show", pact).returncode == 0  # shows that it is private, and no more
    assert words not in neighbour.run("--json", "show", pact).stdout
    assert [home.holds("repainting") for home in homes] == [[], [], [], []]


def the_flood(homes):
    """14. One key posts 500 offers. The quota stops most of them, and muting the author changes
    only one home.
    """
    _, driver, nurse, shop = homes
    with shop.lines() as script:
        flood = [{**request(f"Buy {n}"), "kind": "offer"} for n in range(500)]
        answers = []
        for at in range(0, 500, 50):
            script.say(*flood[at : at + 50])
            answers += [script.answer() for _ in range(50)]
    taken = [answer["id"] for answer in answers if "id" in answer]
    assert 200 <= len(taken) <= 250
    assert all("quota" in answer["error"] for answer in answers if "error" in answer)
    nurse.has(taken[-1])
    nurse("mute", "Shopkeeper")
    assert nurse("list", "offers") == []
    assert len(driver("list", "offers")) == len(taken)
    agree(*homes)


def the_removal(neighbour, driver, nurse, young):
    """Lets the majority of the moderators remove a member. An appeal follows, and newcomers cannot
    decide it.
    """
    # Removal takes the moderators' majority …
    neighbour.post("remove", "--person", "Shopkeeper", "--why", "a flood of offers")
    assert "Shopkeeper" in people(neighbour)
    driver.post("remove", "--person", "Shopkeeper")
    others = neighbour, driver, nurse
    eventually(lambda: all("Shopkeeper" not in people(home) for home in others), "no removal")
    assert people(nurse, "removed") == ["Shopkeeper"]
    # … and allows an appeal. Keys admitted since the renewal cannot decide the appeal.
    appeal = nurse.post(
        "proposal", "--title", "Another chance", "--change", "restore", "Shopkeeper"
    )
    nurse.post("vote", "--about", appeal, "--choice", "yes")
    neighbour.has(appeal)
    with pin(neighbour, young):
        neighbour.post("vote", "--about", appeal, "--choice", "yes", "--as", "Young")
    agree(*others)
    assert [one["state"] for one in nurse("list", "decisions")] == ["open"]
    for home in (neighbour, driver):
        home.post("vote", "--about", appeal, "--choice", "yes")
    eventually(lambda: "Shopkeeper" in people(nurse), "a majority does not get its way")


def test_a_week_in_rushey_lane():
    with folder() as one:
        elder, young = pins(one, elder="2412", young="0007").values()
        homes = neighbour, driver, nurse, _ = monday(one, elder)
        renewal(homes)
        the_panel(homes, young)
        the_flood(homes)
        the_removal(neighbour, driver, nurse, young)
