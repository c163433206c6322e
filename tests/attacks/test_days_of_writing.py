"""A member writes for a day whatever they like, and after being expelled for another day.

Attackers: a member (Mal) with four devices, who spends all that stores take of them in both lanes;
the same person once expelled. Assets: everybody else's room to write, and their processors.

On a machine that was quiet before, the test checks how long the steps and the calls of the homes
take. Otherwise it prints this only, because a busy processor needs longer for the same work.
"""

import os
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from meshcoop.author.founding import Identity
from meshcoop.client import Client
from meshcoop.export import bundle
from meshcoop.home.folder import Home as Folder
from meshcoop.node.step_meter import CALL_LIMIT_MS, LIMIT_MS, VARIABLE, WHOLE_CALL, read_steps
from protocol.record.envelope import DAY_MS
from protocol.wire import calls, frames
from protocol.wire.bundle_file import BUNDLE
from tests.support.hostile_day import HostileDay, Targets
from tests.support.patched_homes import patched
from tests.support.real_homes import PATIENCE, agree, folder, together

MOST = 8  # records of a kind that a home signs in a day in answer to records of one kind
EVENING = 22  # the hour of UTC at which the homes get what was written in the day
PARTS = 8  # of a day's writing, as sticks carry them
DEVICES = 4
# A node does this before it answers anybody: it reads and folds what authority is made of.
START = "meshcoop.cli.node._serve_home.<locals>.main"
DISTURBED = 2  # steps of a task that something else on the machine may have made slow
WAS_QUIET = os.getloadavg()[0] < 1  # else the processor needs up to twice as long for the same


LISTS = (
    *("people", "requests", "offers", "responses", "agreements", "receipts", "waiting", "board"),
    *("reciprocity", "matters", "signals", "holdings", "services", "activities", "pages"),
    *("decisions", "measures", "suggestions", "relays"),
)


def days_ahead(days):
    """Returns how many hours a clock must be set ahead to show the evening of a later day."""
    return days * 24 + EVENING - datetime.now(UTC).hour


class Day:
    """One day of a street: what its people post, and what Mal writes. `posted` counts the records
    that each home's person has posted on this day.
    """

    def __init__(self, homes, hours):
        self.homes, self.hours = homes, hours
        self.posted = Counter()
        for home in homes:
            home("down")
            home.env["MESHCOOP_CLOCK_AHEAD"] = str(hours)
        together(*(lambda home=home: home("up") for home in homes))

    def post(self, home, *words):
        self.posted[home] += 1
        return home.post(*words)

    def read_part(self, wires, stick, place, targets):
        """Lets the first home read a stick. The others get the records from this home. Then each
        home's person writes.
        """
        bundle.write_file(stick, BUNDLE, place, frames.batch_records(wires))
        first, *others = self.homes
        counts = first("bundle", "read", str(stick))
        print(f"{len(wires)} carried: {counts}")  # noqa: T201 -- figures
        agree(first, *others)
        offers = [self.post(home, "offer", "--title", "Bread") for home in self.homes]
        for home in self.homes:
            home.has(*offers)
        ask_everything(first, targets)


def check_steps(name, steps):
    """Checks that no task of a home had more than a few steps, or calls, above the limit."""
    slow = defaultdict(list)
    for step in steps:
        limit = CALL_LIMIT_MS if step.place == WHOLE_CALL else LIMIT_MS
        if step.milliseconds > limit:
            slow[step.task, step.place == WHOLE_CALL].append(step)
    print(f"{name}: while it starts: {slow.pop((START, False), [])}")  # noqa: T201 -- figures
    if WAS_QUIET:
        assert all(len(alike) <= DISTURBED for alike in slow.values()), dict(slow)


def ask_everything(home, targets):
    """Calls what screens and commands call."""
    threads = (targets.request, targets.activity, targets.page, targets.measure, targets.proposal)
    asked = [
        *(calls.List(what=what) for what in LISTS),
        *(calls.Show(id=record.hex()) for record in threads),
        *(calls.NextSteps(id=record.hex()) for record in threads),
        *(calls.Search(words=words) for words in ("bread", "w1 offer")),
        *(calls.Status(), calls.NextSteps(), calls.Balance(), calls.Diary(), calls.Devices()),
    ]
    with Client(Folder(home.path).api_socket, PATIENCE) as client:
        for call in asked:
            client.call(call)


