"""The story that the demo tells. The acceptance tests act out a whole week. The demo tells only the
part that fits into a minute.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from meshcoop.cli.plain_text import format_remarks
from meshcoop.dev.demo import bins
from meshcoop.dev.demo.bins import BinsStory
from meshcoop.dev.demo.household import Household, Row, map_in_pairs, poll_until
from meshcoop.dev.demo.relay_and_stick import RelayAndStick
from meshcoop.errors import Mistake

_GIVES_AND_WANTS = {
    "Maria": ("blood pressure checks", "a Yoruba speaker"),
    "Ada": ("gardening", "help with the shelves"),
    "Sam": ("driving", "shirts taken in"),
    "Grace": ("hemming, Yoruba, listening", "blood pressure"),
}
_AS_GRACE = ("--as", "Grace")
_ADDRESS = "12 Rushey Lane, second floor"
_NOTE = "I can fetch you. Ring twice, the bell is slow."
_THURSDAY = 3


class _Cooks(NamedTuple):
    """The names of the cooks that one home shows. Some have a place as cook. The others wait for a
    place.
    """

    placed: list[str]
    waiting: list[str]


def say(text: str) -> None:
    """Prints a line of the story."""
    print(text, flush=True)


class Story:
    """The whole story. It begins in an empty folder.

    Ada has a guest at her home: Grace, who has no computer.
    """

    def __init__(self, street: list[Household]) -> None:
        self.street = street
        self.maria, self.ada, self.sam, *_ = street
        self.thursday = _next_thursday()
        self.is_true = True

    def tell(self) -> bool:
        """Tells the story. Returns True if every claim was true and all homes ended with equal
        state.
        """
        bins.set_clock_back()
        self._found_and_join()
        relay_and_stick = RelayAndStick(self.street, say, self._claim)
        relay_and_stick.enrol()
        self._check_suggestions()
        bins_story = BinsStory(self.street, say, self._claim)
        bins_story.tell_first_week()
        bins_story.tell_second_week()
        bins_story.print_month()
        # To save time, the lunch is planned while the lift is agreed on.
        with ThreadPoolExecutor(1) as pool:
            planned_lunch = pool.submit(self._plan_lunch)
            lift = self._ask_by_proxy()
            agreement = self._agree(lift)
            self._give_address(agreement)
            self._correct_receipt(agreement)
            cooks_at_homes = planned_lunch.result()
        self._check_lunch(cooks_at_homes)
        relay_and_stick.pass_on_request()
        relay_and_stick.read_stick()
        self._check_balances()
        return self._check_states() and self.is_true

    def _claim(self, sentence: str, is_so: bool) -> None:
        say(sentence if is_so else f"This did not happen: {sentence}")
        self.is_true = self.is_true and is_so

    def _found_and_join(self) -> None:
        founder, *others = self.street
        limit = ("--room", str(max(10, len(others))), "--vouchers", "1")
        founder.run("found", "Rushey Lane", "--as", founder.name, *limit, *bins.CHARTER_OPTIONS)
        founder.run("up")
        say(f"{founder.name}, the community nurse, founds Rushey Lane. Her node is up.")
        map_in_pairs(self._join, others)
        renewal_id = founder.run("renew", "--will-vote", str(len(self.street)))["id"]
        map_in_pairs(lambda home: home.wait_for(renewal_id), others)
        say(f"{founder.name} puts them on the roll: from now on all of them vouch and vote.")
        self.ada.run("guest", *_AS_GRACE)
        say("Grace, 78, has no computer: she is a guest at Ada's home, with her own PIN.")
        residents = [
            (self.maria, "Maria"), (self.ada, "Grace"), (self.ada, "Ada"), (self.sam, "Sam"),
        ]  # fmt: skip
        maria_id, grace_id, *_ = map_in_pairs(
            lambda resident: self._post_profile(*resident), residents
        )
        # The two homes need each other's profile before the story asks them for suggestions.
        self.maria.wait_for(grace_id)
        self.ada.wait_for(maria_id)

    def _join(self, household: Household) -> None:
        invitation = self.maria.run("invite", "--approve")["invitation"]
        household.run("join", invitation, "--as", household.name)
        say(f"{household.name} joins with an invitation, and has the same rights and screens.")

    def _post_profile(self, household: Household, name: str) -> str:
        gives, wants = _GIVES_AND_WANTS[name]
        assets = [word for asset in gives.split(", ") for word in ("--assets", asset)]
        profile_id = household.post(
            "profile", "--as", name, "--name", name, *assets, "--wants", wants
        )
        say(f"{name} offers {gives}, and would like {wants}.")
        return profile_id

    def _check_suggestions(self) -> None:
        """Checks that Maria and Grace are suggested to each other before anybody posts a request.

        The suggestions come from their profiles.
        """
        pairs = [(self.maria, "Maria", "Grace"), (self.ada, "Grace", "Maria")]
        lists = map_in_pairs(
            lambda pair: pair[0].run("list", "suggestions", "--as", pair[1]), pairs
        )
        for (_, name, other), suggestions in zip(pairs, lists, strict=True):
            reasons = [format_remarks(row["says"]) for row in suggestions if row["title"] == other]
            self._claim(f"{other} is suggested to {name}: {' '.join(reasons)}", bool(reasons))

    def _ask_by_proxy(self) -> str:
        self.ada.post(
            "proxy", *_AS_GRACE, "--person", "Ada", "--matters", "request",
            "--until", self.thursday,
        )  # fmt: skip
        lift = self.ada.post(
            "request", "--for", "Grace", "--title", "A lift to the eye clinic", "--minutes", "120",
            "--starts", f"{self.thursday}T09:30", "--tags", "transport", "--area", "south side",
        )  # fmt: skip
        map_in_pairs(lambda home: home.wait_for(lift), self.street)
        say(f"Grace signs a proxy, and Ada asks for a lift on {self.thursday}, Thursday, at 09:30.")
        request = self.sam.run("show", lift)
        self._claim(
            "Every home has the request, as “Ada for Grace”.",
            (request["author"]["name"], request["by"]["name"]) == ("Grace", "Ada"),
        )
        return lift

    def _agree(self, lift: str) -> str:
        response = self.sam.post("response", "--about", lift, "--text", _NOTE)
        self.ada.wait_for(response)
        note = self.ada.run("show", response, *_AS_GRACE)["text"]
        self._claim(
            f"Sam offers to drive, in a note for Grace only. With her PIN she reads: “{note}”",
            note == _NOTE,
        )
        agreement = self.ada.post("agreement", "--about", response, *_AS_GRACE)
        map_in_pairs(lambda home: home.wait_for(agreement), self.street)
        others = [home for home in self.street if home is not self.sam]
        notes = map_in_pairs(lambda home: home.run("show", response)["text"], others)
        self._claim(
            "Without her PIN, and at the other homes, nobody can read the note.", not any(notes)
        )
        say("Grace agrees: both have signed the same terms, 120 minutes.")
        return agreement

    def _give_address(self, agreement: str) -> None:
        self.ada.run("address", "give", agreement, "--text", _ADDRESS, *_AS_GRACE)
        at_sam = poll_until(lambda: _addresses([self.sam], agreement), bool)
        others = [home for home in self.street if home not in (self.ada, self.sam)]
        self._claim(
            f"Grace gives Sam her address, “{_ADDRESS}”. No third home shows it.",
            at_sam == [_ADDRESS] and not _addresses(others, agreement),
        )

    def _correct_receipt(self, agreement: str) -> None:
        today = datetime.now(UTC).date().isoformat()
        about = ("--about", agreement, "--on", today)  # they drove earlier than agreed
        receipt = self.sam.post("receipt", *about, "--minutes", "180")
        self.ada.wait_for(receipt)
        waiting = self.ada.run("next", *_AS_GRACE)
        self._claim(
            "Grace asks what waits for her: Sam's receipt, which she can confirm.",
            ("confirm", receipt) in [(step["kind"], step["about"]) for step in waiting],
        )
        self.sam.wait_for(self.ada.post("confirm", "--about", receipt, *_AS_GRACE))
        say("Sam writes a receipt for 180 minutes, and Grace confirms it. But it was 120.")
        correction = self.sam.post("correction", "--about", receipt, "--minutes", "120")
        self.ada.wait_for(correction)
        confirmation = ("confirm", "--about", correction)
        gift = ("thanks", "--person", "Sam", "--minutes", "60", "--text", "You waited with me.")
        record_ids = map_in_pairs(
            lambda words: self.ada.post(*words, *_AS_GRACE), [confirmation, gift]
        )
        last_home = self.street[-1]
        map_in_pairs(last_home.wait_for, record_ids)
        view, sam = map_in_pairs(
            lambda words: last_home.run(*words), [("show", receipt), ("balance", "Sam")]
        )
        self._claim(
            "Both sign a correction: the 180 minutes stay on record, and 120 count.",
            (view["minutes"], view["corrected"]) == (180, 120),
        )
        self._claim(
            "Sam's hour of waiting is a gift: it is counted, and no balance changes.",
            (sam["gifts_given"], sam["balance"]) == (60, 120),
        )

    def _plan_lunch(self) -> list[_Cooks]:
        """Lets both Ada and Sam sign up for the only place as cook. Returns for each home the cooks
        that this home shows.
        """
        lunch = self.maria.post(
            "activity", "--title", "Lunch", "--starts", f"{self.thursday}T12:30", "--minutes", "90",
            "--repeats", "FREQ=WEEKLY", "--roles", "cook=1", "--roles", "server=5",
        )  # fmt: skip

        def sign_up(home: Household) -> str:
            home.wait_for(lunch)
            return home.post("signup", "--about", lunch, "--role", "cook")

        signups = map_in_pairs(sign_up, [self.ada, self.sam])

        def read_cooks(home: Household) -> _Cooks:
            home.wait_for(*signups)
            role = home.run("show", lunch)["occurrences"][0]["roles"][0]
            return _Cooks(_names(role["has"]), _names(role["waits"]))

        return map_in_pairs(read_cooks, self.street)

    def _check_lunch(self, cooks_at_homes: list[_Cooks]) -> None:
        say(
            "Maria plans a weekly lunch with 6 places: 1 cook and 5 servers. "
            "Ada and Sam both sign up as cook."
        )
        cooks = cooks_at_homes[0]
        (placed,) = cooks.placed
        (waiting,) = cooks.waiting
        self._claim(
            f"{placed} has the place and {waiting} waits: every home says the same.",
            all(other == cooks for other in cooks_at_homes),
        )

    def _check_balances(self) -> None:
        last_home = self.street[-1]
        rows = last_home.run("balance")
        balances = ", ".join(f"{row['person']['name']} {row['balance']:+d}" for row in rows)
        total = sum(row["balance"] for row in rows)
        self._claim(
            f"The balances at {last_home.name}'s home: {balances}; together {total}.", total == 0
        )

    def _check_states(self) -> bool:
        """Waits until all homes have the same state hash, and prints this hash.

        Returns False if the hashes still differ after 30 s.
        """
        hashes = poll_until(self._state_hashes, lambda current: len(set(current)) == 1)
        if len(set(hashes)) == 1:
            say(f"One state at all {len(hashes)} homes: {hashes[0]}")
            return True
        for home, state_hash in zip(self.street, hashes, strict=True):
            say(f"{home.name}'s home differs: {state_hash}")
        return False

    def _state_hashes(self) -> list[str]:
        return map_in_pairs(lambda home: str(home.run("status")["state_hash"]), self.street)


def _addresses(homes: list[Household], agreement: str) -> list[str]:
    """Lists the street addresses that the given homes show for one agreement."""

    def show_address(home: Household) -> list[str]:
        try:
            return [str(home.run("address", "show", agreement)["text"])]
        except Mistake:  # the address has not arrived, or it is not for this home
            return []

    return [text for texts in map_in_pairs(show_address, homes) for text in texts]


def _names(people: list[Row]) -> list[str]:
    return [str(person["name"]) for person in people]


def _next_thursday() -> str:
    """Returns the first Thursday after today. So no request of the story is in the past."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return (tomorrow + timedelta(days=(_THURSDAY - tomorrow.weekday()) % 7)).isoformat()
