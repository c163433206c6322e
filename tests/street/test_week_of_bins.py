"""One week in Rushey Lane, steps 7 to 10 and 15, on real nodes: missed bins, a matter, and whether
the action helped.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.real_homes import agree, folder, put_on_roll, together

CHARTER = ("--smallest-group", "3", "--settle-hours", "24", "--bounds", "count=0..3")
WEEK = 7 * 24 + 1  # hours


class Resident:
    """A person at a home: the home's own person, or a guest with a PIN."""

    def __init__(self, home, name, pin=None):
        self.home, self.name, self.pin = home, name, pin

    def post(self, kind, *words):
        extra = () if self.pin is None else ("--as", self.name)
        if self.pin is not None:
            self.home.env["MESHCOOP_PIN_FILE"] = str(self.pin)
        try:
            return self.home.post(kind, *extra, *words)
        finally:
            self.home.env.pop("MESHCOOP_PIN_FILE", None)


def guests(place, home, *names):
    """Makes these people guests of a home, because they have no machine. Each has a PIN of their
    own.
    """
    found = []
    for name in names:
        pin = place.path / f"pin of {name}"
        pin.write_text(f"{len(name)}24680{ord(name[0])}\n")
        home.env["MESHCOOP_PIN_FILE"] = str(pin)
        assert home("guest", "--as", name)["state"] == "member"
        del home.env["MESHCOOP_PIN_FILE"]
        found.append(Resident(home, name, pin))
    return found


def only(rows):
    (row,) = rows
    return row


def service_chain(council, contractor):
    """7. Makes the chain from the council to the contractor to the sub-contractor. All links but
    the last are accepted.
    """
    service = council.post(
        "service", "--title", "Bin collection", "--provider", "The council", "--area", "all of it"
    )
    first = council.post("link", "--about", service, "--to", "Contractor", "--title", "All of it")
    contractor.has(first)
    contractor.post("accept", "--about", first)
    refused = council.refused(
        "post", "measure", "--about", service, "--question", "x", "--scale", "count",
        "--target", "4",
    )  # fmt: skip
    assert "The charter lets target be 0 to 3" in refused
    measure = council.post(
        "measure", "--about", service, "--question", "Were bins missed?", "--scale", "count",
        "--target", "2",
    )  # fmt: skip
    proposal = council.post(
        "proposal", "--title", "At most two misses a week", "--change", "adopt", measure
    )
    contractor.has(measure, proposal)
    together(
        *(
            lambda one=one: one.post("vote", "--about", proposal, "--choice", "yes")
            for one in (council, contractor)
        )
    )
    return first, measure


@pytest.mark.long
def test_a_week_of_bins():
    with folder() as place:
        council = place.founder("Council", *CHARTER)
        contractor = place.newcomer(council, "Contractor")
        street = place.newcomer(council, "Rosa")
        put_on_roll(council, contractor, street)  # all three vouch for guests
        first, measure = service_chain(council, contractor)
        residents = [Resident(street, "Rosa"), *guests(place, street, "Noor", "Kofi")]
        residents += guests(place, council, "Ines", "Tom", "Lin")
        guests(place, contractor, "Sub")
        second = contractor.post(
            "link", "--about", first, "--to", "Sub", "--title", "The south side"
        )
        homes = (council, contractor, street)
        agree(*homes)
        chain = only(street("list", "services"))
        assert [one["state"] for one in chain["links"]] == ["accepted", "offered"]
        assert chain["holder"]["name"] == "Contractor"
        assert chain["held_since"] == chain["links"][0]["since"]
        assert datetime.fromisoformat(chain["held_since"]) <= datetime.now(UTC)
        assert only(street("list", "measures"))["state"] == "in use"

        reports = reported(measure, residents, council, contractor, street)
        matter = opened_once(homes, measure)
        late = residents[2].post("feedback", "--about", measure, "--text", "Ours as well")
        for home in homes:
            home.has(late)
        assert opened_once(homes, measure) == matter

        action = done_and_reopened(homes, contractor, residents[0], measure)
        the_next_week(homes, residents, contractor, measure, action, second)
        assert len(reports) == 6


