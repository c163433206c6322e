"""Stratum 2: what holds beside authority when threads fold: proxies (specs/12, R-12.3 ff.).

It is read from the views of proxies, in whose threads nobody acts for another: so it depends on
authority alone, and threads may depend on it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Entry
from protocol.record.envelope import EPOCH

FIELD = "for"  # of any content that one person signs for another: the proxy's id
NEVER_BY_PROXY = frozenset({"proxy"})


class Proxy(NamedTuple):
    """`person` lets `by` act for them in these kinds of records, from `since` until the end of a
    day, or until they ended it (milliseconds).
    """

    id: bytes
    person: bytes
    by: bytes
    matters: tuple[str, ...]
    since: int
    until: str
    ended: int | None

    def check(self, signer: bytes, kind: Kind, time: int, offset: int) -> None:
        """R-12.4: raises Refused unless `signer` may sign this at `time`; `offset` from UTC in
        minutes.
        """
        day = datetime.fromtimestamp(time // 1000 + offset * 60, UTC).date().isoformat()
        if signer != self.by:
            raise Refused("R-12.4", "the proxy is somebody else's")
        if kind.name not in self.matters or kind.name in NEVER_BY_PROXY or kind.audience != EPOCH:
            matters = ", ".join(self.matters)
            raise Refused("R-12.4", f"the proxy is for {matters}, not for a {kind.name}")
        if time < self.since or day > self.until:
            raise Refused("R-12.4", f"the proxy holds until {self.until}; ask for a new one")
        if self.ended is not None and time >= self.ended:
            raise Refused("R-12.4", "the proxy has been ended by who gave it")


Standing = dict[bytes, Proxy]


def standing(views: Iterable[dict[str, Any]]) -> Standing:
    """The proxies by id, from their views."""
    return {
        view["id"]: Proxy(
            view["id"],
            view["author"],
            view["person"],
            tuple(view["matters"]),
            view["created"],
            view["until"],
            view["ended"],
        )
        for view in views
        if view["kind"] == "proxy"
    }


def signed_for(entry: Entry, known: Standing, authority: Authority) -> Entry:
    """R-12.4: what one person signs for another is the other's, if a proxy says so."""
    if FIELD not in entry.fields or entry.kind not in KINDS:
        return entry
    named = entry.fields[FIELD]
    proxy = known.get(named) if type(named) is bytes else None
    try:
        if proxy is None or proxy.person not in authority.people:
            raise Refused(
                "R-12.4", "the proxy by which it was signed is not here, or not a member's"
            )
        proxy.check(entry.person, KINDS[entry.kind], entry.time, authority.charter["offset"])
    except Refused as refusal:
        return entry._replace(kind=None, fields={}, fault=refusal)
    return entry._replace(person=proxy.person, by=entry.person, proxy=proxy.id)
