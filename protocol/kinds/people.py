"""Kinds about people (specs/12-people.md)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Self

from protocol.errors import Refused
from protocol.fold.facets import FindView, MatchingFact, Portrait
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.proxies import NEVER_BY_PROXY, PROXY
from protocol.fold.registry import KINDS, declared_of, kind
from protocol.fold.thread import Mark, Thread
from protocol.fold.view import States, View
from protocol.local_clock import LocalClock, offset_at_end
from protocol.record.envelope import EPOCH
from protocol.record.sealing import KEY_SIZE
from protocol.schema.declare import Bytes, Integer, Many, Minutes, Moment, Person, PersonName, Text
from protocol.schema.fields import LIFETIME
from protocol.schema.known_names import KnownName
from protocol.schema.values import PersonId, TimeMs


@kind("profile")
class Profile(Kind):
    """What a person can give and would like, before anybody asks. The latest profile is shown."""

    class State(States):
        """The states of a profile."""

        CURRENT = "current", "Always; of a person's profiles the latest is shown."

    wording = Words(
        "Profile", begin="Tell neighbours about yourself", happened="{who} wrote a profile"
    )
    is_listed_with_people = True
    example = {"name": "Ana", "assets": ["mending bicycles"], "languages": ["es"]}

    name: str | None = PersonName(required=True)
    about: str | None = Text(max=1000)  # type: ignore[assignment]  # what the person says, no id
    assets: list[str] | None = Many(of=Text(min=1, max=60), help="what the person can give")
    wants: list[str] | None = Many(of=Text(min=1, max=60), help="what the person would like")
    languages: list[str] | None = Many(of=Text(min=1, max=35))
    area: str | None = Text(max=60, help="a coarse area, never an address")
    affiliation: str | None = Text(max=80, help="an organisation, if any")
    minutes_a_month: int | None = Minutes(help="time the person has for others")

    @classmethod
    def standing(cls, views: Iterable[Self], clock: LocalClock) -> Iterable[Self]:
        """Returns the latest profile."""
        del clock
        return islice(views, 1)

    def matching_facts(self) -> Iterable[MatchingFact]:
        """Returns what the person can give and would like."""
        yield Portrait(
            name=self.name,
            about=self.about,
            assets=tuple(self.assets or ()),
            wants=tuple(self.wants or ()),
            languages=tuple(self.languages or ()),
            area=self.area,
            minutes_a_month=self.minutes_a_month,
        )


@kind("home", posted=False, automatic_a_day=8)
class Home(Kind):
    """Names the node of a person's home, so that neighbours reach it through a relay.

    A record of this kind contains no network address. The record of a relay has the addresses of
    the relay. Nodes tell each other their own addresses directly.
    """

    class State(States):
        """The states of a home."""

        NAMED = "known", "Always."

    wording = Words("Home", happened="{who} named the node of their home")
    example = {"key": bytes(KEY_SIZE)}

    key: bytes = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the public key of its node")


@dataclass(frozen=True, kw_only=True)
class KindName(KnownName):
    """The name of a kind of record."""

    type_name = "kind"
    hint = "such as request"
    example = "request"

    def names(self) -> Collection[str]:
        return KINDS


@kind(PROXY, plural="proxies", lasting=True)
class Proxy(Kind):
    """Lets somebody act for you, for the kinds of records that you name, until a given day.

    Each record that this person signs for you carries both names.
    """

    class State(States):
        """The states of a proxy."""

        IN_FORCE = "in force", "Its author has not ended it."
        OVER = "over", "By the clock: it is in force, and `until` is past."
        ENDED = "ended", "Its author ended it (`close`)."

    wording = Words(
        "Proxy", begin="Let somebody act for you", happened="{who} gave somebody a proxy"
    )
    example = {"person": SOMEBODY, "matters": ["request"], "until": "2026-12-31", "offset": 0}
    deadline = ("until", State.OVER)
    closing = {Mark.ENDED: By("author", while_=(State.IN_FORCE,))}

    person: PersonId = Person(required=True, help="who acts for you")
    matters: list[str] | None = Many(
        of=KindName(max=40),
        required=True,
        help="the kinds of records, such as request",
    )
    until: str = Moment(
        required=True,
        day_only=True,
        days_back=0,
        days_ahead=LIFETIME,
        help="the last day on which it holds",
    )
    offset: int = Integer(
        required=True, min=-1080, max=1080, filled=True, help="minutes from UTC when that day ends"
    )

    ended: TimeMs | None = None

    @classmethod
    def standing(cls, views: Iterable[Self], clock: LocalClock) -> Iterable[Self]:
        """Returns the proxies that are in force."""
        return (proxy for proxy in views if proxy.state_at(clock) == cls.State.IN_FORCE)

    def complete(self, thread: Thread) -> None:
        """Fills in the field `offset`: by how many minutes the clocks here are ahead of UTC at the
        end of the proxy's last day.

        So all homes agree when the proxy ends, even if they have different tables of time zones
        (R-12.4).
        """
        if self.until is not None:
            self.offset = offset_at_end(self.until, thread.clock.zone)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the proxy does not name another person, or names a kind that is not
        allowed (R-12.3).
        """
        del thread
        if self.person == self.author:
            raise Refused("R-12.3", "a proxy is for somebody else than yourself")
        for name in self.matters or ():
            if not _may_be_signed_by_proxy(name):
                raise Refused("R-12.3", "a proxy cannot be for {name}", name=name)
        if not self.matters:
            raise Refused("R-12.3", "a proxy names the kinds of records that it is for")

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns two people: the person who lets another person sign, and that other person."""
        del find
        return [self.author, self.person] if self.state == self.State.IN_FORCE else []

    def apply_close(self, thread: Thread, close: View) -> None:
        """Ends the proxy at the time of its earliest `close`.

        Records that were signed by proxy before that time still count (R-12.5).
        """
        del thread
        self.ended = close.created if self.ended is None else min(close.created, self.ended)


def read_person_name(typed: str, field: str = "name") -> str:
    """Reads a person's name as the person typed it (R-12.7).

    Raises Refused if the text cannot be a name. `field` is what the refusal calls the name.
    """
    rule = declared_of(Profile).fields["name"]
    name: str = rule.read(field, typed, _name_no_record)
    rule.check(field, name)
    return name


def _name_no_record(what: str, typed: str) -> bytes:
    raise AssertionError(f"a name names no {what}: {typed!r}")


def _may_be_signed_by_proxy(kind_name: str) -> bool:
    """Returns True if a person may sign records of this kind for another person, by proxy."""
    declared = KINDS.get(kind_name)
    if declared is None or kind_name in NEVER_BY_PROXY:
        return False
    return declared.posted and declared.audience == EPOCH
