"""Calls methods of the local API at a home in memory: the methods that suggest people to each
other.
"""

from types import SimpleNamespace

import trio

from meshcoop.api.list_pages import take_page
from meshcoop.api.methods.matching import MatchingMethods
from meshcoop.api.node_handle import Membership
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from meshcoop.matching.index import MatchingIndex
from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.wire import calls


class Everybody:
    """Accepts any person, as if everybody were a guest of this home."""

    devices = ()

    def resolve(self, typed, resolve_person):
        return resolve_person(typed)


class Asking:
    """A stand-in for the node of one home. It has only the parts that the tested methods of the
    local API use.
    """

    def __init__(self, home):
        self.home = home
        self.now = home.now
        self.membership = Membership(
            author=home.author,
            mesh=None,
            invitation_desk=InvitationDesk(
                SimpleNamespace(inbox=home.inbox, author=home.author),
                home.me.device,
                home.now,
                home.street.dice.randbytes,
            ),
            guests=Everybody(),
            muted=MutedPeople(home.store),
            address_delivery=None,
            matching_index=MatchingIndex(home.state.views, home.state.failures),
            loop_cache=LoopCache(home.state),
        )
        self.methods = MatchingMethods(self)

    def require_membership(self):
        return self.membership

    def __call__(self, what, **params):
        """Calls a list or a method of the local API by its name. Returns the answer."""
        lister = self.methods.lists.get(what)
        if lister is not None:
            call = calls.List.read({"what": what, **params})
            return take_page(call, trio.run(lister, call))["rows"]
        return trio.run(self.methods.table()[what], params)

    def suggestions(self, about=None, **params):
        if about is not None:
            params["about"] = about.hex()
        return self("suggestions", **params)

    def titles(self, about=None):
        """Returns a tuple for each suggestion: what sort of suggestion it is, the name of the
        person who gets it, and the title of the suggested post.
        """
        found = self.suggestions(about)
        return [(one["suggests"], one["for"]["name"], one["title"]) for one in found]


def named(home, name, **profile):
    """Posts a profile with this name for the home's person. Returns a stand-in for the home's
    node.
    """
    home.post("profile", name=name, **profile)
    return Asking(home)
