"""The terminal program of one home. It shows a splash, and then connects to the home's node."""

import gc
import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from tui.i18n import _
from tui.node.connection import NodeConnection
from tui.node.program import Program

_log = logging.getLogger(__name__)


class MeshcoopApp(App[None]):
    """The terminal program that shows a resident their neighbourhood.

    `socket` is the path of the node's local API. `guides` is the folder with the guides that the
    help page shows, or None. `program` runs the commands that need the home's folder. If the home
    is still empty, `is_first_run` is true.

    `next_command` is the command that runs in place of the screen once the screen has closed, or
    None.
    """

    TITLE = "meshcoop"
    CSS_PATH = "app.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it so
        (0, "-narrow"),
        (60, "-small"),
        (80, "-normal"),
        (120, "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        # People press Ctrl-C by habit, so the screen asks before it closes.
        Binding("ctrl+c,ctrl+q", "confirm_quit", show=False, priority=True, id="leave"),
    ]

    def __init__(
        self,
        socket: Path,
        guides: Path | None = None,
        program: Program | None = None,
        *,
        is_first_run: bool = False,
    ) -> None:
        super().__init__()
        self.node = NodeConnection(self, socket)
        self.next_command: tuple[str, ...] | None = None
        self._guides = guides
        self._program = program
        self._is_first_run = is_first_run

    def compose(self) -> ComposeResult:
        """Shows a short text (the splash) while the program starts."""
        yield Static(_("Opening meshcoop…"), id="splash", markup=False)

    def on_mount(self) -> None:
        """Shows the splash first. Opens the home screen only after that, because the home screen
        takes long to load.
        """
        self.call_after_refresh(self._open_home)

    async def _open_home(self) -> None:
        # Imported late: the splash does not need the forms, and these load every kind and its
        # cryptography.
        from protocol.fold.registry import load_kinds

        load_kinds()

        from tui.kinds.face import load_faces
        from tui.theme import HIGH_CONTRAST

        for fault in load_faces():
            _log.warning("A face is missing: %s", fault)

        # The program turned garbage collection off until the splash was seen.
        gc.enable()
        self.register_theme(HIGH_CONTRAST)
        if self._is_first_run and self._program is not None:
            self.run_worker(self._lead_in(self._program), name="first run")
        else:
            await self._show_home()

    async def _lead_in(self, program: Program) -> None:
        """Shows the first pages of an empty home, and then the home screen."""
        from tui.first_run.first_run import FirstRun
        from tui.first_run.welcome_screen import Way

        way = await FirstRun(self, program).lead()
        if way is Way.DEMO:
            self.next_command = ("demo", "--stay")
        if way in {None, Way.DEMO, Way.RELAY}:
            self.exit()
        else:
            await self._show_home()

    async def _show_home(self) -> None:
        from tui.screens.home import HomeScreen

        await self.push_screen(HomeScreen(self.node))
        self.run_worker(self.node.stay_connected(), name="node")

    def action_new_post(self) -> None:
        """Asks what kind of record to post, then opens the form for that kind."""
        self.run_worker(self._start_post(), exclusive=True, group="new post")

    def action_show_help(self) -> None:
        """Opens the help page."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self._guides))

    def action_join(self) -> None:
        """Lets a home that is in no neighbourhood yet join one. Its first attempt has failed."""
        from tui.first_run.first_run import FirstRun

        if self._program is not None:
            run = FirstRun(self, self._program)
            self.run_worker(run.join_again(), exclusive=True, group="joining")

    def action_write_words(self) -> None:
        """Lets the reader copy the recovery words that this home still keeps."""
        from tui.first_run.first_run import FirstRun

        if self._program is not None:
            run = FirstRun(self, self._program)
            self.run_worker(run.write_words(self.node), exclusive=True, group="recovery words")

    def action_close(self) -> None:
        """Closes the program. If a typed draft would be lost, asks the reader first."""
        if self.node.drafts:
            self.action_confirm_quit()
        else:
            self.exit()

    def action_confirm_quit(self) -> None:
        """Asks the reader whether to close the program. If this question is on the screen already,
        closes the program.
        """
        from tui.screens.confirm_quit import ConfirmQuitScreen
        from tui.screens.post_form import PostFormScreen

        if isinstance(self.screen, ConfirmQuitScreen):
            self.exit()
            return
        for screen in self.screen_stack:
            if isinstance(screen, PostFormScreen):
                screen.keep_draft()

        def close_if_confirmed(is_confirmed: bool | None) -> None:
            if is_confirmed:
                self.exit()

        question = ConfirmQuitScreen(has_drafts=bool(self.node.drafts))
        self.push_screen(question, close_if_confirmed)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yields the commands that Textual's command palette lists: a new post, help, colours and
        quit.
        """
        del screen
        yield SystemCommand(_("New"), _("Ask, offer, tell about yourself"), self.action_new_post)
        yield SystemCommand(_("Help"), _("Keys and words"), self.action_show_help)
        yield SystemCommand(_("Colours"), _("Choose a theme"), self.action_change_theme)
        yield SystemCommand(
            _("Quit"), _("Close the screen; this home keeps running"), self.action_close
        )

    async def _start_post(self) -> None:
        from tui.screens.new_post import NewPostScreen
        from tui.screens.post_form import PostFormScreen, new_post_step

        kind = await self.push_screen_wait(NewPostScreen())
        if kind is None:
            return
        given = await self._fetch_own_values(kind)
        await self.push_screen(PostFormScreen(self.node, new_post_step(kind, given)))

    async def _fetch_own_values(self, kind: str) -> dict[str, str]:
        """Returns the fields of the reader's own record of a kind, to begin a form with.

        Finds the record only if the list of people shows records of its kind, for example a
        profile. For any other kind, and if the reader has no such record yet, returns an empty
        dict.
        """
        from protocol.fold.registry import KINDS
        from tui.kinds.next_steps import form_fields_of
        from tui.node.api_client import Declined

        if not KINDS[kind].view_type.is_listed_with_people:
            return {}
        with suppress(Declined):
            for person in await self.node.fetch_list("people"):
                if person.id == self.node.me:
                    return form_fields_of(person, kind)
        return {}

    def _handle_exception(self, error: Exception) -> None:
        if self._exit:
            # The program is closing. A widget that was still being mounted fails, and nobody
            # misses it.
            self._close_messages_no_wait()
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        # Textual would print local variables with the traceback, and these hold people's words.
        _log.exception("The screen has failed")
        self._close_messages_no_wait()
