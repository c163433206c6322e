"""Shows the minutes that people gave and received. Shows each person's balance and its history
(R-13.14).
"""

from meshcoop.api.list_pages import take_lines
from meshcoop.api.plain_values import Shown
from meshcoop.api.presenter import Presenter
from meshcoop.fold.state import State
from protocol.fold import balance
from protocol.fold.balance import Balance
from protocol.fold.facets import Credit

_DAY_LENGTH = len("2026-11-23")


class Balances:
    """Shows the balances that follow from this home's records. Each API call makes its own
    `Balances` object.
    """

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._presenter = presenter

    def list_balances(self) -> list[Shown]:
        """Lists the members, and all other people who gave or received time. The rows are sorted by
        name.
        """
        balances = self._state.views.balances()
        authority = self._state.authority
        members = authority.members if authority else ()
        people = {*balances, *members}
        return [
            self._row(person, balances.get(person, Balance()))
            for person in self._presenter.sort_people(people)
        ]

    def show_balance(self, person: bytes, before: str | None) -> Shown:
        """Shows one person's row, and a part of the history of this person's balance. The part ends
        before the record `before`.
        """
        person_credits = self._state.views.credits_of(person)
        balance_now = balance.sum_balances(person_credits).get(person, Balance())
        lines: list[tuple[Credit, int, int]] = []
        running = 0  # minutes; gifts do not count
        for credit in person_credits:
            minutes = balance.minutes_for(credit, person)
            running += 0 if credit.is_gift else minutes
            lines.append((credit, minutes, running))
        history = [self._line(person, *line) for line in lines]
        return {**self._row(person, balance_now), **take_lines(before, history)}

    def _row(self, person: bytes, person_balance: Balance) -> Shown:
        return {
            "person": self._presenter.show_person(person),
            "given": person_balance.given,
            "received": person_balance.received,
            "balance": person_balance.balance,
            "gifts_given": person_balance.gifts_given,
            "gifts_received": person_balance.gifts_received,
        }

    def _line(self, person: bytes, credit: Credit, minutes: int, running: int) -> Shown:
        other = credit.receiver if credit.giver == person else credit.giver
        clock = self._presenter.clock
        return {
            "id": credit.id.hex(),
            "kind": credit.kind,
            "on": clock.to_local(credit.on) if credit.on else clock.day_of(credit.created),
            "person": self._presenter.show_person(other),
            "minutes": minutes,
            "balance": running,
        }
