"""Calls the methods of the local API that bring people together, at a home in memory."""

import trio

from meshcoop.api.methods.matching import MatchingMethods
from meshcoop.api.node_handle import Membership
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.muted_people import MutedPeople
from meshcoop.matching.index import MatchingIndex


class Everybody:
    """Accepts any person, as if everybody were a guest of this home."""

    def whom(self, who, finder):
        return finder.person(who)


class Asking:
    """The node of one home, with only the parts that these methods use."""

    def __init__(self, home):
        self.home = home
        self.now = home.now
        self.membership = Membership(
            author=home.author,
            mesh=None,
            invitation_desk=None,
            guests=Everybody(),
            muted=MutedPeople(home.store),
            address_delivery=None,
            matching_index=MatchingIndex(home.state.views),
            loop_cache=LoopCache(home.state),
        )
        self.methods = MatchingMethods(self)

    def require_membership(self):
        return self.membership

    def __call__(self, what, **params):
        """Calls a list or a method of the local API by its name. Returns the answer."""
        method = (self.methods.lists | self.methods.table())[what]
        return trio.run(method, params)

    def suggestions(self, about=None, **params):
        if about is not None:
            params["about"] = about.hex()
        return self("suggestions", **params)

    def titles(self, about=None):
        """Returns each suggestion as (how, to whom, what)."""
        found = self.suggestions(about)
        return [(one["suggests"], one["for"]["name"], one["title"]) for one in found]


def named(home, name, **profile):
    """Posts the profile of the home's person and returns the home's node."""
    home.post("profile", name=name, **profile)
    return Asking(home)
