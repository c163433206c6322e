"""What people gave and received, as a home shows it: balances, their history, and a word when somebody
goes further than the charter suggests (specs/13, R-13.14 and R-13.21).
"""

from typing import Any

from meshcoop.api.presenter import Presenter
from meshcoop.clock import iso
from meshcoop.fold.state import State
from protocol.fold import balance
from protocol.fold.balance import Balance, Credit
from protocol.fold.thread import View
from protocol.record.envelope import Record

Shown = dict[str, Any]

_MOST_LINES = 500
_DAY = len("2026-11-23")
_ROLES = ("giver", "receiver")


class Hours:
    """Reads for one call."""

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._presenter = presenter

    def of_all(self) -> list[Shown]:
        """A row for every member, and for whoever gave or received."""
        found, known = self._state.views.balances(), self._state.authority
        people = {*found, *(known.members if known else ())}
        rows = [self._row(person, found.get(person, Balance())) for person in people]
        return sorted(rows, key=lambda one: (one["person"]["name"].casefold(), one["person"]["id"]))

    def of(self, person: bytes) -> Shown:
        """One row, with the last lines of its history, oldest first."""
        moved = self._state.views.credits_of(person)
        row = self._row(person, _sum(moved, person))
        running, lines = 0, []
        for one in moved:
            minutes = balance.moved(one, person)
            running += 0 if one.gift else minutes
            lines.append((one, minutes, running))
        return {**row, "history": [self._line(person, *line) for line in lines[-_MOST_LINES:]]}

    def _row(self, person: bytes, one: Balance) -> Shown:
        return {
            "person": self._presenter.person(person),
            "given": one.given,
            "received": one.received,
            "balance": one.balance,
            "gifts_given": one.gifts_given,
            "gifts_received": one.gifts_received,
        }

    def _line(self, person: bytes, one: Credit, minutes: int, running: int) -> Shown:
        other = one.receiver if one.giver == person else one.giver
        return {
            "id": one.id.hex(),
            "kind": one.kind,
            "on": one.on or iso(one.created)[:_DAY],
            "person": self._presenter.person(other),
            "minutes": minutes,
            "balance": running,
        }

    # -- advice -----------------------------------------------------------------------------------

    def advice(self, signed: Record, me: bytes | None) -> str | None:
        """R-13.21: what to tell who has just signed this, if anything. `me`: whom "you" means."""
        view = self._state.views.get(signed.id) or self._confirmed(signed)
        known = self._state.authority
        if view is None or known is None or view["kind"] not in _KINDS:
            return None
        person = self._signer(signed)
        role = next((one for one in _ROLES if view[one] == person), None)
        if role is None or person is None:
            return None
        ahead = (view["minutes"] or 0) if view["state"] in {"agreed", "proposed"} else 0
        now = _sum(self._state.views.credits_of(person), person).balance
        then = now + (ahead if role == "giver" else -ahead)
        limit = known.charter["credit_high" if role == "giver" else "credit_low"]
        if (then <= limit) if role == "giver" else (then >= limit):
            return None
        who = "you" if person == me else str(self._presenter.person(person)["name"])
        would = "would be" if ahead else "are" if person == me else "is"
        return (
            f"The charter suggests no further than {_hours(limit)}; {who} {would} at {_hours(then)}"
        )

    def _confirmed(self, signed: Record) -> View | None:
        """What a confirm is about: it has no view itself."""
        return self._state.views.get(signed.about) if signed.about else None

    def _signer(self, signed: Record) -> bytes | None:
        """Who signed, or for whom somebody did."""
        row = self._state.store.records.find(signed.id)
        entry = self._state.thread_fold.entry(row) if row else None
        return entry.person if entry and entry.kind in _SIGNED else None


_KINDS = frozenset({"agreement", "receipt", "correction"})
_SIGNED = frozenset({"agreement", "receipt", "confirm"})


def _sum(moved: list[Credit], person: bytes) -> Balance:
    return balance.balances(moved).get(person, Balance())


def _hours(minutes: int) -> str:
    """Minutes as "−10 h 30 min"."""
    hours, rest = divmod(abs(minutes), 60)
    parts = [f"{hours} h"] * bool(hours or not rest) + [f"{rest} min"] * bool(rest)
    return "−" * (minutes < 0) + " ".join(parts)  # a minus as people write it
