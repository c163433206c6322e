"""Help: which keys there are, and what the words mean."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format.phrases import plain
from tui.i18n import _

_WORDS = (
    _("Arrows and Tab move, Enter opens, Esc goes back. So does the mouse."),
    "",
    _("1 to 7    Today, Board, People, Services, Circles, Neighbourhood, Search"),
    _("n         ask, offer, or tell about yourself"),
    _("/         search            a   on the board: everything, or what is open"),
    _("m         on a person: leave out what they post, or show it again"),
    _("r         show what is new, where a list says “3 new”"),
    _("F2        in a form: post it. Tab or Enter: the next field. Esc keeps it."),
    _("Ctrl-P    all there is to do, and other colours"),
    _("q         close this screen; your node goes on"),
    "",
    _(
        "Somebody asks or offers; somebody else responds, in words that only the two can read. "
        "Agreed, both have signed the same terms. Afterwards one writes a receipt and the other "
        "confirms it. An hour of anyone's work is worth an hour of anyone else's."
    ),
    "",
    _(
        "Services shows who does what, who answers for it, and how people say it goes. A chart tells "
        "ups and downs as usual from what stands out, by its marks. A week that misses the target is "
        "no alarm. With 5 answers a week a moderate change takes two months to show; only longer "
        "times or more answers make that quicker. Who raised a matter says whether it was put right."
    ),
    "",
    _(
        "Neighbourhood shows what is to be decided, who belongs and which rules hold. Who is on the "
        "roll votes, and a yes stands. Enter on a rule proposes a change of it, on a person shows "
        "what you can do about them, or your own devices. In a thread you can flag words; three or "
        "more moderators can hide them, and the roll can bring them back."
    ),
    "",
    _(
        "What you see is what this home has received; there is no server. What the neighbourhood "
        "reads lies plain on this disk, so encrypt the disk. Every command also works without "
        "this screen: meshcoop --help."
    ),
)


class ExplainScreen(Screen[None]):
    """One page, closed with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q,f1,question_mark,left,h", "back", _("Back"), key_display="Esc", id="back"
        ),
    ]

    def compose(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="help"):
            yield Static(plain("\n".join(_WORDS)))
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Its title."""
        pane = self.query_one("#help")
        pane.border_title = plain(_("Help"))
        pane.focus()

    def action_back(self) -> None:
        """Back to the screen."""
        self.dismiss()
