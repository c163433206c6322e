"""Proxies: permissions to sign records for another person (specs/12, from R-12.3 on).

The threads of proxies are folded first. In these threads nobody signs for another person. So
proxies depend on authority alone, and all other threads can depend on proxies. In the specs, the
folding of proxies is stratum 2.
"""

from collections.abc import Iterable
from datetime import timedelta, timezone
from typing import NamedTuple, Protocol

from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.thread import Entry
from protocol.local_clock import LocalClock

PROXY = "proxy"  # the kind of the records that give proxies
PROXY_FIELD = "for"  # the field with the proxy's id, where one person signs for another
NEVER_BY_PROXY = frozenset({PROXY})


class ProxyView(Protocol):
    """The values of a proxy's view that this module reads.

    The class of these views is `Proxy` in `protocol.kinds.people`.
    """

    id: bytes
    author: bytes
    created: int
    person: bytes
    matters: list[str] | None  # None if these words are hidden
    until: str
    offset: int
    ended: int | None


class Proxy(NamedTuple):
    """A permission from `person`: `deputy` may sign records for this person.

    `matters` names the kinds of these records. The permission holds from the time `since` to the
    end of the day `until`. `offset` says by how many minutes the clocks are ahead of UTC then. If
    `person` ends the proxy earlier, `ended` is that time. Times are in ms.
    """

    id: bytes
    person: bytes
    deputy: bytes
    matters: tuple[str, ...]
    since: int
    until: str
    offset: int
    ended: int | None

    def check_use(self, signer: bytes, kind_name: str, *, is_sealed: bool, time: int) -> None:
        """Raises Refused if the proxy does not allow `signer` to sign a record of this kind
        (R-12.4).

        `is_sealed` says whether the record is sealed for the members. `time` is the time of the
        record in ms.
        """
        clock = LocalClock(time, timezone(timedelta(minutes=self.offset)))
        if signer != self.deputy:
            raise Refused("R-12.4", "the proxy is somebody else's")
        if kind_name not in self.matters or kind_name in NEVER_BY_PROXY or not is_sealed:
            matters = ", ".join(self.matters)
            raise Refused(
                "R-12.4",
                "the proxy is for {matters}, not for {name}",
                matters=matters,
                name=kind_name,
            )
        if time < self.since or clock.is_past(self.until):
            raise Refused(
                "R-12.4", "the proxy holds until {until}; ask for a new one", until=self.until
            )
        if self.ended is not None and time >= self.ended:
            raise Refused("R-12.4", "the person who gave the proxy has ended it")


ProxiesById = dict[bytes, Proxy]


def proxies_by_id(views: Iterable[ProxyView]) -> ProxiesById:
    """Reads proxies from their views. Maps the id of each proxy to the proxy."""
    return {view.id: _read_proxy(view) for view in views}


def apply_proxy(entry: Entry, proxies: ProxiesById, authority: Authority) -> Entry:
    """Turns a record that was signed by proxy into a record of the represented person (R-12.4).

    A proxy is a permission to sign for the person who gave it. If no proxy allows the signature,
    returns `entry` without its content, so that it does not count. If the record was not signed for
    another person, returns `entry` unchanged.
    """
    # A home that does not know the kind finds the same author (R-10.8d).
    if PROXY_FIELD not in entry.fields or entry.kind is None:
        return entry
    proxy_id = entry.fields[PROXY_FIELD]
    proxy = proxies.get(proxy_id) if type(proxy_id) is bytes else None
    try:
        if proxy is None or proxy.person not in authority.people:
            raise Refused(
                "R-12.4", "the proxy by which it was signed is not here, or not a member's"
            )
        proxy.check_use(entry.person, entry.kind, is_sealed=entry.is_sealed, time=entry.time)
    except Refused as refusal:
        return entry.without_content()._replace(fault=refusal.without_frames())
    return entry._replace(person=proxy.person, by=entry.person, proxy=proxy.id)


def _read_proxy(view: ProxyView) -> Proxy:
    return Proxy(
        id=view.id,
        person=view.author,
        deputy=view.person,
        matters=tuple(view.matters or ()),
        since=view.created,
        until=view.until,
        offset=view.offset,
        ended=view.ended,
    )
