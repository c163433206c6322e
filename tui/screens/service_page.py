"""The page of a service: its chain, its measures, what people said about it, and what the reader
can do.
"""

import asyncio

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from tui.format import phrases
from tui.i18n import _
from tui.kinds import exchange, matters, measures, moderation, services
from tui.kinds.thread_queries import fetch
from tui.node.connection import NodeConnection
from tui.screens.feedback_page import FeedbackScreen, feedback_card
from tui.screens.measure_page import MeasureScreen
from tui.screens.page import PagePane, PageScreen
from tui.widgets.feed import Feed


class ServiceScreen(PageScreen):
    """The page of a service. `record_id` is the id of the service, or of any other record in its
    thread.
    """

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def make_pane(self) -> "ServicePane":
        """Makes the pane with the service."""
        return ServicePane(self.node, self._record_id)


class ServicePane(PagePane):
    """The chain of a service, the list of its measures, and the list of what the reader can do."""

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def compose_lists(self) -> ComposeResult:
        """Lays out the list of the service's measures. Each measure has a page of its own."""
        nothing = _("Nobody has asked a question about it yet.")
        yield Feed(_("How it goes"), nothing, id="measures")

    async def load(self) -> None:
        """Fetches the service with its links, its measures and its reports, and shows them."""
        thread = await fetch(self.node, self._record_id)
        service = thread.root
        today = self.node.now().date()
        title = phrases.plain_line(_("Service"))
        if "holder" not in service:
            # The service was withdrawn, or a later version of the program wrote it.
            self.show_text(title, exchange.exchange_story(thread, today, self.node.me))
            return
        questions, reports = await asyncio.gather(
            self.node.call("list", what="measures", about=service["id"]),
            self.node.call("list", what="feedback", about=service["id"]),
        )
        questions.sort(key=lambda measure: measure["state"] != measures.IN_USE)
        comments = [report for report in reports if report["about"] == service["id"]]
        comments = [report for report in comments if report.get("text")]
        story = services.service_story(service, comments, today, self.node.me)
        story += moderation.moderation_story(thread, self.node.me)
        heading = Content.assemble(("\n\n" + _("What happened") + "\n", "bold"))
        history = exchange.thread_history(thread, today, self.node.me)
        self.show_text(title, story + heading + history)
        self.query_one("#measures", Feed).show_cards(
            [measures.measure_card(measure) for measure in questions]
        )
        steps = services.service_steps(service, questions, self.node.me)
        steps += moderation.moderation_steps(thread, self.node.me)
        self.show_steps(steps, *feedback_card(reports))

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page of a measure, or the page of the reports about this service."""
        if feed == "measures":
            self.app.push_screen(MeasureScreen(self.node, card_id))
        else:
            self.app.push_screen(FeedbackScreen(self.node, self._record_id))


def page_for_card(node: NodeConnection, card_id: str) -> Screen[None] | None:
    """Returns the page that a card from the module `matters` leads to. For any other card, returns
    None.
    """
    place = matters.read_page_card_id(card_id)
    if place is None:
        return None
    subject, record_id = place
    if subject == matters.MEASURE:
        return MeasureScreen(node, record_id)
    return ServiceScreen(node, record_id)
