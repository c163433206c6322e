"""The Services tab: all services, what waits for the reader, and what happened with the reader's
own reports.
"""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from protocol.wire import calls
from tui.format import phrases
from tui.i18n import _
from tui.kinds.face import face_of
from tui.kinds.services import chains, matters
from tui.kinds.services.service_face import FOLLOWED
from tui.kinds.thread_queries import current_reader
from tui.screens.pane import Pane
from tui.screens.service_page import ServiceScreen, page_for_card
from tui.widgets.feed import Feed

_LISTS = ("services", "waiting", "measures", "matters", "feedback", "answers")
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
        lists = await asyncio.gather(*(self.node.fetch_list(what) for what in _LISTS))
        rows, waiting, asked, open_matters, reports, answers = lists
        reader = current_reader(self.node)
        muted = await self.count_muted(calls.List(what="services"))
        rows.sort(key=chains.service_rank)
        cards = [chains.service_card(service, reader.me) for service in rows]
        self.query_one("#services-list", Feed).show_cards(cards, muted=muted)
        needs = [row for row in waiting if row.kind in FOLLOWED]
        self.query_one("#needs", Feed).show_cards(
            [face_of(row.kind).todo_card(row, reader) for row in needs]
        )
        own_reports = [report for report in reports if report.is_by(reader.me)]
        outcomes = matters.outcome_cards(
            own_reports[:_MOST_REPORTS], asked, open_matters, answers, reader.clock
        )
        cut = phrases.older_note(len(own_reports) - _MOST_REPORTS)
        self.query_one("#my-reports", Feed).show_cards(outcomes, cut=cut)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the page of the service or the measure that a card is about."""
        event.stop()
        page = page_for_card(self.node, event.card_id)
        self.app.push_screen(page or ServiceScreen(self.node, event.card_id))
