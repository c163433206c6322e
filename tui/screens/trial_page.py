"""The page of a trial: what people try, what the trial shows, and what people can decide about
it.
"""

from textual.content import Content

from protocol.wire import calls
from tui.format import phrases
from tui.i18n import _
from tui.kinds.comments import comment_parts, comments_on
from tui.kinds.face import thread_steps
from tui.kinds.services import trials
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.page import PagePane, PageScreen


class TrialScreen(PageScreen):
    """The page of the trial with the id `trial_id`."""

    def __init__(self, node: NodeConnection, trial_id: str) -> None:
        super().__init__(node)
        self._trial_id = trial_id

    def make_pane(self) -> "TrialPane":
        """Makes the pane with the trial."""
        return TrialPane(self.node, self._trial_id)


class TrialPane(PagePane):
    """The text of a trial, and the list of what the reader can do."""

    def __init__(self, node: NodeConnection, trial_id: str) -> None:
        super().__init__(node)
        self._trial_id = trial_id

    async def load(self) -> None:
        """Fetches the trial with its comments, and the measures of its service, and shows them."""
        trial = Shown(await self.node.call(calls.Show(id=self._trial_id)))
        questions = await self.node.fetch_list("measures", about=trial.about)
        thread = await fetch_thread(self.node, trial.about or "")
        reader = current_reader(self.node)
        parts = comment_parts(comments_on({trial.id}, thread), thread, reader, {trial.id})
        text = trials.trial_story(trial, questions, reader) + Content.assemble(*parts)
        self.show_text(phrases.plain_line(_("Trial")), text)
        steps = trials.steps_of_trial(trial) if reader.me is not None else []
        asked = [step for step in thread_steps(thread, reader) if step.about == trial.id]
        self.show_steps([*steps, *asked])
