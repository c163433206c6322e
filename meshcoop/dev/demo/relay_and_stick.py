"""The demo's relay and memory stick. Both carry records between homes that never run at the same
time.
"""

from collections.abc import Callable
from pathlib import Path

from meshcoop.dev.demo.household import Household, poll_until

_TITLE = "Somebody to water the tomatoes"


class RelayAndStick:
    """A relay and a memory stick. A technician runs the relay at the doctor's surgery. Maria hands
    the stick to Sam.
    """

    def __init__(
        self,
        street: list[Household],
        say: Callable[[str], None],
        claim: Callable[[str, bool], None],
    ) -> None:
        self._maria, self._ada, self._sam, *_ = street
        self._surgery = Household(self._maria.home.parent, "Surgery")
        self._say = say
        self._claim = claim

    def enrol(self) -> None:
        """Starts the relay. Maria enrols the relay for the whole street."""
        surgery = self._surgery
        surgery.run("relay", "found", surgery.name)
        surgery.run("up")
        self._maria.run("relay", "enrol", surgery.run("relay", "ticket")["ticket"])
        self._say("Maria enrols a relay at the surgery. It carries records that it cannot read.")

    def pass_on_request(self) -> None:
        """Tells how Ada's request reaches Sam, although their homes never run at the same time."""
        self._sam.run("down")
        request_id = self._ada.post("request", "--title", _TITLE, "--minutes", "30")
        wanted_hash = self._ada.run("status")["set_hash"]
        poll_until(self._relayed_hashes, lambda hashes: hashes == [wanted_hash])
        self._ada.run("down")
        self._sam.run("up")
        self._sam.wait_for(request_id)
        self._ada.run("up")
        self._claim(
            "Ada asks while Sam's home is off. Hers is off when Sam's comes back, and he reads it.",
            self._sam.run("show", request_id)["title"] == _TITLE,
        )
        self._claim(
            "The relay's files contain neither the words nor a name.",
            not any(_contains(self._surgery.home, text) for text in (_TITLE, "Maria", "Grace")),
        )

    def read_stick(self) -> None:
        """Tells how Sam reads a stick with records that his home already has. No record is stored
        twice.
        """
        file = self._maria.home.parent / "stick"
        written_count = self._maria.run("bundle", "write", str(file))["records"]
        counts = self._sam.run("bundle", "read", str(file))
        self._claim(
            f"Sam reads a stick with {written_count} records: no record is stored twice.",
            counts["new"] + counts["known"] == written_count and not counts["refused"],
        )

    def _relayed_hashes(self) -> list[str]:
        """Returns a hash for each neighbourhood that the relay serves. The hash covers all records
        that the relay has from this neighbourhood.
        """
        return [tenant["set_hash"] for tenant in self._surgery.run("status")["served"]]


def _contains(home: Path, text: str) -> bool:
    """Returns True if any file of a home contains this text unencrypted."""
    files = [path for path in home.rglob("*") if path.is_file()]
    return any(text.encode() in file.read_bytes() for file in files)
