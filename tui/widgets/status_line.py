"""The line at the top: where this home is, whose it is, and who is connected."""

from textual.content import Content
from textual.widgets import Static

from protocol.display_text import line
from tui.format import phrases as telling
from tui.i18n import _, plural
from tui.node.connection import Link

_NAMES = 3


class Standing(Static):
    """One line; `Link.standing` keeps it up to date."""

    DEFAULT_CSS = """
    Standing {
        height: 1;
        padding: 0 1;
        background: $primary-background;
        color: $foreground;
        &.trouble { background: $warning; color: $background; }
    }
    """

    def __init__(self, link: Link) -> None:
        super().__init__(markup=False)
        self._link = link

    def on_mount(self) -> None:
        """Follows the link."""
        self._link.standing.subscribe(self, self._tell)
        self._tell(None)

    def on_resize(self) -> None:
        """Fits the names in anew."""
        self._tell(None)

    def _tell(self, nothing: None) -> None:
        del nothing
        self.set_class(self._link.trouble is not None, "trouble")
        self.update(self._words())

    def _words(self) -> Content:
        link, status = self._link, self._link.status
        if link.trouble is not None:
            advice = _("start it with `meshcoop up`; this screen waits")
            return telling.plain_line(f"{link.trouble} {advice}.")
        if status is None:
            return telling.plain_line(_("Reaching your node…"))
        if not link.belongs:
            waiting = (status.get("waiting") or {}).get("admission")
            words = _("You have knocked; somebody has to open.") if waiting else _("At home alone.")
            return telling.plain_line(words)
        where = line(str(status["neighbourhood"]["name"] or ""), 30)
        who = telling.name(status["person"])
        left = Content.assemble((where, "bold"), f" · {who}")
        right = _connected(status["peers"], brief=self.size.width < 70)  # noqa: PLR2004
        gap = max(2, self.size.width - 2 - left.cell_length - len(right))
        return Content.assemble(left, " " * gap, right)


def _connected(peers: list[telling.Shown], *, brief: bool) -> str:
    peers = [one for one in peers if one["person"]]  # not the relays, which are nobody's home
    if not peers:
        return _("nobody connected")
    told = plural("{n} neighbour", "{n} neighbours", len(peers)).format(n=len(peers))
    if brief:
        return told
    names = [telling.name(one["person"])[:12] for one in peers[:_NAMES]]
    more = "…" if len(peers) > _NAMES else ""
    return f"{told}: {', '.join(names)}{more}"
