"""Judged chains: remembers what the records in hellos have shown, so that a peer who comes again
and again with the same records costs no work again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.record import codec
from protocol.wire import membership_proof

MAX_REMEMBERED = 64


@dataclass
class _Judgement:
    """What a chain holds or why it is refused. `shown` is the authority that the chain gave
    together with the records of this home, when the authority of this home was `own`.
    """

    records: list[AuthorityRecord]
    refusal: Refused | None = None
    own: Authority | None = None
    shown: Authority | None = None
    is_folded: bool = False


class JudgedChains:
    """Judges the chains of hellos. Remembers the last MAX_REMEMBERED of them, refused ones too
    (R-05.3i).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._judgements: OrderedDict[bytes, _Judgement] = OrderedDict()

    def judge(self, chain: Sequence[bytes]) -> Authority | None:
        """Returns the authority that the records of this home and of a chain give together.

        Raises Refused if a record of the chain is refused.
        """
        judgement = self._find(chain)
        if judgement.refusal is not None:
            raise judgement.refusal.with_traceback(None)
        own = self._state.authority
        if not judgement.is_folded or judgement.own is not own:
            judgement.shown = self._state.authority_fold.fold_with(judgement.records)
            judgement.own = own
            judgement.is_folded = True
        return judgement.shown

    def _find(self, chain: Sequence[bytes]) -> _Judgement:
        key = hashlib.sha256(codec.pack(list(chain))).digest()
        judgement = self._judgements.get(key)
        if judgement is None:
            judgement = self._judgements[key] = self._read(chain)
            if len(self._judgements) > MAX_REMEMBERED:
                self._judgements.popitem(last=False)
        self._judgements.move_to_end(key)
        return judgement

    def _read(self, chain: Sequence[bytes]) -> _Judgement:
        try:
            return _Judgement(membership_proof.read_chain(list(chain), self._state.neighbourhood))
        except Refused as refusal:
            return _Judgement([], refusal)
