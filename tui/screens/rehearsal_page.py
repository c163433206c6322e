"""The page of a rehearsal: which matters a measure would have opened. The figures appear while the
node works them out.
"""

from protocol.wire import calls
from tui.format import phrases
from tui.kinds.services import rehearsals
from tui.node.api_client import Declined, NodeGone
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.page import PagePane, PageScreen

_TITLE_FRAME = 8  # columns of the border beside the title


class RehearsalScreen(PageScreen):
    """The page of the rehearsal of the measure with the id `measure_id`."""

    def __init__(self, node: NodeConnection, measure_id: str) -> None:
        super().__init__(node)
        self._measure_id = measure_id

    def make_pane(self) -> "RehearsalPane":
        """Makes the pane with the rehearsal."""
        return RehearsalPane(self.node, self._measure_id)


class RehearsalPane(PagePane):
    """What is rehearsed, the figures so far, and the step that tries other numbers.

    When the reader closes the page, the pane asks for no further figures. So the node stops
    computing them.
    """

    def __init__(self, node: NodeConnection, measure_id: str) -> None:
        super().__init__(node)
        self._measure_id = measure_id
        self._numbers: rehearsals.Numbers = {}
        # The numbers that the page shows, and the resamplings that it has shown of them.
        self._shown: tuple[rehearsals.Numbers, int] = (self._numbers, 0)

    async def load(self) -> None:
        """Asks the node for the first figures and shows them. Then asks for more exact figures,
        again and again.
        """
        measure = Shown(await self.node.call(calls.Show(id=self._measure_id)))
        question = measure.text("question") or ""
        title = phrases.plain_line(question, self.app.size.width - _TITLE_FRAME)
        self.show_steps([rehearsals.numbers_step(measure, self._numbers, self._take_numbers)])
        typed = self._numbers
        changed = rehearsals.changed_numbers(measure, typed)
        shown_numbers, reached = self._shown
        for step in calls.rehearsal_steps():
            if shown_numbers is typed and step < reached:
                continue
            call = calls.Rehearse(measure=self._measure_id, resamplings=step, **changed)
            try:
                answer = Shown(await self.node.call(call))
            except NodeGone:
                raise
            except Declined as declined:
                self.show_text(title, rehearsals.trouble_text(declined.sentence))
                return
            self._shown = (typed, step)
            text = rehearsals.rehearsal_text(measure, answer, self.node.clock)
            self.show_text(title, text)

    def open_card(self, feed: str, card_id: str) -> None:
        """Does nothing, because no card here leads to a page."""
        del feed, card_id

    def _take_numbers(self, numbers: rehearsals.Numbers) -> None:
        self._numbers = numbers
