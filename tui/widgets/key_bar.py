"""The line at the foot of a screen. It shows the keys that work there."""

from textual.binding import Binding
from textual.widgets import Footer


class KeyBar(Footer):
    """The line of keys. It is made again only if the keys have changed.

    Textual makes its own footer again each time the focus moves. That would be most of the work of
    a move, although the keys usually stay the same.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._shown_keys: list[tuple[Binding, bool, str]] = []

    async def recompose(self) -> None:
        """Makes the line again, if it would show other keys."""
        if not self.is_attached:
            return  # The screen was left before Textual came to this line.
        keys = [
            (key.binding, key.enabled, key.tooltip)
            for key in self.screen.active_bindings.values()
            if key.binding.show
        ]
        if keys != self._shown_keys:
            self._shown_keys = keys
            await super().recompose()
