"""Advises people whose balance goes beyond the limits that the charter suggests (R-13.21)."""

from meshcoop.api.presenter import Presenter
from meshcoop.fold.state import State
from protocol.fold import balance
from protocol.fold.balance import Balance
from protocol.fold.registry import KINDS
from protocol.fold.view import View
from protocol.kinds.exchange.exchange import Agreement
from protocol.kinds.exchange.payments import Confirm, Correction, Receipt
from protocol.record.envelope import Record

_ADVISED_RECORDS = (Agreement, Receipt, Confirm)

# The states of views whose minutes do not count in a balance yet.
_AHEAD = frozenset({Agreement.State.AGREED, Receipt.State.PROPOSED, Correction.State.PROPOSED})


class CreditAdvisor:
    """Advises the signer of a record. Each API call makes its own `CreditAdvisor` object."""

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._presenter = presenter

    def advise(self, record: Record, me: bytes | None) -> str | None:
        """Returns advice for the signer of a record. If a deputy signed the record for another
        person, returns advice for that other person. Returns None if there is nothing to advise.

        If the advice is for `me`, it says "you".
        """
        view = self._view_of(record)
        authority = self._state.authority
        person = self._signer_of(record)
        if person is None:
            return None
        if not isinstance(view, Agreement | Receipt | Correction):
            return None
        if authority is None or person not in {view.giver, view.receiver}:
            return None
        is_giver = view.giver == person
        minutes_ahead = (view.minutes or 0) if view.state in _AHEAD else 0
        reached = self._balance(person) + (minutes_ahead if is_giver else -minutes_ahead)
        limit = authority.charter["credit_high" if is_giver else "credit_low"]
        is_within = reached <= limit if is_giver else reached >= limit
        if is_within:
            return None
        who_is = self._who_is(person, me, is_ahead=bool(minutes_ahead))
        return (
            f"The charter suggests no further than {_hours(limit)}; {who_is} at {_hours(reached)}"
        )

    def _view_of(self, record: Record) -> View | None:
        """Returns the view of a record. A confirm has no view, so for a confirm, returns the view
        of the record that was confirmed.
        """
        view = self._state.views.find(record.id)
        if view is None and record.about:
            return self._state.views.find(record.about)
        return view

    def _signer_of(self, record: Record) -> bytes | None:
        """Returns the signer of a record. If a deputy signed it for another person, returns that
        other person.

        Returns None if records of this kind get no advice.
        """
        row = self._state.store.records.find(record.id)
        entry = self._state.thread_fold.entry(row) if row else None
        declared = KINDS.get(entry.kind or "") if entry else None
        if entry is None or declared is None:
            return None
        return entry.person if issubclass(declared.view_type, _ADVISED_RECORDS) else None

    def _balance(self, person: bytes) -> int:
        """Returns a person's balance in minutes."""
        balances = balance.sum_balances(self._state.views.credits_of(person))
        return balances.get(person, Balance()).balance

    def _who_is(self, person: bytes, me: bytes | None, *, is_ahead: bool) -> str:
        """Returns the beginning of a sentence: "you are" or "Ada is". If `is_ahead` is True,
        returns "you would be" or "Ada would be".
        """
        is_me = person == me
        who = "you" if is_me else str(self._presenter.show_person(person)["name"])
        if is_ahead:
            return f"{who} would be"
        return f"{who} are" if is_me else f"{who} is"


def _hours(minutes: int) -> str:
    """Writes minutes as hours and minutes, such as "−10 h 30 min"."""
    hours, rest = divmod(abs(minutes), 60)
    parts = []
    if hours or not rest:
        parts.append(f"{hours} h")
    if rest:
        parts.append(f"{rest} min")
    sign = "−" if minutes < 0 else ""  # a minus as people write it
    return sign + " ".join(parts)
