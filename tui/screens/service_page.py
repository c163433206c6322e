"""The page of a service: its chain, its measures, what people said about it, and what the reader
can do.
"""

import asyncio
from dataclasses import replace

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from tui.format import phrases
from tui.i18n import _
from tui.kinds.face import thread_history, thread_story
from tui.kinds.services import matters, measures, trials
from tui.kinds.services.service_face import steps_on_service, with_shown_loops
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.screens.feedback_page import FeedbackScreen, feedback_card
from tui.screens.measure_page import MeasureScreen
from tui.screens.page import PagePane, PageScreen
from tui.screens.trial_page import TrialScreen
from tui.widgets.feed import Feed

_QUESTIONS = "measures"  # the id of the list of measures
_TRIALS = "trials"  # the id of the list of trials


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
    """The chain of a service, the lists of its measures and its trials, and the list of what the
    reader can do.
    """

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def compose_lists(self) -> ComposeResult:
        """Lays out the lists of measures and of trials. Each of these has a page of its own."""
        nothing = _("Nobody has asked a question about it yet.")
        yield Feed(_("How it goes"), nothing, id=_QUESTIONS)
        yield Feed(_("What is tried"), "", id=_TRIALS)

    async def load(self) -> None:
        """Fetches the service with its links, its measures and its reports, and shows them."""
        thread = await fetch_thread(self.node, self._record_id)
        service = thread.root
        if service.has("first"):  # its measures and links stay with the first service
            first = await fetch_thread(self.node, service.text("first") or "")
            thread = replace(thread, views=[*first.views, *thread.views])
        reader = current_reader(self.node)
        questions, tried, reports = await asyncio.gather(
            self.node.fetch_list("measures", about=service.id),
            self.node.fetch_list(_TRIALS, about=service.id),
            self.node.fetch_list("feedback", about=service.id),
        )
        thread = with_shown_loops(thread, [*questions, *reversed(reports)])
        questions.sort(key=lambda measure: measure.state != measures.IN_USE)
        heading = Content.assemble(("\n\n" + _("What happened") + "\n", "bold"))
        text = thread_story(thread, reader) + heading + thread_history(thread, reader)
        self.show_text(phrases.plain_line(_("Service")), text)
        cards = [measures.measure_card(measure) for measure in questions]
        self.query_one(f"#{_QUESTIONS}", Feed).show_cards(cards)
        trial_feed = self.query_one(f"#{_TRIALS}", Feed)
        trial_feed.show_cards([trials.trial_card(trial, reader) for trial in tried])
        trial_feed.display = bool(tried)
        self.show_steps(steps_on_service(thread, reader), *feedback_card(reports))

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page of a measure, of a trial, or of the reports about this service."""
        if feed == _QUESTIONS:
            self.app.push_screen(MeasureScreen(self.node, card_id))
        elif feed == _TRIALS:
            self.app.push_screen(TrialScreen(self.node, card_id))
        else:
            self.app.push_screen(FeedbackScreen(self.node, self._record_id))


def page_for_card(node: NodeConnection, card_id: str) -> Screen[None] | None:
    """Returns the page that a card of a matter leads to. For any other card, returns None."""
    place = matters.read_page_card_id(card_id)
    if place is None:
        return None
    subject, record_id = place
    if subject == matters.MEASURE:
        return MeasureScreen(node, record_id)
    if subject == matters.TRIAL:
        return TrialScreen(node, record_id)
    return ServiceScreen(node, record_id)
