"""The page with the recovery words: people copy them, and then type two of them from their paper."""

import random
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.suggester import SuggestFromList
from textual.widgets import Button, ContentSwitcher, Input, Static

from tui.first_run.questions import describe_wrong_word, word_list
from tui.format.phrases import plain
from tui.i18n import _
from tui.widgets.inputs import LineInput
from tui.widgets.key_bar import KeyBar

_COLUMNS = 4
_ASKED = 2  # words that people type from their paper


class WordsScreen(Screen[dict[int, str] | None]):
    """A page with the recovery words. Its result is the words that the reader typed from the paper,
    by their numbers, or None if the reader wants to do it later.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "go_on", _("Go on"), key_display="F2", id="on-paper"),
        Binding("escape", "look_again", _("Show the words again"), key_display="Esc", id="look"),
        Binding("f3", "later", _("Later"), key_display="F3", id="later"),
        Binding("f1", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, words: list[str]) -> None:
        super().__init__()
        self._words = words
        numbers = random.SystemRandom().sample(range(1, len(words) + 1), _ASKED)
        self._numbers = sorted(numbers)

    def compose(self) -> ComposeResult:
        """Lays out the sheet of words, and behind it the two questions."""
        with Vertical(id="sheet"), ContentSwitcher(initial="paper", id="turns"):
            with Vertical(id="paper"):
                yield Static(plain(_(
                    "Write these 24 words on paper, with their numbers. They are the only way back"
                    " if this machine is lost. No photo, no file."
                )), id="explanation")  # fmt: skip
                yield Static(plain(self._sheet()))
                with Horizontal(id="buttons"):
                    yield Button(
                        _("They are on paper"),
                        variant="primary",
                        id="on-paper-button",
                        compact=True,
                    )
                    yield Button(_("Later: remind me on Today"), id="later", compact=True)
            with Vertical(id="check"):
                yield Static(plain(_(
                    "Type two of them from your paper. A wrong word costs nothing: look at your"
                    " paper and type it again."
                )), id="explanation-of-check")  # fmt: skip
                for number in self._numbers:
                    yield Static(plain(_("Word {n} on your paper").format(n=number)))
                    line = LineInput()
                    line.id = f"word-{number}"
                    line.password = True  # R-01.29c
                    line.suggester = SuggestFromList(word_list())
                    yield line
                    yield Static(id=f"remark-{number}", classes="remark", markup=False)
        yield KeyBar()

    def on_mount(self) -> None:
        """Puts the cursor on the button."""
        self.query_one("#sheet").border_title = plain(_("Your recovery words"))
        self.query_one("#on-paper-button").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Returns True if the action can run now."""
        del parameters
        return action != "look_again" or self._is_checking

    @property
    def _is_checking(self) -> bool:
        return self.query_one("#turns", ContentSwitcher).current == "check"

    @on(Button.Pressed, "#on-paper-button")
    def turn_to_check(self) -> None:
        """Hides the words, and asks for two of them."""
        self.query_one("#turns", ContentSwitcher).current = "check"
        self.query_one(f"#word-{self._numbers[0]}").focus()
        self.refresh_bindings()

    @on(Input.Changed)
    def clear_remark(self, event: Input.Changed) -> None:
        """Takes the remark about a word away as soon as the word is typed anew."""
        number = (event.input.id or "").removeprefix("word-")
        self.query_one(f"#remark-{number}", Static).update("")

    @on(Button.Pressed, "#later")
    def action_later(self) -> None:
        """Goes on without the check."""
        self.dismiss(None)

    @on(Input.Submitted)
    def action_go_on(self) -> None:
        """Goes on to the check. In the check, goes on if both words are right."""
        if not self._is_checking:
            self.turn_to_check()
            return
        wrong = [number for number in self._numbers if not self._remark(number)]
        if wrong:
            self.query_one(f"#word-{wrong[0]}").focus()
        else:
            self.dismiss({number: self._typed(number) for number in self._numbers})

    def action_look_again(self) -> None:
        """Shows the words again."""
        self.query_one("#turns", ContentSwitcher).current = "paper"
        self.query_one("#on-paper-button").focus()
        self.refresh_bindings()

    def _typed(self, number: int) -> str:
        return self.query_one(f"#word-{number}", LineInput).value.strip().lower()

    def _remark(self, number: int) -> bool:
        """Says below a word what is wrong with it. Returns True if the word is right."""
        typed = self._typed(number)
        is_right = typed == self._words[number - 1]
        if is_right:
            sentence = _("Right.")
        elif not typed:
            sentence = _("Please fill this in.")
        elif typed in word_list():
            sentence = _("Word {n} is another one. Look at your paper.").format(n=number)
        else:
            sentence = describe_wrong_word(number, typed)
        self.query_one(f"#remark-{number}", Static).update(plain(sentence))
        return is_right

    def _sheet(self) -> str:
        """Returns the words with their numbers, in columns."""
        rows = -(-len(self._words) // _COLUMNS)
        numbered = [f"{number:2} {word:<10}" for number, word in enumerate(self._words, 1)]
        return "\n".join("  ".join(numbered[row::rows]) for row in range(rows))