def targets_of(homes, mal):
    """Lets the neighbours write what Mal will answer. Each got time from Mal, and says so."""
    ada = homes[0]
    service = ada.post("service", "--title", "Bins")
    words = ["--about", service, "--question", "Missed?", "--scale", "count", "--target", "2"]
    measure = ada.post("measure", *words)
    on = ["--title", "Workshop", "--starts", "2027-01-04T09:30", "--repeats", "FREQ=DAILY"]
    targets = {
        "request": ada.post("request", "--title", "A lift"),
        "activity": ada.post("activity", *on),
        "page": ada.post("page", "--title", "Roofs", "--text", "Begin at the top."),
        "measure": measure,
        "proposal": ada.post("proposal", "--title", "A bench?"),
    }
    receipts = []
    for home in homes:
        offer = mal.post("offer", "--title", "Lifts")
        home.has(offer)
        response = home.post("response", "--about", offer, "--minutes", "30")
        mal.has(response)
        agreement = mal.post("agreement", "--about", response)
        home.has(agreement)
        receipts.append(home.post("receipt", "--about", agreement))
    agree(*homes, mal)
    ids = {name: bytes.fromhex(record) for name, record in targets.items()}
    return Targets(**ids, receipts=[bytes.fromhex(receipt) for receipt in receipts])


def signed_in_answer(home, day):
    """Opens a stopped home. Returns how many records its software signed that nobody posted, by
    kind and by the kind that they answer, and how many records its person signed on this day.
    """
    with patched(home, ahead=day.hours) as node:
        number = node.now() // DAY_MS
        kind_of = node.state.contents.read
        by_person, in_answer = 0, Counter()
        for record in node.store.records.of_log(node.me.device, 1, 100_000):
            if record.header.time // DAY_MS != number:
                continue
            if not record.header.is_automatic:
                by_person += kind_of(record).kind != "words"  # these stand beside another record
                continue
            about = record.about and node.store.records.find(record.about)
            answered = kind_of(about.record).kind if about else None
            in_answer[kind_of(record).kind, answered] += 1
    return in_answer, by_person


def check_day(day, reports):
    """Stops the homes. Checks what they signed, and how long their steps and calls took. Prints
    both.
    """
    together(*(lambda home=home: home("down") for home in day.homes))
    for home in day.homes:
        in_answer, by_person = signed_in_answer(home, day)
        name = home.path.name
        print(f"{name}: {dict(in_answer)}, {by_person} by its person")  # noqa: T201 -- figures
        steps = read_steps(reports[home])
        for step in steps[:12]:
            print(f"{name}: {step}")  # noqa: T201 -- figures
        check_steps(name, steps)
        assert max(in_answer.values(), default=0) <= MOST
        assert by_person == day.posted[home]


@pytest.mark.long
def test_a_member_and_an_expelled_one_write_for_a_day_whatever_they_like(tmp_path):
    with folder() as place:
        ada = place.founder("Ada")
        ben, cho, mal = together(
            *(lambda name=name: place.newcomer(ada, name) for name in ("Ben", "Cho", "Mal"))
        )
        council = [word for name in ("Ada", "Ben", "Cho") for word in ("--moderator", name)]
        ada("renew", "--will-vote", "4", *council)
        agree(ada, ben, cho, mal)
        homes = (ada, ben, cho)
        reports = {home: tmp_path / f"steps of {home.path.name}" for home in homes}
        for home in homes:
            home.env[VARIABLE] = str(reports[home])
        targets = targets_of(homes, mal)
        (mal_id,) = [row["id"] for row in ada("list", "people") if row["name"] == "Mal"]
        mal("down")
        day = Day(homes, days_ahead(1))
        with patched(mal, ahead=day.hours) as liar:
            fresh = [
                Identity.of(liar.me.root_seed, liar.street.dice.randbytes, liar.street.place)
                for _ in range(DEVICES - 1)
            ]
            devices = [liar.me, *fresh]
            heads = {liar.me.device: liar.head}
            for expelled in (False, True):
                if expelled:
                    check_day(day, reports)
                    day = Day(homes, days_ahead(2))
                    for home in (ada, ben):
                        # By now, Mal has had many names.
                        day.post(home, "remove", "--person", mal_id, "--why", "a flood")
                        agree(*homes)
                    (state,) = [
                        row["state"] for row in cho("list", "people") if row["id"] == mal_id
                    ]
                    assert state == "removed"
                number = (liar.now() + (24 * 3_600_000 if expelled else 0)) // DAY_MS
                people = list(liar.state.authority.members)
                written = list(HostileDay(liar, number, targets, people).write(devices, heads))
                print(f"{len(written)} records, {sum(len(one.wire) for one in written)} bytes")  # noqa: T201 -- figures
                size = -(-len(written) // PARTS)
                for at in range(0, len(written), size):
                    wires = [record.wire for record in written[at : at + size]]
                    day.read_part(wires, tmp_path / "stick", liar.state.neighbourhood, targets)
        check_day(day, reports)
