"""Remembers what the chain of each hello has shown. A chain is the list of records that prove a
membership. If a peer comes again with the same chain, the chain need not be checked again.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import trio

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.errors import Refused
from protocol.record import codec
from protocol.wire import membership_proof

MAX_REMEMBERED = 64

_AT_ONCE = 100  # records that are checked in one step: some 15 ms of a small machine


async def read_chain_in_steps(chain: list[bytes], neighbourhood: bytes) -> list[AuthorityRecord]:
    """Reads the records of a chain and checks them, some in each step. Raises Refused if a record
    is refused.
    """
    records = []
    for at in range(0, len(chain), _AT_ONCE):
        records += membership_proof.read_chain(chain[at : at + _AT_ONCE], neighbourhood)
        await trio.lowlevel.checkpoint()
    return records


@dataclass
class _Judgement:
    """The records of a chain, or the reason why the chain is refused. `shown` is the authority that
    was folded from the chain together with the records of this home. `own` was this home's own
    authority when the chain was judged.
    """

    records: list[AuthorityRecord]
    refusal: Refused | None = None
    own: Authority | None = None
    shown: Authority | None = None
    is_folded: bool = False


class JudgedChains:
    """Judges the chains of hellos. Remembers the latest MAX_REMEMBERED judgements, those on refused
    chains too (R-05.3i).
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._judgements: OrderedDict[bytes, _Judgement] = OrderedDict()

    def judge(self, chain: Sequence[bytes], arrival: Sequence[bytes] = ()) -> Authority | None:
        """Folds the records of this home together with the records of a chain. Returns the
        resulting authority. `arrival` are further records that this home trusts.

        Raises Refused if a record of the chain is refused.
        """
        trusted = self._find(arrival).records if arrival else []
        judgement = self._find(chain)
        if judgement.refusal is not None:
            raise judgement.refusal.with_traceback(None)
        own = self._state.authority
        if not judgement.is_folded or judgement.own is not own:
            records = [*trusted, *judgement.records]
            judgement.shown = self._state.authority_fold.fold_with(records)
            judgement.own = own
            judgement.is_folded = True
        return judgement.shown

    async def read_in_steps(self, chain: Sequence[bytes]) -> None:
        """Reads and remembers the records of a chain, some in each step. So `judge` need not read
        them.
        """
        key = _key_of(chain)
        if key not in self._judgements:
            try:
                records = await read_chain_in_steps(list(chain), self._state.neighbourhood)
                self._remember(key, _Judgement(records))
            except Refused as refusal:
                self._remember(key, _Judgement([], refusal.without_frames()))

    def _remember(self, key: bytes, judgement: _Judgement) -> None:
        self._judgements[key] = judgement
        if len(self._judgements) > MAX_REMEMBERED:
            self._judgements.popitem(last=False)

    def _find(self, chain: Sequence[bytes]) -> _Judgement:
        key = _key_of(chain)
        judgement = self._judgements.get(key)
        if judgement is None:
            judgement = self._read(chain)
            self._remember(key, judgement)
        self._judgements.move_to_end(key)
        return judgement

    def _read(self, chain: Sequence[bytes]) -> _Judgement:
        try:
            return _Judgement(membership_proof.read_chain(list(chain), self._state.neighbourhood))
        except Refused as refusal:
            return _Judgement([], refusal.without_frames())


def _key_of(chain: Sequence[bytes]) -> bytes:
    return hashlib.sha256(codec.pack(list(chain))).digest()
