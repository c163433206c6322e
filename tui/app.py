"""The screen of one home. First a splash; the rest is mounted, and the node asked, after it is seen."""

import asyncio
import gc
import logging
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.i18n import _
from tui.node.connection import Link

_log = logging.getLogger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class MeshcoopApp(App[None]):
    """A client of the node whose local API is at `socket`."""

    TITLE = "meshcoop"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it so
        (0, "-narrow"),
        (60, "-small"),
        (80, "-normal"),
        (120, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        # Terminals send Ctrl-C by habit; it never closes the screen unasked.
        Binding("ctrl+c,ctrl+q", "ask", show=False, priority=True, id="leave"),
    ]

    def __init__(self, socket: Path, link: Link | None = None) -> None:
        super().__init__()
        self.node_link = link or Link(self, socket)

    def compose(self) -> ComposeResult:
        """The splash."""
        yield Static(_("Opening meshcoop…"), id="splash", markup=False)

    def on_mount(self) -> None:
        """Lets the splash be seen before anything slow is done."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            # Textual would ignore them, and leave the terminal as it is.
            with suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.exit)
        self.call_after_refresh(self._furnish)

    async def _furnish(self) -> None:
        # Late: forms need every kind and its cryptography, and the splash needs none of it.
        import protocol.kinds as _kinds  # noqa: F401  # registers what forms are made from
        from tui.screens.home import HomeScreen
        from tui.theme import HIGH_CONTRAST

        gc.enable()  # the program turns it off for the splash
        self.register_theme(HIGH_CONTRAST)
        await self.push_screen(HomeScreen(self.node_link))
        self.run_worker(self.node_link.attend(), name="link")

    def action_begin(self) -> None:
        """Asks what to begin, then for its fields."""
        self.run_worker(self._begin(), exclusive=True, group="begin")

    def action_explain(self) -> None:
        """Help."""
        from tui.screens.help import ExplainScreen

        self.push_screen(ExplainScreen())

    def action_leave(self) -> None:
        """Closes the screen; asks where something typed would be lost."""
        if self.node_link.drafts:
            self.action_ask()
        else:
            self.exit()

    def action_ask(self) -> None:
        """Asks whether to leave; asked twice, it leaves."""
        from tui.screens.confirm_quit import LeaveScreen
        from tui.screens.post_form import PostScreen

        if isinstance(self.screen, LeaveScreen):
            self.exit()
            return
        for screen in self.screen_stack:
            if isinstance(screen, PostScreen):
                screen.keep()

        def answered(leave: bool | None) -> None:
            if leave:
                self.exit()

        self.push_screen(LeaveScreen(drafts=bool(self.node_link.drafts)), answered)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the footer offers, in the palette too."""
        del screen
        yield SystemCommand(_("New"), _("Ask, offer, tell about yourself"), self.action_begin)
        yield SystemCommand(_("Help"), _("Keys and words"), self.action_explain)
        yield SystemCommand(_("Colours"), _("Choose a theme"), self.action_change_theme)
        yield SystemCommand(_("Quit"), _("Close the screen; the node goes on"), self.action_leave)

    async def _begin(self) -> None:
        from tui.kinds.exchange import fields_of
        from tui.node.client import Declined
        from tui.screens.new_post import ChooseScreen
        from tui.screens.post_form import PostScreen, beginning

        kind = await self.push_screen_wait(ChooseScreen())
        if kind is None:
            return
        given: dict[str, str] = {}
        if kind == "profile":
            with suppress(Declined):
                people = await self.node_link.call("list", what="people")
                mine = [one for one in people if one["id"] == self.node_link.me]
                given = fields_of({**mine[0], "kind": "profile"}) if mine else {}
        await self.push_screen(PostScreen(self.node_link, beginning(kind, given)))

    def _fatal_error(self) -> None:
        # Textual would print the traceback with its locals, people's words among them.
        _log.exception("The screen is lost to a fault of ours")
        self._close_messages_no_wait()
