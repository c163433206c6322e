"""Kinds about people (specs/12-people.md)."""

from protocol.errors import Refused
from protocol.fold.kind import KINDS, Kind, States, kind
from protocol.fold.proxies import NEVER_BY_PROXY
from protocol.fold.thread import Entry, Thread
from protocol.record.envelope import EPOCH
from protocol.record.sealing import KEY_SIZE
from protocol.schema.fields import Bytes, Many, Minutes, Moment, Person, Text


@kind("profile")
class Profile(Kind):
    """What a person can give and would like, before anybody asks. The latest profile is shown."""

    states = States({"current": "Always; of a person's profiles the latest is shown."})
    name = Text(required=True, min=1, max=80)  # type: ignore[assignment]  # the field, not the kind's name
    about = Text(max=1000)  # type: ignore[assignment]  # the field, not what the kind is about
    assets = Many(of=Text(min=1, max=60), help="what the person can give")
    wants = Many(of=Text(min=1, max=60), help="what the person would like")
    languages = Many(of=Text(min=1, max=35))
    area = Text(max=60, help="a coarse area, never an address")
    affiliation = Text(max=80, help="an organisation, if any")
    minutes_a_month = Minutes(help="time the person has for others")


@kind("home", posted=False)
class Home(Kind):
    """Names the node of a person's home, so that neighbours reach it through a relay.

    It contains no network address. The record of a relay has the addresses of the relay. Nodes tell
    each other their own addresses directly.
    """

    states = States({"known": "Always."})
    key = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the public key of its node")


@kind("proxy", plural="proxies", lasting=True)
class Proxy(Kind):
    """Lets somebody act for you in some matters until a day. What they sign names both of you."""

    states = States(
        {
            "in force": "Its author has not ended it; it can be used up to the day `until`.",
            "ended": "Its author ended it (`close`).",
        }
    )
    person = Person(required=True, help="who acts for you")
    matters = Many(
        of=Text(min=1, max=40), required=True, help="the kinds of records, such as request"
    )
    until = Moment(required=True, day_only=True, help="the last day on which it holds")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the proxy names another person and only allowed kinds (R-12.3)."""
        del thread
        if entry.fields["person"] == entry.person:
            raise Refused("R-12.3", "a proxy is for somebody else than yourself")
        for name in entry.fields["matters"]:
            if not _may_be_signed_by_proxy(name):
                raise Refused("R-12.3", f"a proxy cannot be for {name}")
        if not entry.fields["matters"]:
            raise Refused("R-12.3", "a proxy names the kinds of records that it is for")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Makes the view of the proxy. `protocol.fold.proxies` reads proxies from such views."""
        thread.make_view(entry, state="in force", ended=None)

    def apply_close(self, thread: Thread, entry: Entry) -> None:
        """Ends the proxy at the earliest `close`. What was signed before then stays (R-12.5)."""
        view = thread.views[entry.about or b""]
        view["state"] = "ended"
        view["ended"] = entry.time if view["ended"] is None else min(entry.time, view["ended"])


def _may_be_signed_by_proxy(kind_name: str) -> bool:
    """Returns True if a person may sign records of this kind for another person, by proxy."""
    kind = KINDS.get(kind_name)
    if kind is None or kind_name in NEVER_BY_PROXY:
        return False
    return kind.posted and kind.audience == EPOCH
