"""Stratum 2: the proxies that hold when threads fold (specs/12, from R-12.3 on).

Proxies are read from their views. Nobody acts for another person in the thread of a proxy. So
proxies depend on authority alone, and threads may depend on proxies.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Entry
from protocol.record.envelope import EPOCH

PROXY_FIELD = "for"  # in content that one person signs for another: the proxy's id
NEVER_BY_PROXY = frozenset({"proxy"})


class Proxy(NamedTuple):
    """One person's permission for another to act for them. Times are in ms.

    `person` lets `deputy` sign the kinds of records in `matters` for them. It holds through the day
    `until`, or until `person` ends it (`ended`).
    """

    id: bytes
    person: bytes
    deputy: bytes
    matters: tuple[str, ...]
    since: int
    until: str
    ended: int | None

    def check_use(self, signer: bytes, kind: Kind, time: int, offset: int) -> None:
        """Raises Refused unless `signer` may sign this kind at `time`, in ms (R-12.4).

        `offset` is the minutes from UTC, by which the day is found.
        """
        day = datetime.fromtimestamp(time // 1000 + offset * 60, UTC).date().isoformat()
        if signer != self.deputy:
            raise Refused("R-12.4", "the proxy is somebody else's")
        if kind.name not in self.matters or kind.name in NEVER_BY_PROXY or kind.audience != EPOCH:
            matters = ", ".join(self.matters)
            raise Refused("R-12.4", f"the proxy is for {matters}, not for a {kind.name}")
        if time < self.since or day > self.until:
            raise Refused("R-12.4", f"the proxy holds until {self.until}; ask for a new one")
        if self.ended is not None and time >= self.ended:
            raise Refused("R-12.4", "the person who gave the proxy has ended it")


ProxiesById = dict[bytes, Proxy]


def proxies_by_id(views: Iterable[dict[str, Any]]) -> ProxiesById:
    """Reads the proxies from their views and returns them by id."""
    return {view["id"]: _read_proxy(view) for view in views if view["kind"] == "proxy"}


def apply_proxy(entry: Entry, proxies: ProxiesById, authority: Authority) -> Entry:
    """Makes an entry signed for another person that person's entry, if a proxy allows it (R-12.4).

    If no proxy allows it, the entry comes back without its content, which then does not count. An
    entry that was not signed for another comes back as it is.
    """
    if PROXY_FIELD not in entry.fields or entry.kind not in KINDS:
        return entry
    proxy_id = entry.fields[PROXY_FIELD]
    proxy = proxies.get(proxy_id) if type(proxy_id) is bytes else None
    try:
        if proxy is None or proxy.person not in authority.people:
            raise Refused(
                "R-12.4", "the proxy by which it was signed is not here, or not a member's"
            )
        proxy.check_use(entry.person, KINDS[entry.kind], entry.time, authority.charter["offset"])
    except Refused as refusal:
        return entry.without_content()._replace(fault=refusal)
    return entry._replace(person=proxy.person, by=entry.person, proxy=proxy.id)


def _read_proxy(view: dict[str, Any]) -> Proxy:
    return Proxy(
        view["id"],
        view["author"],
        view["person"],
        tuple(view["matters"]),
        view["created"],
        view["until"],
        view["ended"],
    )
