"""What people said of a service or to a measure, and what can be done about each word."""

from typing import Any

from textual.app import ComposeResult

from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds import feedback as reports
from tui.kinds.next_steps import Act
from tui.node.connection import Link
from tui.screens.page import PageScreen
from tui.screens.pane import Pane
from tui.screens.post_form import PostScreen
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_REPORTS = "reports"


class ReportsScreen(PageScreen):
    """What was said about record `record_id`, a service or a measure."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id

    def pane(self) -> "ReportsPane":
        """Its one pane."""
        return ReportsPane(self.node_link, self._record_id)


class ReportsPane(Pane):
    """A list; what can be done is about the card that is pointed at."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id
        self._said: list[Shown] = []
        self._asked: dict[str, Shown] = {}
        self._service: Shown = {}
        self._acts: list[Act] = []

    def compose(self) -> ComposeResult:
        """What was said stands first."""
        yield Feed(_("What people said"), _("Nobody has said anything yet."), id="reports")
        yield Feed(_("What you can do about it"), _("Nothing for you to do here."), id="acts")

    async def load(self) -> None:
        """The newest first."""
        link = self.node_link
        about = await link.call("show", id=self._record_id)
        root = about["id"] if about["kind"] == "service" else about["about"]
        self._service = about if about["kind"] == "service" else await link.call("show", id=root)
        asked = await link.call("list", what="measures", about=root)
        found = await link.call("list", what="feedback", about=root)
        self._asked = {one["id"]: one for one in asked}
        wanted = about["id"]
        self._said = [one for one in found if wanted in {one["about"], root}]
        today = link.now().date()
        away = await self.hidden("list", what="feedback", about=root)
        feed = self.query_one("#reports", Feed)
        feed.offer(
            [
                reports.card(one, self._asked.get(one["about"]), today, link.me)
                for one in self._said
            ],
            hidden=away,
        )
        self._point(feed.cards.chosen)
        if self.screen.focused is None and self._said:
            feed.cards.focus()

    def on_feed_pointed(self, event: Feed.Pointed) -> None:
        """Says what can be done about the card."""
        event.stop()
        if event.feed.id == "reports":
            self._point(event.card_id)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """From what was said to what can be done about it, and on to the form."""
        event.stop()
        if event.feed.id == "reports":
            self.query_one("#acts", Feed).cards.focus()
            return
        for act in self._acts:
            if act.key == event.card_id:
                self.app.push_screen(PostScreen(self.node_link, act))

    def _point(self, card_id: str | None) -> None:
        link, today = self.node_link, self.node_link.now().date()
        one = next((each for each in self._said if each["id"] == card_id), None)
        view = self._asked.get(one["about"]) if one else None
        self._acts = (
            reports.acts(one, self._said, view, self._service, link.me, today) if one else []
        )
        feed = self.query_one("#acts", Feed)
        feed.offer([Card(act.key, act.label, quiet=True) for act in self._acts])
        feed.action_let_come()


def reports_card(said: list[Shown]) -> list[Card]:
    """Leads from a page to what was said."""
    if not said:
        return []
    told = plural("Read the {n} thing that people said", "Read the {n} things that people said",
                  len(said))  # fmt: skip
    detail = _("Answer, or say that two reports are the same.")
    return [Card(_REPORTS, told.format(n=len(said)), detail, quiet=True)]
