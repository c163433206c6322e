"""Turns the node's answers about relays into text for a terminal."""

from typing import Any

from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.person_name import format_person
from protocol.display_text import safe_line


def describe_relay(view: dict[str, Any]) -> str:
    """Describes a neighbourhood that this relay serves, or a relay that serves this home."""
    if view["state"] == "unserved":
        name = name_neighbourhood(view)
        return (
            f"{name} cannot be served now; `meshcoop log` says where to look. It is tried again"
            " every minute."
        )
    if "neighbourhood" in view:
        records = format_count(view["records"], "record")
        return (
            f"{name_neighbourhood(view)}: {records},"
            f" {view['connected']} connected,"
            f" since {view['since'][:10]} (UTC), id {view['neighbourhood']['id'][:16]}"
        )
    people = ", ".join(format_person(person) for person in view["people"])
    addresses = ", ".join(view["addresses"])
    return f"{view['key'][:16]} ({view['state']}), enrolled by {people}, at {addresses}"


def name_neighbourhood(view: dict[str, Any]) -> str:
    """Returns the name of the neighbourhood that a view is about. If the name has not arrived yet,
    returns the beginning of the neighbourhood's id.
    """
    neighbourhood = view["neighbourhood"]
    return safe_line(neighbourhood["name"] or "") or f"the neighbourhood {neighbourhood['id'][:16]}"
