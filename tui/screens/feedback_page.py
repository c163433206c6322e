"""The page of the reports about a service or a measure. It also shows what the reader can do about
each report.
"""

from textual.app import ComposeResult

from protocol.wire import calls
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.next_steps import NextStep, step_card
from tui.kinds.services import feedback
from tui.kinds.services.service_face import steps_on_report, with_shown_loops
from tui.kinds.thread_data import ThreadData
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.page import PageScreen
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
from tui.widgets.feed import Feed

_FEEDBACK_CARD = "reports"


class FeedbackScreen(PageScreen):
    """The page of the reports about a service or a measure. `record_id` is the id of that service
    or measure.
    """

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def make_pane(self) -> "FeedbackPane":
        """Makes the pane with the list of reports."""
        return FeedbackPane(self.node, self._record_id)


class FeedbackPane(Pane):
    """A list of reports, and below it what the reader can do about the report under the cursor."""

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id
        self._reports: list[Shown] = []
        self._thread = ThreadData(Shown({}))
        self._steps: list[NextStep] = []

    def compose(self) -> ComposeResult:
        """Lays out the list of reports above the list of what the reader can do."""
        yield Feed(_("What people said"), _("Nobody has said anything yet."), id="reports")
        yield Feed(_("What you can do about it"), _("Nothing for you to do here."), id="steps")

    async def load(self) -> None:
        """Fetches the reports, newest first. Also fetches the service or the measure that they are
        about.
        """
        thread = await fetch_thread(self.node, self._record_id)
        service_id = thread.root.id
        measures = await self.node.fetch_list("measures", about=service_id)
        reports = await self.node.fetch_list("feedback", about=service_id)
        self._thread = with_shown_loops(thread, [*measures, *reports])
        if self._record_id in {measure.id for measure in measures}:
            reports = [report for report in reports if report.about == self._record_id]
        self._reports = reports
        self._show_reports(await self.count_muted(calls.List(what="feedback", about=service_id)))

    def on_feed_highlighted(self, event: Feed.Highlighted) -> None:
        """Shows what the reader can do about the report under the cursor."""
        event.stop()
        if event.feed.id == "reports":
            self._show_steps_for(event.card_id)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """If the reader opened a report, moves the cursor to the list of what they can do about it.
        If the reader opened an entry of that list, opens the form of the entry.
        """
        event.stop()
        if event.feed.id == "reports":
            self.query_one("#steps", Feed).cards.focus()
            return
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))

    def _show_reports(self, muted: int) -> None:
        reader = current_reader(self.node)
        cards = [
            feedback.report_card(report, self._thread.find(report.about), reader)
            for report in self._reports
        ]
        feed = self.query_one("#reports", Feed)
        feed.show_cards(cards, muted=muted)
        self._show_steps_for(feed.cards.highlighted_id)
        if self.screen.focused is None and self._reports:
            feed.cards.focus()

    def _show_steps_for(self, report_id: str | None) -> None:
        self._steps = self._list_steps(report_id)
        feed = self.query_one("#steps", Feed)
        feed.show_cards([step_card(step) for step in self._steps])
        # New steps are shown at once, even while somebody reads the list, because they must belong
        # to the report under the cursor.
        feed.action_show_new()

    def _list_steps(self, report_id: str | None) -> list[NextStep]:
        report = next((report for report in self._reports if report.id == report_id), None)
        if report is None:
            return []
        return steps_on_report(report, self._thread, current_reader(self.node))


def feedback_card(reports: list[Shown]) -> list[Card]:
    """Returns a list with the card that opens the page of the reports. If there are no reports, the
    list is empty.
    """
    if not reports:
        return []
    title = plural("Read the {n} thing that people said", "Read the {n} things that people said",
                   len(reports))  # fmt: skip
    detail = _("Answer, or say that yours is the same as an earlier one.")
    return [Card(_FEEDBACK_CARD, title.format(n=len(reports)), detail, quiet=True)]
