"""The page of a measure: its chart, how it stands, the matters that it opened, and what the reader
can do.
"""

import asyncio
from typing import Any

from textual.content import Content

from tui.format import phrases
from tui.kinds import feedback, matters, measures
from tui.node.connection import NodeConnection
from tui.screens.feedback_page import FeedbackScreen, feedback_card
from tui.screens.page import PagePane, PageScreen

Shown = dict[str, Any]

_FRAME = 4  # columns of the border and the space inside it
_TITLE_FRAME = 8  # columns of the border beside the title
_LOW_CHART = 8  # rows of the chart
_HIGH_CHART = 14
_HIGH_TERMINAL = 36  # rows from which a terminal has room for the high chart

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
        self._measure: Shown = {}
        self._text_below = Content("")

    async def load(self) -> None:
        """Fetches the measure, its service and its matters, and also the reports, replies and
        verdicts about them.
        """
        measure = await self.node.call("show", id=self._measure_id)
        service, open_matters, *lists = await asyncio.gather(
            self.node.call("show", id=measure["about"]),
            self.node.call("list", what="matters", about=measure["id"]),
            *(self.node.call("list", what=what, about=measure["about"]) for what in _LISTS),
        )
        # The lists cover the whole service, so only what concerns this measure stays. Reports and
        # verdicts on actions appear with their actions.
        actions, done, verdicts, answers, reports = lists
        actions = [action for action in actions if action["about"] == measure["id"]]
        answers = [answer for answer in answers if answer["about"] == measure["id"]]
        reports = [report for report in reports if report["about"] == measure["id"]]
        today = self.node.now().date()
        parts: list[matters.Part] = [*measures.measure_story(measure, today)]
        for matter in open_matters:
            results = [*done, *verdicts]
            story = matters.matter_story(matter, measure, actions, results, today, self.node.me)
            parts += ["\n\n", *story]
        parts += feedback.answer_parts(answers, today, self.node.me)
        self._measure = measure
        self._text_below = Content.assemble(*parts)
        self._draw()
        steps = matters.matter_steps(measure, service, open_matters, actions, self.node.me, today)
        self.show_steps(steps, *feedback_card(reports))

    def on_resize(self) -> None:
        """Draws the chart again, as wide as the terminal now allows."""
        if self._measure:
            self._draw()

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page of the reports about this measure. No other card here leads to a page."""
        del feed, card_id
        self.app.push_screen(FeedbackScreen(self.node, self._measure_id))

    def _draw(self) -> None:
        size = self.app.size
        height = _HIGH_CHART if size.height >= _HIGH_TERMINAL else _LOW_CHART
        width = size.width - _FRAME
        chart = measures.draw_measure(self._measure, width, height, self.node.now().date())
        title = phrases.plain_line(self._measure["question"] or "", size.width - _TITLE_FRAME)
        self.show_text(title, chart + self._text_below)
