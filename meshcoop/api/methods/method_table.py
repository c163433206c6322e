"""Gathers all methods of the local API, which screens and commands call (specs/06-local-api.md).

Only programs of the same user can call these methods. The methods check their parameters all the
same. If a parameter is wrong, the user reads a sentence, never a traceback.
"""

from typing import Any

from meshcoop.api.list_pages import Lister
from meshcoop.api.method import Method
from meshcoop.api.methods.addresses import AddressMethods
from meshcoop.api.methods.bundles import BundleMethods
from meshcoop.api.methods.devices import DeviceMethods
from meshcoop.api.methods.loops import LoopMethods
from meshcoop.api.methods.matching import MatchingMethods
from meshcoop.api.methods.membership import MembershipMethods
from meshcoop.api.methods.posts import PostMethods
from meshcoop.api.methods.rehearsals import RehearsalMethods
from meshcoop.api.methods.relays import RelayEnrolmentMethods, RelayMethods
from meshcoop.api.methods.status import StatusMethods
from meshcoop.api.methods.views import ViewMethods
from meshcoop.api.node_handle import NodeHandle

# Methods that change nothing and may have much to read. The node lets each work in slices, so that
# none holds up the others.
READING = frozenset(
    {
        *("status", "wait", "list", "show", "balance", "search", "diary", "introductions"),
        *("next_steps", "devices", "show_address", "asks_pin", "relays", "written"),
        *("relay_storage", "rehearse"),
    }
)


class Methods:
    """The methods of one node. A method takes a map of parameters and returns plain values."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node

    def table(self) -> dict[str, Method[Any]]:
        """Returns all API methods, by name."""
        node = self._node
        loops = LoopMethods(node)
        matching = MatchingMethods(node)
        enrolments = RelayEnrolmentMethods(node)
        lists: dict[str, Lister] = {
            **loops.lists,
            **matching.lists,
            "relays": enrolments.list_relays,
        }
        return {
            **StatusMethods(node).table(),
            **PostMethods(node, loops).table(),
            **ViewMethods(node, loops, lists).table(),
            **MembershipMethods(node).table(),
            **DeviceMethods(node).table(),
            **AddressMethods(node).table(),
            **BundleMethods(node).table(),
            **matching.table(),
            **RehearsalMethods(node).table(),
            **enrolments.table(),
            **RelayMethods(node).table(),
        }
