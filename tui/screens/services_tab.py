"""Services: what is done for the neighbourhood, what of it needs me, what came of what I said."""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from tui.i18n import _
from tui.kinds import matters, services
from tui.screens.pane import Pane
from tui.screens.service_page import ServiceScreen, page_of
from tui.widgets.feed import Feed

_LISTS = ("services", "measures", "matters", "actions", "feedback", "answers")
_SAID = 50


class Services(Pane):
    """Three lists. Each opens what it shows."""

    def compose(self) -> ComposeResult:
        """What there is stands beside what concerns the reader."""
        with Container(id="serving"):
            yield Feed(
                _("Services"),
                _("No service is written down yet. Press n to write down what is done here."),
                id="services-list",
            )
            yield Feed(_("What needs me"), _("Nothing here waits for you."), id="needs")
            yield Feed(
                _("What came of what I said"),
                _("You have said nothing yet. Open a service to say how it goes."),
                id="said-list",
            )

    async def load(self) -> None:
        """All three lists."""
        link = self.node_link
        found = await asyncio.gather(*(link.call("list", what=what) for what in _LISTS))
        known, asked, opened, actions, feedback, answers = found
        today = link.now().date()
        away = await self.hidden("list", what="services")
        known.sort(key=services.order)
        shown = [services.card(one, link.me) for one in known]
        self.query_one("#services-list", Feed).offer(shown, hidden=away)
        needs = matters.waits(known, opened, actions, link.me, today)
        self.query_one("#needs", Feed).offer(list(needs))
        mine = [one for one in feedback if one["author"]["id"] == link.me][:_SAID]
        told = matters.came_of(mine, asked, opened, answers, today)
        self.query_one("#said-list", Feed).offer(told)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens a service or a measure."""
        event.stop()
        page = page_of(self.node_link, event.card_id)
        self.app.push_screen(page or ServiceScreen(self.node_link, event.card_id))
