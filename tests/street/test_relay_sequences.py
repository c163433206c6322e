"""Random sequences of relay commands at real nodes: whatever ends can begin again, and nobody else
notices.

Two neighbourhoods use one relay, which serves figures too. A model of a few sets says what is true
after each command. tests/sim/test_relay_commands.py does the same with many more sequences.
"""

import socket
from random import Random
from urllib.request import urlopen

import pytest

from meshcoop.home.served_names import ServedNames
from tests.support.real_homes import Folder, Home, eventually, folder

COMMANDS = 8
SHORT = 1  # sequences of the default suite
ALL = 20


class Sequence:
    """The nodes, and what has to be true of them.

    `tickets` maps each ticket to the member who has used it, or to None. `served` are the members
    whose neighbourhoods the relay serves. `enrolled` are the members who have enrolled the relay.
    """

    def __init__(self, place: Folder, seed: int) -> None:
        self.dice = Random(seed)
        self.members = [place.founder("Ada"), place.founder("Eva")]
        self.relay = place.home("surgery")
        self.relay("relay", "found", "Surgery", "--listen", place.listen())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.relay("relay", "metrics", str(self.port))
        self.relay("up")
        self.names = ServedNames(self.relay.path / "served", self.relay.store_key)
        self.ids = {one: one("status")["neighbourhood"]["id"] for one in self.members}
        self.tickets: dict[str, Home | None] = {}
        self.served: set[Home] = set()
        self.enrolled: set[Home] = set()
        self.history: list[str] = []

    def step(self) -> None:
        commands = [
            self.enrol, self.enrol, self.enrol, self.leave, self.leave, self.end, self.restart,
            self.kill, self.block, self.lose_all, self.post,
        ]  # fmt: skip
        command = self.dice.choice(commands)
        self.history.append(command.__name__)
        command()
        self.check_now()

    # -- commands ---------------------------------------------------------------------------------

    def enrol(self) -> None:
        if not self.tickets or self.dice.random() < 0.4:
            self.tickets[self.relay("relay", "ticket")["ticket"]] = None
        ticket = self.dice.choice(list(self.tickets))
        member = self.dice.choice(self.members)
        if self.tickets[ticket] not in {None, member}:
            assert "nother neighbourhood" in member.refused("relay", "enrol", ticket)
            return
        member("relay", "enrol", ticket)
        self.tickets[ticket] = member
        self.served.add(member)
        self.enrolled.add(member)

    def leave(self) -> None:
        member = self.dice.choice(self.members)
        if member not in self.served:
            assert "names none" in self.relay.refused("relay", "leave", self.ids[member][:16])
            return
        self.relay("relay", "leave", self.ids[member][:16])
        assert not self.names.files_of(bytes.fromhex(self.ids[member]))
        self.served.discard(member)
        self.enrolled.discard(member)  # she ends the enrolment as soon as she hears of it

    def end(self) -> None:
        self.check_enrolments()
        for member in self.enrolled:
            member("relay", "end", member("relay", "list")[0]["key"][:16])
            self.enrolled.discard(member)
            return

    def restart(self) -> None:
        self.relay("down")
        self.relay("up")

    def kill(self) -> None:
        self.relay.kill()
        self.relay("up")

    def block(self) -> None:
        """Something is in the place of one store. The others are served, and all are kept."""
        self.relay("down")
        blocked = sorted(self.relay.path.glob("served/*.db"))[:1]
        for store in blocked:
            store.rename(self.relay.path / "elsewhere")
            store.mkdir()
        self.relay("up")
        states = {row["neighbourhood"]["id"]: row["state"] for row in self.relay("relay", "list")}
        unserved = {self.names.neighbourhood_of(store).hex() for store in blocked}
        assert states == {
            self.ids[one]: "unserved" if self.ids[one] in unserved else "served"
            for one in self.served
        }
        self.relay("down")
        for store in blocked:
            store.rmdir()
            (self.relay.path / "elsewhere").rename(store)
        self.relay("up")

    def lose_all(self) -> None:
        """The relay begins empty. No home may take this for the end of its service."""
        self.check_enrolments()
        self.relay("down")
        for path in self.relay.path.rglob("*.db*"):
            path.unlink()
        self.relay("up")
        self.tickets.clear()
        self.served.clear()

    def post(self) -> None:
        self.dice.choice(self.members).post("request", "--title", "A lift", "--minutes", "30")

    # -- what is true -----------------------------------------------------------------------------

    def check_now(self) -> None:
        rows = self.relay("relay", "list")
        served = {self.ids[one] for one in self.served}
        assert {row["neighbourhood"]["id"] for row in rows} == served
        assert {row["state"] for row in rows} <= {"served"}

    def check_enrolments(self) -> None:
        def is_heard() -> bool:
            lists = {member: member("relay", "list") for member in self.members}
            return {member for member, relays in lists.items() if relays} == self.enrolled

        eventually(is_heard, "a home does not hear")

    def check_in_the_end(self) -> None:
        self.check_enrolments()
        line = f"meshcoop_relay_neighbourhoods {float(len(self.served))}"
        eventually(lambda: line in self.figures(), "the figures are old")
        hashes = {self.ids[one]: one("status")["set_hash"] for one in self.served & self.enrolled}

        def holds_all() -> bool:
            rows = self.relay("status")["served"]
            return hashes.items() <= {row["id"]: row["set_hash"] for row in rows}.items()

        eventually(holds_all, "the relay does not get everything")

    def figures(self) -> str:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as page:
            return str(page.read().decode())


@pytest.mark.parametrize(
    "seed",
    [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(SHORT, ALL))],
)
def test_whatever_a_relay_ends_can_begin_again(seed: int):
    with folder() as place:
        sequence = Sequence(place, seed)
        try:
            for _ in range(COMMANDS):
                sequence.step()
            sequence.check_in_the_end()
        except BaseException:
            print(sequence.history)  # noqa: T201 -- pytest shows it when the run fails
            raise
