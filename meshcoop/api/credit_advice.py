"""Advises people whose balance goes beyond the limits that the charter suggests (R-13.21)."""

from enum import StrEnum

from meshcoop.api.presenter import Presenter
from meshcoop.errors import Remark
from meshcoop.fold.state import State
from protocol.fold import balance
from protocol.fold.balance import Balance
from protocol.fold.registry import KINDS
from protocol.fold.view import View
from protocol.kinds.exchange.exchange import Agreement
from protocol.kinds.exchange.payments import Confirm, Correction, Receipt
from protocol.record.envelope import Record


class Advice(StrEnum):
    """The codes of the advice. A code says whose balance is meant: the reader's or another
    person's. It also says whether this balance is beyond a limit already, or soon will be.
    """

    YOU_ARE = "you_are_beyond"
    YOU_WOULD_BE = "you_would_be_beyond"
    IS = "is_beyond"
    WOULD_BE = "would_be_beyond"


_ADVISED_RECORDS = (Agreement, Receipt, Confirm)

# The states of views whose minutes do not count in a balance yet.
_AHEAD = frozenset({Agreement.State.AGREED, Receipt.State.PROPOSED, Correction.State.PROPOSED})

# By whether the balance is the reader's, and whether minutes are counted that are not given yet.
_CODES = {
    (True, False): Advice.YOU_ARE,
    (True, True): Advice.YOU_WOULD_BE,
    (False, False): Advice.IS,
    (False, True): Advice.WOULD_BE,
}


class CreditAdvisor:
    """Advises the signer of a record. Each API call makes its own `CreditAdvisor` object."""

    def __init__(self, state: State, presenter: Presenter) -> None:
        self._state = state
        self._presenter = presenter

    def advise(self, record: Record, me: bytes | None) -> Remark | None:
        """Returns advice for the signer of a record, or None if there is nothing to advise. If the
        signer acted for another person, this other person gets the advice.

        If the advice is for the reader `me`, its code says so.
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
        code = _CODES[person == me, bool(minutes_ahead)]
        actor = self._presenter.show_person(person)
        return Remark(code, {"actor": actor, "limit": limit, "balance": reached})

    def _view_of(self, record: Record) -> View | None:
        """Returns the view of a record. A confirm has no view of its own. So for a confirm, returns
        the view of the confirmed record.
        """
        view = self._state.views.find(record.id)
        if view is None and record.about:
            return self._state.views.find(record.about)
        return view

    def _signer_of(self, record: Record) -> bytes | None:
        """Returns the signer of a record. If the signer acted for another person, returns this
        other person.

        Returns None if nobody gets advice about records of this kind.
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
