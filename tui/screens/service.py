"""A service: its chain, its measures, what was said of it, and what the reader can do."""

import asyncio

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from tui.format import phrases as telling
from tui.i18n import _
from tui.kinds import matters, measures, services
from tui.kinds import moderation as moderating
from tui.kinds.exchange import history, story
from tui.kinds.thread_queries import fetch
from tui.node.connection import Link
from tui.screens.feedback import ReportsScreen, reports_card
from tui.screens.measure import MeasureScreen
from tui.screens.page import PagePane, PageScreen
from tui.widgets.feed import Feed


class ServiceScreen(PageScreen):
    """The service in whose thread a record is."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id

    def pane(self) -> "ServicePane":
        """Its one pane."""
        return ServicePane(self.node_link, self._record_id)


class ServicePane(PagePane):
    """The chain, the measures, what can be done."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id

    def between(self) -> ComposeResult:
        """The measures, each with its page."""
        nothing = _("Nobody has asked a question about it yet.")
        yield Feed(_("How it goes"), nothing, id="measures")

    async def load(self) -> None:
        """The thread, with what the loop makes of it."""
        link = self.node_link
        case = await fetch(link, self._record_id)
        root, today = case.root, link.now().date()
        if "holder" not in root:  # taken back, or of a later version
            self.tell(telling.plain_line(_("Service")), story(case, today, link.me))
            return
        about = {"about": root["id"]}
        asked, feedback = await asyncio.gather(
            link.call("list", what="measures", **about),
            link.call("list", what="feedback", **about),
        )
        asked.sort(key=lambda one: one["state"] != measures.IN_USE)
        said = [one for one in feedback if one["about"] == root["id"] and one.get("text")]
        told = services.story(root, said, today, link.me) + moderating.story(case, link.me)
        past = history(case, today, link.me)
        head = Content.assemble(("\n\n" + _("What happened") + "\n", "bold"))
        self.tell(telling.plain_line(_("Service")), told + head + past)
        self.query_one("#measures", Feed).offer([measures.card(one) for one in asked])
        acts = services.acts(root, asked, link.me) + moderating.acts(case, link.me)
        self.offer(acts, *reports_card(feedback))

    def lead(self, feed: str, card_id: str) -> None:
        """Opens a measure, or what was said."""
        if feed == "measures":
            self.app.push_screen(MeasureScreen(self.node_link, card_id))
        else:
            self.app.push_screen(ReportsScreen(self.node_link, self._record_id))


def page_of(link: Link, card_id: str) -> Screen[None] | None:
    """The page that a card of `matters` leads to; None for any other card."""
    found = matters.placed(card_id)
    if found is None:
        return None
    what, record = found
    page = MeasureScreen if what == matters.MEASURE else ServiceScreen
    return page(link, record)
