"""People: who belongs, what each brings and would like, and the time they gave and received."""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from protocol.display_text import line, safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.i18n import _
from tui.kinds.suggestions import Between
from tui.node.client import Declined
from tui.screens.pane import Pane
from tui.screens.person import ResidentScreen
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_FIELDS = ("assets", "wants", "languages", "area", "affiliation", "minutes_a_month")


class People(Pane):
    """The list, and beside it the person pointed at."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mute", _("Mute/hear"), id="mute"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._people: dict[str, Shown] = {}
        self._rows: dict[str, Shown] = {}

    def compose(self) -> ComposeResult:
        """Balances stand beside the names: giving goes both ways, and everybody sees it."""
        with Container(id="who"):
            yield Feed(_("People"), _("Nobody belongs yet."), id="people-list")
            with VerticalScroll(id="person"):
                yield Static(id="person-words", markup=False)
                yield Between(self.node_link)

    async def load(self) -> None:
        """The people and the balances."""
        link = self.node_link
        people, rows = await asyncio.gather(link.call("list", what="people"), link.call("balance"))
        self._people = {one["id"]: one for one in people}
        self._rows = {row["person"]["id"]: row for row in rows}
        feed = self.query_one("#people-list", Feed)
        feed.offer([telling.person(one, self._rows.get(one["id"]), link.me) for one in people])
        self._tell(feed.cards.chosen)

    def on_feed_pointed(self, event: Feed.Pointed) -> None:
        """Tells about the person pointed at."""
        self._tell(event.card_id)

    async def action_mute(self) -> None:
        """Leaves out what the person pointed at posts, or shows it again; nobody else learns of it."""
        one = self._people.get(self.query_one("#people-list", Feed).cards.chosen or "")
        if one is None:
            return
        try:
            done = await self.node_link.call("mute", person=one["id"], off=bool(one.get("muted")))
        except Declined as declined:
            self.notify(line(declined.sentence), markup=False)
            return
        who = telling.name(done["person"])
        told = _("What {who} posts is left out.") if done["muted"] else _("{who} is heard again.")
        self.notify(told.format(who=who), timeout=3, markup=False)
        self.look()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the person's page: their hours, and what can be done about them."""
        event.stop()
        one = self._people.get(event.card_id)
        if one is not None:
            self.app.push_screen(ResidentScreen(self.node_link, one))

    def _tell(self, person: str | None) -> None:
        one = self._people.get(person or "")
        pane = self.query_one("#person")
        pane.border_title = telling.plain_line(telling.name(one) if one else "", 40)
        self.query_one(Between).tell(one)
        self.query_one("#person-words", Static).update(
            _about(one, self._rows.get(one["id"])) if one else Content("")
        )


def _about(one: Shown, row: Shown | None) -> Content:
    parts: list[str | tuple[str, str]] = []
    if one.get("muted"):
        parts += [_("Muted at this home: what they post is left out. m shows it again."), "\n\n"]
    if one.get("about"):
        parts += [safe(str(one["about"])), "\n\n"]
    for field in _FIELDS:
        value = one.get(field)
        if value:
            texts = value if isinstance(value, list) else [value]
            if field == "minutes_a_month":
                texts = [telling.minutes(value)]
            told = ", ".join(line(str(text)) for text in texts)
            parts += [(words.field(field) + ": ", "dim"), told, "\n"]
    if row:
        parts += ["\n", telling.sums(row), "\n", (_("Enter shows it line by line."), "dim")]
    if not one.get("assets") and not one.get("wants"):
        parts += ["\n\n", (_("They have not said what they bring or would like."), "dim")]
    return Content.assemble(*parts)
