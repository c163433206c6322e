"""The page that makes an invitation and shows it as a picture and as text, to be passed on."""

import os
from pathlib import Path
from typing import ClassVar

import platformdirs
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.widgets.card_list import CardList
from tui.widgets.key_bar import KeyBar
from tui.widgets.qr_code import QrCode

_AT_ONCE = "at once"
_KNOCK = "knock"
_GROUP = 5  # letters that stand together, so that people can read them aloud
_FILE_NAME = "invitation.txt"


class InviteScreen(Screen[None]):
    """A page with two turns: who opens the door, and then the invitation."""

    DEFAULT_CSS = """
    InviteScreen {
        #choice { height: auto; margin-top: 1; }
        #invitation { height: 1fr; }
        #invitation VerticalScroll { width: 1fr; padding: 0 1; }
        .paragraph { height: auto; margin-bottom: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", _("Copy"), id="copy-invitation"),
        Binding("f", "save", _("Save to a file"), id="save-invitation"),
        Binding("escape,q", "back", _("Back"), key_display="Esc", id="back"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__()
        self._node = node
        self._code: str | None = None

    def compose(self) -> ComposeResult:
        """Lays out the question who opens the door."""
        with Vertical(id="sheet"):
            yield Static(plain(_("An invitation is for one person.")), id="explanation")
            yield CardList(id="choice")
            yield Static(id="trouble", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Fills the list. Letting in at once comes first: most people invite somebody they know."""
        self.query_one("#sheet").border_title = plain(_("Invite a neighbour"))
        cards = self.query_one(CardList)
        cards.show_cards(
            [
                Card(
                    _AT_ONCE,
                    _("I know them: let them in at once"),
                    _("Whoever comes with it, you say that you know them"),
                ),
                Card(_KNOCK, _("They knock, and I open"), _("You see their name on Today first")),
            ]
        )
        cards.focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Returns True if the action can run now. There is nothing to copy before the choice."""
        del parameters
        return self._code is not None or action not in {"copy", "save"}

    def on_option_list_option_selected(self, event: CardList.OptionSelected) -> None:
        """Makes the invitation."""
        event.stop()
        self.query_one("#trouble", Static).update(plain(_("Making the invitation…")))
        self.run_worker(self._invite(approve=event.option_id == _AT_ONCE), exclusive=True)

    def action_copy(self) -> None:
        """Copies the letters to the clipboard, if the terminal allows it."""
        self.app.copy_to_clipboard(self._code or "")
        self.notify(_("Copied, if your terminal allows it."), markup=False)

    def action_save(self) -> None:
        """Writes the letters into a file in the reader's folder of documents."""
        path = Path(platformdirs.user_documents_dir()) / _FILE_NAME
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123  # a handle, not a path
                file.write(f"{self._code}\n")
        except OSError as error:
            sentence = _("{path} cannot be written: {why}.").format(path=path, why=error.strerror)
            self.notify(sentence, severity="warning", markup=False)
        else:
            self.notify(_("Saved as {path}.").format(path=path), markup=False)

    def action_back(self) -> None:
        """Closes the page. The invitation stays good."""
        self.dismiss(None)

    async def _invite(self, *, approve: bool) -> None:
        try:
            answer = Shown(await self._node.call(calls.Invite(approve=approve)))
        except Declined as declined:
            self.query_one("#trouble", Static).update(plain(declined.sentence))
            return
        self._code = answer.text("invitation") or ""
        until = phrases.moment(answer.text("expires") or "", self._node.clock)
        sheet = self.query_one("#sheet", Vertical)
        await sheet.remove_children()
        await sheet.mount(
            Horizontal(
                QrCode(self._code),
                VerticalScroll(*map(_paragraph, self._paragraphs(until))),
                id="invitation",
            )
        )
        self.refresh_bindings()

    def _paragraphs(self, until: str) -> list[str]:
        code = self._code or ""
        groups = [code[start : start + _GROUP] for start in range(0, len(code), _GROUP)]
        return [
            _("They start meshcoop, choose “I have an invitation”, and scan or type this:"),
            " ".join(groups),
            _("For one person, until {time}. Keep this machine on until they have come.").format(
                time=until
            ),
        ]


def _paragraph(text: str) -> Static:
    return Static(plain(text), classes="paragraph")
