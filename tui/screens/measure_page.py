"""The page of a measure: its chart, how it stands, the matters that it opened, and what the reader
can do.
"""

import asyncio

from textual.content import Content

from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Part
from tui.kinds.services import feedback, matters, measures
from tui.kinds.services.service_face import (
    comments_on_measure,
    steps_on_measure,
    with_shown_loops,
)
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.feedback_page import FeedbackScreen, feedback_card
from tui.screens.page import PagePane, PageScreen

_FRAME = 4  # columns of the border and the space inside it
_TITLE_FRAME = 8  # columns of the border beside the title
_LOW_CHART = 8  # rows of the chart
_HIGH_CHART = 14
_HIGH_TERMINAL = 36  # rows from which a terminal has room for the high chart

_MOST_MOVED = 8  # of the records that do not stand where their authors claim
_LISTS = ("actions", "reports", "verdicts", "answers", "feedback")


class MeasureScreen(PageScreen):
    """The page of the measure with the id `measure_id`."""

    def __init__(self, node: NodeConnection, measure_id: str) -> None:
        super().__init__(node)
        self._measure_id = measure_id

    def make_pane(self) -> "MeasurePane":
        """Makes the pane with the measure."""
        return MeasurePane(self.node, self._measure_id)


class MeasurePane(PagePane):
    """The chart of a measure, the text below it, and the list of what the reader can do."""

    def __init__(self, node: NodeConnection, measure_id: str) -> None:
        super().__init__(node)
        self._measure_id = measure_id
        self._measure: Shown | None = None
        self._text_below = Content("")

    async def load(self) -> None:
        """Fetches the measure, its service and its matters, and also the reports, replies and
        verdicts about them.
        """
        measure = Shown(await self.node.call(calls.Show(id=self._measure_id)))
        thread = await fetch_thread(self.node, measure.about or "")
        newest = calls.List(what="moved", about=measure.id, limit=_MOST_MOVED)
        moved = await self.node.fetch_page(newest)
        open_matters, *lists = await asyncio.gather(
            self.node.fetch_list("matters", about=measure.id),
            *(self.node.fetch_list(what, about=measure.about) for what in _LISTS),
        )
        # The lists cover the whole service, so only what concerns this measure stays. Reports and
        # verdicts on actions appear with their actions.
        all_actions, done, verdicts, all_answers, all_reports = lists
        actions = [action for action in all_actions if action.about == measure.id]
        answers = [answer for answer in all_answers if answer.about == measure.id]
        reports = [report for report in all_reports if report.about == measure.id]
        reader = current_reader(self.node)
        parts: list[Part] = [*measures.measure_story(measure, reader.clock)]
        for matter in open_matters:
            story = matters.matter_story(matter, measure, actions, [*done, *verdicts], reader)
            parts += ["\n\n", *story]
        parts += feedback.moved_parts(moved.rows, moved.total, reader.clock, reader.me)
        parts += feedback.answer_parts(answers, reader.clock, reader.me)
        parts += comments_on_measure(measure, thread, reader)
        self._measure = measure
        self._text_below = Content.assemble(*parts)
        self._draw(measure)
        thread = with_shown_loops(thread, [measure, *actions, *reports])
        steps = steps_on_measure(measure, open_matters, thread, reader)
        self.show_steps(steps, *feedback_card(reports))

    def on_resize(self) -> None:
        """Draws the chart again, as wide as the terminal now allows."""
        if self._measure is not None:
            self._draw(self._measure)

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page of the reports about this measure. No other card here leads to a page."""
        del feed, card_id
        self.app.push_screen(FeedbackScreen(self.node, self._measure_id))

    def _draw(self, measure: Shown) -> None:
        size = self.app.size
        height = _HIGH_CHART if size.height >= _HIGH_TERMINAL else _LOW_CHART
        width = size.width - _FRAME
        chart = measures.draw_measure(measure, width, height, self.node.clock)
        title = phrases.plain_line(measure.text("question") or "", size.width - _TITLE_FRAME)
        self.show_text(title, chart + self._text_below)
