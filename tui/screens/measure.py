"""A measure: its chart, how it stands, the matters that it opened, and what the reader can do."""

import asyncio
from typing import Any

from textual.content import Content

from tui.format import phrases as telling
from tui.kinds import feedback as reports
from tui.kinds import matters, measures
from tui.node.connection import Link
from tui.screens.feedback import ReportsScreen, reports_card
from tui.screens.page import PagePane, PageScreen

Shown = dict[str, Any]

_FRAME = 4  # columns of the border and the space inside it
_LOW, _HIGH = 8, 14  # rows of the chart; where the terminal has more, and those
_TALL = 36


class MeasureScreen(PageScreen):
    """The measure `measure_id`."""

    def __init__(self, link: Link, measure_id: str) -> None:
        super().__init__(link)
        self._measure_id = measure_id

    def pane(self) -> "MeasurePane":
        """Its one pane."""
        return MeasurePane(self.node_link, self._measure_id)


class MeasurePane(PagePane):
    """The chart above the words, and what can be done."""

    def __init__(self, link: Link, measure_id: str) -> None:
        super().__init__(link)
        self._measure_id = measure_id
        self._view: Shown = {}
        self._below = Content("")

    async def load(self) -> None:
        """The measure, its matters with what was done, and the chain that they climb."""
        link = self.node_link
        view = await link.call("show", id=self._measure_id)
        service, opened, *found = await asyncio.gather(
            link.call("show", id=view["about"]),
            link.call("list", what="matters", about=view["id"]),
            *(
                link.call("list", what=what, about=view["about"])
                for what in ("actions", "reports", "verdicts", "answers", "feedback")
            ),
        )
        actions, done, verdicts, answers, feedback = found
        actions = [one for one in actions if one["about"] == view["id"]]
        feedback = [one for one in feedback if one["about"] == view["id"]]
        answers = [one for one in answers if one["about"] == view["id"]]
        today, me = link.now().date(), link.me
        parts: list[matters.Part] = [*measures.story(view, today)]
        for one in opened:
            said = [*done, *verdicts]
            parts += ["\n\n", *matters.story(one, view, actions, said, today, me)]
        parts += reports.answered(answers, today, me)
        self._view, self._below = view, Content.assemble(*parts)
        self._draw()
        self.offer(matters.acts(view, service, opened, actions, me, today), *reports_card(feedback))

    def on_resize(self) -> None:
        """Draws the chart as wide as there is room."""
        if self._view:
            self._draw()

    def lead(self, feed: str, card_id: str) -> None:
        """Opens what was said."""
        del feed, card_id
        self.app.push_screen(ReportsScreen(self.node_link, self._measure_id))

    def _draw(self) -> None:
        size, today = self.app.size, self.node_link.now().date()
        height = _HIGH if size.height >= _TALL else _LOW
        chart = measures.drawn(self._view, size.width - _FRAME, height, today)
        self.tell(
            telling.plain_line(self._view["question"] or "", size.width - 8), chart + self._below
        )
