"""A tab of the home screen."""

from textual import events
from textual.widgets import TabPane


class HomeTab(TabPane):
    """A pane that does not come forward because something in it has the cursor.

    Textual's does, and so brings a tab back that the reader has just left: the cursor moves on
    inside it while it is being hidden.
    """

    def _on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.prevent_default()
