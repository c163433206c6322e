"""The demo's story of the bins: a service chain, a measure, a matter, and an action that helps.

The acceptance tests act out one week in 15 steps. This story tells steps 7 to 10 and step 15. The
story compares the week before an action with the week after the action. So the clocks of the nodes
are 15 days behind at first. In the middle of the story, the clocks are set right.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from meshcoop.clock import CLOCK_VARIABLE
from meshcoop.dev.demo.household import Household, Row, map_in_pairs, poll_until
from meshcoop.errors import Mistake

CHARTER_OPTIONS = ("--bounds", "count=0..3", "--settle-hours", "24")

_BEGAN_DAYS = 15  # the story begins this many days ago
_AFTER_DAYS = 8  # the second week begins this many days ago; so its window has settled
_REPORTERS = 6
_GUESTS = ("Bea", "Dora", "Emil", "Fay")  # they have no home; the story takes as many as it needs
_SUBCONTRACTOR = "Yusuf"
_MISSED = "Our bins were missed"
_MISSED_ES = "No han venido por los cubos"

Claim = Callable[[str, bool], None]
Say = Callable[[str], None]


class Resident(NamedTuple):
    """A person, and the home that this person uses."""

    home: Household
    name: str

    def post(self, kind: str, *words: str) -> str:
        """Posts a record as this person and returns its id."""
        return self.home.post(kind, "--as", self.name, *words)


def set_clock_back() -> None:
    """Sets the clocks 15 days back, for every node that starts from now on."""
    os.environ[CLOCK_VARIABLE] = str(-24 * _BEGAN_DAYS)


class BinsStory:
    """The story of the bins.

    Maria publishes the council's service, and Sam is the contractor. The other people have bins.
    """

    def __init__(self, street: list[Household], say: Say, claim: Claim) -> None:
        self._street = street
        self._say = say
        self._claim = claim
        self._council, ada, self._contractor, *others = street
        residents = [Resident(ada, "Ada"), Resident(ada, "Grace")]
        residents += [Resident(home, home.name) for home in others]
        guests_needed = max(0, _REPORTERS - len(residents))
        self._guests = [Resident(ada, name) for name in _GUESTS[:guests_needed]]
        self._reporters = [*residents, *self._guests][:_REPORTERS]

    def tell_first_week(self) -> None:
        """Tells steps 7 to 10 of the week. These steps begin with the service chain, and end with
        an action that has not helped yet.
        """
        self._publish_service()
        self._agree_on_measure()
        self._add_guests()
        self._report_misses()
        self._check_matter_opened()
        self._do_and_reopen_action()

    def tell_second_week(self) -> None:
        """Tells step 15 of the week. First sets the clocks right. After the action, fewer bins are
        missed.
        """
        map_in_pairs(lambda home: home.run("down"), self._street)
        del os.environ[CLOCK_VARIABLE]
        map_in_pairs(lambda home: home.run("up"), self._street)
        self._say("Two weeks have passed.")
        subcontractor = Resident(self._contractor, _SUBCONTRACTOR)
        self._post(subcontractor, "accept", "--about", self._second_link)
        day = ("--on", _iso_day(_AFTER_DAYS))
        for reporter, misses in zip(self._reporters, ("1", "0", "0", "0"), strict=False):
            self._post(reporter, "feedback", "--about", self._measure, "--value", misses, *day)
            self._post(reporter, "verdict", "--about", self._action, "--fixed", "yes")
        self._say(
            f"{_SUBCONTRACTOR} accepts the link. "
            "A week later one bin was missed, and the reporters say: fixed."
        )
        self._claim(
            f"Every home shows that {_SUBCONTRACTOR} holds the service now.",
            self._do_all_show("services", _holder_name, _SUBCONTRACTOR),
        )
        self._check_matter_closed()

    def print_month(self) -> None:
        """Prints a page at every home. The page is about the month in which the story began."""
        month = _iso_day(_BEGAN_DAYS)[:7]

        def print_page(home: Household) -> bytes:
            folder = str(home.home / "pages")
            export = home.run("export", "page", "--month", month, "--to", folder)
            return Path(export["files"][0]).read_bytes()

        pages = set(map_in_pairs(print_page, self._street))
        self._claim(
            f"Every home prints the same page for {month}: what was asked, heard and done.",
            len(pages) == 1 and b"Were bins missed?" in next(iter(pages)),
        )

    # -- Step 7: the chain and its measure --------------------------------------------------------

    def _publish_service(self) -> None:
        maria = self._council
        sam = self._contractor
        self._service_id = maria.post(
            "service", "--title", "Bin collection", "--provider", "The council",
            "--area", "all of it",
        )  # fmt: skip
        first_link = maria.post(
            "link", "--about", self._service_id, "--to", "Sam", "--title", "The lane"
        )
        sam.wait_for(first_link)
        sam.post("accept", "--about", first_link)
        sam.run("guest", "--as", _SUBCONTRACTOR)
        self._second_link = sam.post(
            "link", "--about", first_link, "--to", _SUBCONTRACTOR, "--title", "The south side"
        )
        self._wait_everywhere(self._second_link)
        self._say(
            "Maria publishes the council's bin collection and passes it on to Sam, the contractor. "
            "Sam accepts."
        )
        self._claim(
            f"Sam passes the south side on to {_SUBCONTRACTOR}: offered, not accepted. "
            "Sam holds it.",
            self._do_all_show("services", _link_states, ["accepted", "offered"])
            and self._do_all_show("services", _holder_name, "Sam"),
        )

    def _agree_on_measure(self) -> None:
        maria = self._council
        question = (
            "--about", self._service_id, "--question", "Were bins missed?", "--scale", "count",
        )  # fmt: skip
        refusal = ""
        try:
            maria.post("measure", *question, "--target", "4")
        except Mistake as mistake:
            refusal = str(mistake)
        self._claim(
            "A target of 4 misses is refused: the charter allows 0 to 3.", "0 to 3" in refusal
        )
        self._measure = maria.post("measure", *question, "--target", "2")
        change = ("--change", "adopt", self._measure)
        proposal = maria.post("proposal", "--title", "At most two misses a week", *change)
        self._wait_everywhere(self._measure, proposal)
        voters = [Resident(home, home.name) for home in self._street]
        voters.append(Resident(self._street[1], "Grace"))
        map_in_pairs(
            lambda voter: voter.post("vote", "--about", proposal, "--choice", "yes"), voters
        )
        self._claim(
            "The neighbourhood votes for a target: at most 2 misses a week.",
            self._do_all_show("measures", lambda measure: measure["state"], "in use"),
        )

    # -- Steps 8 and 9: the reports and the matter ------------------------------------------------

    def _add_guests(self) -> None:
        for guest in self._guests:
            guest.home.run("guest", "--as", guest.name)

    def _report_misses(self) -> None:
        day = ("--on", _iso_day(_BEGAN_DAYS))
        texts: list[tuple[str, ...]] = [("--text", _MISSED)] * _REPORTERS
        texts[3] = ("--text", _MISSED_ES, "--lang", "es")
        feedback_ids = [
            reporter.post("feedback", "--about", self._measure, *day, *text)
            for reporter, text in zip(self._reporters, texts, strict=True)
        ]
        self._wait_everywhere(*feedback_ids)
        later = self._reporters[4]
        self._post(later, "same_as", "--about", feedback_ids[4], "--other", feedback_ids[1])
        names = ", ".join(reporter.name for reporter in self._reporters)
        self._say(f"{names} report missed bins: “{_MISSED}”, “{_MISSED_ES}”.")

    def _check_matter_opened(self) -> None:
        def are_same(matters: list[Row | None]) -> bool:
            return len({_identity(matter) for matter in matters}) == 1

        matters = poll_until(self._matters, are_same)
        counts = {matter["raised_by"] for matter in matters if matter}
        self._claim(
            "Two reports are about the same bin: five misses, six reporters. "
            "Every home shows one matter, held by Sam.",
            matters[0] is not None and are_same(matters) and counts == {_REPORTERS},
        )

    # -- Step 10: an action that helps in part ----------------------------------------------------

    def _do_and_reopen_action(self) -> None:
        sam = Resident(self._contractor, "Sam")
        self._action = self._post(
            sam, "action", "--about", self._measure, "--what", "A second lorry"
        )
        self._post(sam, "done", "--about", self._action, "--text", "It runs")
        self._post(self._reporters[0], "verdict", "--about", self._action, "--fixed", "partly")

        def summarise(action: Row) -> tuple[str, int, Row]:
            return action["state"], len(action["done"]), action["fixed"]

        self._claim(
            "Sam says: done. Ada says: partly. Every home shows both, and the action is open again.",
            self._do_all_show("actions", summarise, ("reopened", 1, {"partly": 1})),
        )
        self._post(sam, "done", "--about", self._action, "--text", "Every street now")

    # -- Step 15: the outcome ---------------------------------------------------------------------

    def _check_matter_closed(self) -> None:
        def are_closed(matters: list[Row | None]) -> bool:
            return all(matter and matter["state"] == "closed" for matter in matters)

        self._claim(
            "The matter closes: more than half of those who raised it say that it is fixed.",
            are_closed(poll_until(self._matters, are_closed)),
        )

    # -- All homes --------------------------------------------------------------------------------

    def _post(self, author: Resident, kind: str, *words: str) -> str:
        """Posts a record, waits until every home has it, and returns its id."""
        record_id = author.post(kind, *words)
        self._wait_everywhere(record_id)
        return record_id

    def _wait_everywhere(self, *record_ids: str) -> None:
        map_in_pairs(lambda home: home.wait_for(*record_ids), self._street)

    def _matters(self) -> list[Row | None]:
        """Returns one entry for each home. If the home lists exactly one matter, the entry is this
        matter. Otherwise the entry is None.
        """
        return [_only_row(home.run("list", "matters")) for home in self._street]

    def _do_all_show(
        self, list_name: str, summarise: Callable[[Row], object], expected: object
    ) -> bool:
        """Waits until every home has exactly one row in the list `list_name`, and `summarise`
        returns `expected` for this row.

        Returns False if this takes too long.
        """

        def summaries() -> list[object]:
            rows = map_in_pairs(lambda home: _only_row(home.run("list", list_name)), self._street)
            return [summarise(row) if row else None for row in rows]

        def are_expected(shown: list[object]) -> bool:
            return all(summary == expected for summary in shown)

        return are_expected(poll_until(summaries, are_expected))


def _holder_name(service: Row) -> str:
    return str(service["holder"]["name"])


def _link_states(service: Row) -> list[str]:
    return [link["state"] for link in service["links"]]


def _identity(matter: Row | None) -> tuple[str, str] | None:
    return (matter["id"], matter["holder"]["name"]) if matter else None


def _only_row(rows: list[Row]) -> Row | None:
    return rows[0] if len(rows) == 1 else None


def _iso_day(days_ago: int) -> str:
    return (datetime.now(UTC).date() - timedelta(days=days_ago)).isoformat()