def reported(measure, residents, council, contractor, street):
    """8. Six residents report missed bins while the street is cut, three on either side of the
    cut.
    """
    words = [("--text", "Missed again"), ("--text", "No han venido", "--lang", "es")]
    told = [words[n == 3] for n in range(6)]
    together(lambda: council("down"), lambda: contractor("down"))
    reports = [residents[n].post("feedback", "--about", measure, *told[n]) for n in range(3)]
    assert street("list", "matters") == []
    street("down")
    council("up")
    reports += [residents[n].post("feedback", "--about", measure, *told[n]) for n in range(3, 6)]
    assert council("list", "matters") == []
    together(lambda: street("up"), lambda: contractor("up"))
    agree(council, contractor, street)
    same = residents[4].post("same_as", "--about", reports[4], "--other", reports[1])
    for home in (council, contractor):
        home.has(same)
    return reports


def opened_once(homes, measure):
    """9. Checks that every node shows one matter, with the same id and holder."""
    agree(*homes)
    seen = [only(home("list", "matters", "--about", measure)) for home in homes]
    told = {(one["id"], one["created"], one["holder"]["name"], one["state"]) for one in seen}
    (found,) = told
    assert found[2:] == ("Contractor", "open")
    assert {one["raised_by"] for one in seen} == {6}
    assert homes[0]("show", found[0])["id"] == found[0]
    told = homes[2]("list", "feedback", "--about", measure)
    assert {one["matter"] for one in told if one["author"]["name"] == "Rosa"} == {found[0]}
    return found


def done_and_reopened(homes, contractor, reporter, measure):
    """10. The contractor reports the action done, and a reporter says "partly". Every home shows
    both, side by side.
    """
    action = contractor.post("action", "--about", measure, "--what", "A second lorry")
    contractor.post("done", "--about", action, "--text", "It runs")
    reporter.home.has(action)
    reporter.post("verdict", "--about", action, "--fixed", "partly")
    agree(*homes)
    for home in homes:
        shown = only(home("list", "actions", "--state", "reopened"))
        assert (shown["fixed"], len(shown["done"])) == ({"partly": 1}, 1)
        mine = home is reporter.home
        assert (shown["i_raised_it"], shown["i_said"]) == (mine, "partly" if mine else None)
        assert only(home("list", "matters"))["leading"]["state"] == "reopened"
    again = contractor.post("done", "--about", action, "--text", "Every street now")
    for home in homes:
        home.has(again)
    return action


def ahead(homes, hours):
    """Moves the clocks of all homes ahead by `hours`."""
    together(*(lambda home=home: home("down") for home in homes))
    for home in homes:
        home.env["MESHCOOP_CLOCK_AHEAD"] = str(hours)
    together(*(lambda home=home: home("up") for home in homes))
    agree(*homes)


def the_next_week(homes, residents, contractor, measure, action, second):
    """15. The sub-contractor signs, missed bins fall from five to one, and reporters confirm the
    action.
    """
    ahead(homes, WEEK)
    on = (datetime.now(UTC) + timedelta(hours=WEEK)).date().isoformat()
    sub = Resident(contractor, "Sub", contractor.path.parent / "pin of Sub")
    sub.post("accept", "--about", second)
    for n, value in enumerate(("1", "0", "0", "0")):
        residents[n].post("feedback", "--about", measure, "--value", value, "--on", on)
        residents[n].post("verdict", "--about", action, "--fixed", "yes")
    agree(*homes)
    assert only(homes[2]("list", "services"))["holder"]["name"] == "Sub"
    ahead(homes, 2 * WEEK)  # the week that opened the matter has settled
    assert {only(home("list", "actions"))["state"] for home in homes} == {"confirmed"}
    for home in homes:
        shown = only(home("list", "matters"))
        assert shown["state"] == "closed"
        assert shown["outcome"] is None  # only the week that opened the matter came before
