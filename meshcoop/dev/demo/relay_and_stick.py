"""The demo's relay and stick: what reaches homes that are never up together, and who reads it."""

from collections.abc import Callable
from pathlib import Path

from meshcoop.dev.demo.household import Household, until

_TITLE = "Somebody to water the tomatoes"


class Carried:
    """The surgery's relay, which a technician runs, and what it carries for the street."""

    def __init__(
        self,
        street: list[Household],
        say: Callable[[str], None],
        claim: Callable[[str, bool], None],
    ) -> None:
        self._maria, self._ada, self._sam, *_ = street
        self._street, self._say, self._claim = street, say, claim
        self._surgery = Household(self._maria.home.parent, "Surgery")

    def enrol(self) -> None:
        """The relay is there for the whole street."""
        surgery = self._surgery
        surgery.run("relay", "found", surgery.name)
        surgery.run("up")
        self._maria.run("relay", "enrol", surgery.run("relay", "ticket")["ticket"])
        self._say("A relay at the surgery is enrolled by Maria: it carries what it cannot read.")

    def night(self) -> None:
        """Sam's home is off while Ada's asks, and hers when his comes back."""
        self._sam.run("down")
        asked = self._ada.post("request", "--title", _TITLE, "--minutes", "30")
        wanted = self._ada.run("status")["set_hash"]
        until(self._kept, lambda found: found == [wanted])
        self._ada.run("down")
        self._sam.run("up")
        self._sam.has(asked)
        self._ada.run("up")
        self._claim(
            "Ada asks while Sam's home is off; hers is off when his comes back, and has it.",
            self._sam.run("show", asked)["title"] == _TITLE,
        )
        self._claim(
            "In the relay's files neither the words nor a name can be found.",
            not any(_holds(self._surgery.home, words) for words in (_TITLE, "Maria", "Grace")),
        )

    def stick(self) -> None:
        """What comes by stick as well comes once."""
        file = self._maria.home.parent / "stick"
        written = self._maria.run("bundle", "write", str(file))["records"]
        told = self._sam.run("bundle", "read", str(file))
        self._claim(
            f"A stick with {written} records is read at Sam's: nothing is there twice.",
            told["new"] + told["known"] == written and not told["refused"],
        )

    def _kept(self) -> list[str]:
        return [one["set_hash"] for one in self._surgery.run("status")["served"]]


def _holds(home: Path, words: str) -> bool:
    return any(words.encode() in one.read_bytes() for one in home.rglob("*") if one.is_file())
