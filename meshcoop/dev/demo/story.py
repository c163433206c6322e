"""The story that the demo tells: the acceptance week, as far as a minute holds it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from meshcoop.api.params import Params
from meshcoop.dev.demo import bins as demo_bins
from meshcoop.dev.demo.bins import Bins
from meshcoop.dev.demo.household import Household, pairwise, until
from meshcoop.dev.demo.relay_and_stick import Carried
from meshcoop.errors import Mistake

_ASSETS = {
    "Maria": ("blood pressure checks", "a Yoruba speaker"),
    "Ada": ("gardening", "help with the shelves"),
    "Sam": ("driving", "shirts taken in"),
    "Grace": ("hemming, Yoruba, listening", "blood pressure"),
}
_GRACE = ("--as", "Grace")
_ADDRESS = "12 Rushey Lane, second floor"
_WORDS = "I can fetch you. Ring twice, the bell is slow."
_THURSDAY = 3


def say(text: str) -> None:
    """A line of the story."""
    print(text, flush=True)


class Story:
    """Told by homes that are not there yet; Ada is to have a guest, Grace, who has no machine."""

    def __init__(self, street: list[Household]) -> None:
        self.street = street
        self.maria, self.ada, self.sam, *_ = street
        self.thursday = _next_thursday()
        self.true = True

    def tell(self) -> bool:
        """Tells it; whether all went as it should and all homes ended with one state."""
        demo_bins.go_back()
        self._meet()
        carried = Carried(self.street, say, self._claim)
        carried.enrol()
        self._suggested()
        bins = Bins(self.street, say, self._claim)
        bins.first_week()
        bins.second_week()
        bins.print_month()
        with ThreadPoolExecutor(1) as pool:
            lunch = pool.submit(self._lunch)
            lift = self._ask_by_proxy()
            agreement = self._agree(lift)
            self._give_address(agreement)
            self._put_right(agreement)
            told = lunch.result()
        say(
            "Maria plans a weekly lunch of 6 places: 1 cook, 5 servers. Ada and Sam would both cook."
        )
        (has,), (waits,) = told[0]
        same = all(one == told[0] for one in told)
        self._claim(f"{has} has the place and {waits} waits: every home says the same.", same)
        carried.night()
        carried.stick()
        self._balances()
        return self._one_state() and self.true

    def _claim(self, sentence: str, is_so: bool) -> None:
        say(sentence if is_so else f"It should be so, and is not: {sentence}")
        self.true = self.true and is_so

    def _meet(self) -> None:
        founder, *others = self.street
        most = ("--admissions-a-month", str(max(10, len(others))))
        founder.run("found", "Rushey Lane", "--as", founder.name, *most, *demo_bins.CHARTER)
        founder.run("up")
        say(f"{founder.name}, the community nurse, founds Rushey Lane. Her node is up.")

        def join(one: Household) -> None:
            invitation = founder.run("invite", "--approve")["invitation"]
            one.run("join", invitation, "--as", one.name)
            say(f"{one.name} joins with an invitation. Same rights, same screens.")
            if one is self.ada:
                one.run("guest", *_GRACE)
                say("Grace, 78, has no machine: she is a guest at Ada's, with a PIN of her own.")

        def bring(one: tuple[Household, str]) -> str:
            home, name = one
            gives, wants = _ASSETS[name]
            brings = [word for asset in gives.split(", ") for word in ("--assets", asset)]
            profile = home.post("profile", "--as", name, "--name", name, *brings, "--wants", wants)
            say(f"{name} brings {gives}; would like {wants}.")
            return profile

        pairwise(join, others)
        who = [(self.maria, "Maria"), (self.ada, "Grace"), (self.ada, "Ada"), (self.sam, "Sam")]
        nurse, elder, *_ = pairwise(bring, who)
        pairwise(lambda one: one[0].has(one[1]), [(self.maria, elder), (self.ada, nurse)])

    def _suggested(self) -> None:
        """Each of them to the other, from what they brought before any need."""
        asked = [(self.maria, "Maria", "Grace"), (self.ada, "Grace", "Maria")]
        lists = pairwise(lambda one: one[0].run("list", "suggestions", "--as", one[1]), asked)
        for (_, name, other), found in zip(asked, lists, strict=True):
            why = [one["sentence"] for one in found if one["title"] == other]
            self._claim(f"{other} is suggested to {name}: {' '.join(why)}", bool(why))

    def _ask_by_proxy(self) -> str:
        self.ada.post(
            "proxy", *_GRACE, "--person", "Ada", "--matters", "request", "--until", self.thursday
        )
        lift = self.ada.post(
            "request", "--for", "Grace", "--title", "A lift to the eye clinic", "--minutes", "120",
            "--starts", f"{self.thursday}T09:30", "--tags", "transport", "--area", "south side",
        )  # fmt: skip
        pairwise(lambda one: one.has(lift), self.street)
        say(f"Grace signs a proxy, and Ada asks for a lift on {self.thursday}, Thursday, at 09:30.")
        shown = self.sam.run("show", lift)
        so = (shown["author"]["name"], shown["by"]["name"]) == ("Grace", "Ada")
        self._claim("The request is at every home, as “Ada for Grace”.", so)
        return lift

    def _agree(self, lift: str) -> str:
        response = self.sam.post("response", "--about", lift, "--text", _WORDS)
        self.ada.has(response)
        read = self.ada.run("show", response, *_GRACE)["text"]
        offers = "Sam offers to drive, with words for Grace only"
        self._claim(f"{offers}. With her PIN she reads: “{read}”", read == _WORDS)
        agreement = self.ada.post("agreement", "--about", response, *_GRACE)
        pairwise(lambda one: one.has(agreement), self.street)
        closed = [one for one in self.street if one is not self.sam]
        words = pairwise(lambda one: one.run("show", response)["text"], closed)
        self._claim("Without it, and at the other homes, the words are closed.", not any(words))
        say("Grace agrees: both have signed the same terms, 120 minutes.")
        return agreement

    def _give_address(self, agreement: str) -> None:
        self.ada.run("address", "give", agreement, "--text", _ADDRESS, *_GRACE)
        read = until(lambda: _addresses([self.sam], agreement), bool)
        others = [one for one in self.street if one not in (self.ada, self.sam)]
        kept = read == [_ADDRESS] and not _addresses(others, agreement)
        self._claim(f"She gives Sam her address, “{_ADDRESS}”. No third home shows it.", kept)

    def _put_right(self, agreement: str) -> None:
        receipt = self.sam.post("receipt", "--about", agreement, "--minutes", "180")
        self.ada.has(receipt)
        self.sam.has(self.ada.post("confirm", "--about", receipt, *_GRACE))
        say("Sam writes a receipt over 180 minutes, Grace confirms it. It was 120!")
        right = self.sam.post("correction", "--about", receipt, "--minutes", "120")
        self.ada.has(right)
        gift = ("thanks", "--person", "Sam", "--minutes", "60", "--text", "You waited with me.")
        signed = (("confirm", "--about", right), gift)
        ids = pairwise(lambda words: self.ada.post(*words, *_GRACE), signed)
        last = self.street[-1]
        pairwise(last.has, ids)
        shown, sam = pairwise(
            lambda words: last.run(*words), [("show", receipt), ("balance", "Sam")]
        )
        so = (shown["minutes"], shown["corrected"]) == (180, 120)
        self._claim("Both sign a correction: the 180 stay written, 120 count.", so)
        so = (sam["gifts_given"], sam["balance"]) == (60, 120)
        self._claim("Sam's hour of waiting is a gift: it is counted, and no balance moves.", so)

    def _lunch(self) -> list[tuple[list[str], list[str]]]:
        """Who has the only place as cook and who waits for it, as each home tells it."""
        lunch = self.maria.post(
            "activity", "--title", "Lunch", "--starts", f"{self.thursday}T12:30", "--minutes", "90",
            "--repeats", "FREQ=WEEKLY", "--roles", "cook=1", "--roles", "server=5",
        )  # fmt: skip

        def sign_up(one: Household) -> str:
            one.has(lunch)
            return one.post("signup", "--about", lunch, "--role", "cook")

        signups = pairwise(sign_up, [self.ada, self.sam])

        def cooks(one: Household) -> tuple[list[str], list[str]]:
            for signup in signups:
                one.has(signup)
            cook = one.run("show", lunch)["occurrences"][0]["roles"][0]
            return _names(cook["has"]), _names(cook["waits"])

        return pairwise(cooks, self.street)

    def _balances(self) -> None:
        last = self.street[-1]
        rows = last.run("balance")
        counted = ", ".join(f"{one['person']['name']} {one['balance']:+d}" for one in rows)
        total = sum(one["balance"] for one in rows)
        who = f"Balances as {last.name}'s home counts them"
        self._claim(f"{who}: {counted}; together {total}.", total == 0)

    def _one_state(self) -> bool:
        """Waits until all homes agree for once, and says what they agree on."""
        hashes = until(self._hashes, lambda found: len(set(found)) == 1)
        if len(set(hashes)) == 1:
            say(f"One state at all {len(hashes)} homes: {hashes[0]}")
            return True
        for one, state in zip(self.street, hashes, strict=True):
            say(f"{one.name} differs: {state}")
        return False

    def _hashes(self) -> list[str]:
        return pairwise(lambda one: str(one.run("status")["state_hash"]), self.street)


def _addresses(homes: list[Household], agreement: str) -> list[str]:
    """The addresses that these homes show for an agreement."""

    def shown(one: Household) -> list[str]:
        try:
            return [str(one.run("address", "show", agreement)["text"])]
        except Mistake:  # it has not come, or is none of theirs
            return []

    return [text for texts in pairwise(shown, homes) for text in texts]


def _names(people: list[Params]) -> list[str]:
    return [str(one["name"]) for one in people]


def _next_thursday() -> str:
    """From tomorrow on, so that nothing is asked for in the past."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return (tomorrow + timedelta(days=(_THURSDAY - tomorrow.weekday()) % 7)).isoformat()
