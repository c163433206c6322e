"""The line at the top of a screen. It shows the neighbourhood, this home's person, and who is
connected.
"""

from textual.content import Content
from textual.widgets import Static

from protocol.display_text import safe_line
from tui.format import phrases
from tui.i18n import _, plural
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

_MOST_NAMES = 3
_NAME_WIDTH = 12
_NAMES_WIDTH = 70  # columns; a narrower line has no room for names


class StatusLine(Static):
    """The line at the top of a screen. It changes with every new status of the node."""

    DEFAULT_CSS = """
    StatusLine {
        height: 1;
        padding: 0 1;
        background: $primary-background;
        color: $foreground;
        &.trouble { background: $warning; color: $background; }
    }
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(markup=False)
        self._node = node

    def on_mount(self) -> None:
        """Asks the connection to tell this line about each new status."""
        self._node.status_changed.subscribe(self, self._refresh_text)
        self._refresh_text()

    def on_resize(self) -> None:
        """Writes the line again, so that the names fit the new width."""
        self._refresh_text()

    def _refresh_text(self, _signal: None = None) -> None:
        self.set_class(self._node.trouble is not None, "trouble")
        self.update(self._compose_text())

    def _compose_text(self) -> Content:
        status = self._node.status
        if self._node.trouble is not None:
            advice = _("Start it with `meshcoop up`; this screen waits.")
            return phrases.plain_line(f"{self._node.trouble} {advice}")
        if status is None:
            return phrases.plain_line(_("Reaching this home…"))
        if not self._node.is_in_neighbourhood:
            return phrases.plain_line(_describe_admission(status))
        neighbourhood = status.row("neighbourhood") or Shown({})
        place = safe_line(neighbourhood.text("name") or "", 30)
        left = Content.assemble((place, "bold"), f" · {phrases.name(status.person('person'))}")
        right = _name_peers(status.rows("peers"), brief=self.size.width < _NAMES_WIDTH)
        gap = max(2, self.size.width - 2 - left.cell_length - len(right))
        return Content.assemble(left, " " * gap, right)


def _describe_admission(status: Shown) -> str:
    waiting = status.row("waiting")
    if waiting is not None and waiting.flag("admission"):
        return _("You have asked to join. A neighbour has to let you in.")
    return _("Not in a neighbourhood yet.")


def _name_peers(peers: list[Shown], *, brief: bool) -> str:
    # A relay has no person, because it is nobody's home.
    people = [person for peer in peers if (person := peer.person("person"))]
    if not people:
        return _("nobody connected")
    count = plural("{n} neighbour", "{n} neighbours", len(people)).format(n=len(people))
    if brief:
        return count
    names = [phrases.name(person, width=_NAME_WIDTH) for person in people[:_MOST_NAMES]]
    more = "…" if len(people) > _MOST_NAMES else ""
    return f"{count}: {', '.join(names)}{more}"
