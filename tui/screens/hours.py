"""Hours: what somebody gave and received, line by line, with the balance after each."""

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.language import _
from tui.link import Link
from tui.screens.pane import Pane
from tui.story import hours
from tui.telling import name, plain_line


class HoursPane(Pane):
    """Those of one person, newest first."""

    def __init__(self, link: Link, person: str) -> None:
        super().__init__(link)
        self._person = person

    def compose(self) -> ComposeResult:
        """One part that scrolls."""
        with VerticalScroll(id="hours"):
            yield Static(id="hours-words", markup=False)

    async def load(self) -> None:
        """Asks for the balance of this person."""
        link = self.node_link
        row = await link.call("balance", person=self._person)
        part = self.query_one("#hours")
        part.border_title = plain_line(_("Hours of {who}").format(who=name(row["person"], link.me)))
        self.query_one("#hours-words", Static).update(hours(row, link.now().date()))
