"""The open records that authority reads, indexed by what they are about.

An index only grows with the set and forgets what the store no longer keeps; in which order acts
came leaves no trace in what a fold makes of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import root_statement as statement

KINDS = frozenset({
    "charter", "admit", "accept", "device", "epoch", "renewal", "part", "proposal", "vote", "remove",
    "hide", "relay",
})  # fmt: skip


class Act(NamedTuple):
    """An open record as authority reads it. Times in milliseconds; `digest`: of its content."""

    id: bytes
    device: bytes
    seq: int
    time: int
    kind: str
    fields: dict[str, Any]
    parents: tuple[bytes, ...] = ()
    digest: bytes = b""

    @property
    def about(self) -> bytes | None:
        """What it answers, if it is no root."""
        return self.parents[0] if self.parents else None

    @property
    def subject(self) -> bytes | None:
        """What a fold looks it up by."""
        if self.kind in {"admit", "remove"}:
            return bytes(self.fields["person"])
        if self.kind == "renewal":
            return bytes(self.fields["parent"])
        return self.digest if self.kind == "part" else self.about


class Acts:
    """Acts by id, by kind and by subject, with the root statements that they carry."""

    def __init__(self, acts: Iterable[Act] = ()) -> None:
        self._by_id: dict[bytes, Act] = {}
        self._of_kind: dict[str, dict[bytes, Act]] = {}
        self._about: dict[str, dict[bytes, dict[bytes, Act]]] = {}
        self._said: dict[bytes, statement.Certified | statement.Revoked] = {}
        for act in acts:
            self.add(act)

    def __iter__(self) -> Iterator[Act]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, act_id: bytes) -> Act | None:
        """The act with this id."""
        return self._by_id.get(act_id)

    def add(self, act: Act) -> None:
        """Adds an act; one that is here already changes nothing."""
        if act.id in self._by_id:
            return
        self._by_id[act.id] = act
        self._of_kind.setdefault(act.kind, {})[act.id] = act
        if act.subject is not None:
            self._about.setdefault(act.kind, {}).setdefault(act.subject, {})[act.id] = act
        if "statement" in act.fields:
            with suppress(Refused):  # a carrier may carry nonsense; it then certifies nothing
                self._said[act.id] = statement.read(act.fields["statement"])

    def drop(self, act_id: bytes) -> None:
        """Forgets an act that is no longer kept."""
        act = self._by_id.pop(act_id, None)
        if act is None:
            return
        del self._of_kind[act.kind][act_id]
        self._said.pop(act_id, None)
        if act.subject is not None:
            alike = self._about[act.kind][act.subject]
            del alike[act_id]
            if not alike:
                del self._about[act.kind][act.subject]

    def of(self, *kinds: str) -> list[Act]:
        """The acts of these kinds, in order of time and id."""
        found = [act for kind in kinds for act in self._of_kind.get(kind, {}).values()]
        return sorted(found, key=lambda act: (act.time, act.id))

    def about(self, kind: str, subject: bytes) -> Collection[Act]:
        """The acts of one kind with this subject, in no order: sets of voters are made of them."""
        return self._about.get(kind, {}).get(subject, {}).values()

    def about_in_order(self, kind: str, subject: bytes) -> list[Act]:
        """The same in order of id, where that leaves a trace."""
        return sorted(self.about(kind, subject), key=lambda act: act.id)

    def subjects(self, kind: str) -> list[bytes]:
        """What acts of one kind are about, sorted."""
        return sorted(self._about.get(kind, {}))

    def restored(self, key: bytes | None) -> int:
        """How many proposals would bring somebody, or hidden words, back."""
        changes = [act.fields.get("change") for act in self._of_kind.get("proposal", {}).values()]
        return sum(one is not None and one[1] == key and one[2] % 2 == 0 for one in changes)

    def beyond_forks(self, forks: Mapping[bytes, int]) -> set[bytes]:
        """R-01.14: ids of what authority keeps of forked logs, whose authors could else withdraw
        it (R-03.23): of each device the vote on a proposal or renewal, the accept of a renewal, and
        the remove of a person or the hide of a record with a number that may come next; of several
        the lowest id.
        """
        kept: dict[tuple[object, ...], bytes] = {}
        for kind in ("vote", "accept", "remove", "hide"):
            for act in self._of_kind.get(kind, {}).values():
                if act.seq >= forks.get(act.device, act.seq + 1) and self._may_count(act, forks):
                    key = (act.device, kind, act.subject, act.fields.get("n"))
                    kept[key] = min(act.id, kept.get(key, act.id))
        return set(kept.values())

    def _may_count(self, act: Act, forks: Mapping[bytes, int]) -> bool:
        if act.kind in {"remove", "hide"}:
            return bool(act.fields["n"] <= 1 + 2 * self.restored(act.subject))
        target = self._by_id.get(act.about or b"")
        if target is None or target.kind not in {"proposal", "renewal"}:
            return False
        # A vote keeps what it is about, of one log: it must not be that alone which keeps the vote.
        own = target.device == act.device and target.seq >= forks[act.device]
        return not own or any(
            one.device != act.device and one.seq < forks.get(one.device, one.seq + 1)
            for kind in ("vote", "accept")
            for one in self.about(kind, target.id)
        )

    def said(self, act: Act) -> statement.Certified | statement.Revoked | None:
        """The root statement that an act carries."""
        return self._said.get(act.id)
