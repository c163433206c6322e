"""The Services tab: all services, what waits for the reader, and what happened with the reader's
own reports.
"""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from tui.i18n import _
from tui.kinds import matters, services
from tui.screens.pane import Pane
from tui.screens.service_page import ServiceScreen, page_for_card
from tui.widgets.feed import Feed

_LISTS = ("services", "measures", "matters", "actions", "feedback", "answers")
_MOST_REPORTS = 50


class ServicesTab(Pane):
    """Three lists: services, what waits for the reader, and the reader's reports. A card opens its
    service or measure.
    """

    def compose(self) -> ComposeResult:
        """Lays out the three lists. The list of all services comes first."""
        with Container(id="service-lists"):
            yield Feed(
                _("Services"),
                _("No service is described yet. Press n to describe one."),
                id="services-list",
            )
            yield Feed(_("What needs me"), _("Nothing here needs you."), id="needs")
            yield Feed(
                _("What happened with my reports"),
                _("You have reported nothing yet. Open a service to say how it goes."),
                id="my-reports",
            )

    async def load(self) -> None:
        """Fetches the services, measures, matters and reports, and shows the three lists."""
        lists = await asyncio.gather(*(self.node.call("list", what=what) for what in _LISTS))
        rows, measures, open_matters, actions, feedback, answers = lists
        me = self.node.me
        today = self.node.now().date()
        muted = await self.count_muted("list", what="services")
        rows.sort(key=services.service_rank)
        cards = [services.service_card(service, me) for service in rows]
        self.query_one("#services-list", Feed).show_cards(cards, muted=muted)
        needs = matters.waiting_matter_cards(rows, open_matters, actions, me, today)
        self.query_one("#needs", Feed).show_cards(list(needs))
        my_reports = [report for report in feedback if report["author"]["id"] == me]
        outcomes = matters.outcome_cards(
            my_reports[:_MOST_REPORTS], measures, open_matters, answers, today
        )
        self.query_one("#my-reports", Feed).show_cards(outcomes)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the page of the service or the measure that a card is about."""
        event.stop()
        page = page_for_card(self.node, event.card_id)
        self.app.push_screen(page or ServiceScreen(self.node, event.card_id))
