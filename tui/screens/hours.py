"""Hours: what somebody gave and received, line by line, with the balance after each."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.language import _
from tui.link import Link
from tui.screens.pane import Pane
from tui.story import hours
from tui.telling import name, plain_line
from tui.widgets.standing import Standing


class HoursScreen(Screen[None]):
    """The hours of one person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link, person: str) -> None:
        super().__init__()
        self.node_link = link
        self._person = person

    def compose(self) -> ComposeResult:
        """The lines under the line that says where we are."""
        yield Standing(self.node_link)
        yield HoursPane(self.node_link, self._person)
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Back to the people."""
        self.dismiss()


class HoursPane(Pane):
    """Newest first."""

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
        part.focus()
