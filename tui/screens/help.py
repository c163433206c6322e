"""The help page: the keys, the words that the screens use, and the guide for residents."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Markdown, Static

from protocol.display_text import safe_text
from tui.format.phrases import plain
from tui.i18n import _
from tui.widgets.key_bar import KeyBar

_KEYS_AND_WORDS = (
    _("Arrows and Tab move, Enter opens, Esc goes back. The mouse works too."),
    "",
    _("1 to 7    Today, Board, People, Services, Circles, Neighbourhood, Search"),
    _("n         ask, offer, or tell about yourself"),
    _("i         invite a neighbour"),
    _("/         search            a   on the board: everything, or what is open"),
    _("m         on a person: mute or unmute them"),
    _("r         show new cards, where a list says “3 new”"),
    _("y         on Today, on a question that begins with [y]: yes"),
    _("F2        in a form: post it. Tab or Enter: the next field. Esc keeps it."),
    _("Ctrl-P    a menu of what you can do, and other colours"),
    _("q         close this screen; this home keeps running"),
    "",
    _(
        "Somebody asks or offers. Somebody else responds, in words that only the two of them can "
        "read. When they agree, both have signed the same terms. Afterwards one of them writes a "
        "receipt and the other confirms it. An hour of anyone's work is worth an hour of anyone "
        "else's."
    ),
    "",
    _(
        "The Services tab shows who does what, who answers for it, and how people say it goes. The "
        "marks of a chart tell usual ups and downs from real changes. A week that misses the target "
        "is no alarm. With 5 answers a week a moderate change takes two months to show; only more "
        "answers or more time make that quicker. Those who raise a matter say whether it was put "
        "right."
    ),
    "",
    _(
        "The Neighbourhood tab shows the decisions, the members and the rules in force. You cannot "
        "change a yes after you have voted. Press Enter on a rule to propose a change, on a person "
        "to see what you can do about them, or on yourself to see your devices. In a thread you can "
        "flag words. Three or more moderators can hide them, and a vote can show them again."
    ),
    "",
    _(
        "You see what this home has received; there is no server. What it keeps on this disk is "
        "encrypted, with your passphrase if you gave one. Every command also works without "
        "this screen: meshcoop --help."
    ),
)

_RESIDENT_GUIDE = "resident.md"


class HelpScreen(Screen[None]):
    """The help page. `guides` is the folder with the guides, or None if there is no such folder."""

    DEFAULT_CSS = """
    HelpScreen Markdown { padding: 0; margin-top: 1; background: transparent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,f1,question_mark,left,h", "back", _("Back"), key_display="Esc", id="back"
        ),
    ]

    def __init__(self, guides: Path | None = None) -> None:
        super().__init__()
        self._guides = guides

    def compose(self) -> ComposeResult:
        """Lays out the explanation of keys and words, with the guide below."""
        guide = _read_guide(self._guides)
        with VerticalScroll(id="help"):
            yield Static(plain("\n".join(_KEYS_AND_WORDS)))
            if guide:
                # The page opens no links: a terminal may have no browser, or the browser of a
                # stranger.
                yield Markdown(guide, id="guide", open_links=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Puts the title in the border of the page, and moves the cursor into the page."""
        pane = self.query_one("#help")
        pane.border_title = plain(_("Help"))
        pane.focus()

    def action_back(self) -> None:
        """Closes the help page and goes back to the screen below it."""
        self.dismiss()


def _read_guide(guides: Path | None) -> str | None:
    """Returns the guide for residents, in Markdown. If it is not installed, returns None."""
    if guides is None:
        return None
    try:
        return safe_text((guides / _RESIDENT_GUIDE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
