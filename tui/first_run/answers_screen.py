"""A page with a few questions. It checks the answers while somebody types, and sends them once."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import Screen
from textual.widgets import Button, Input, Static, TextArea

from tui.first_run import questions
from tui.first_run.questions import Question
from tui.format.phrases import plain
from tui.i18n import _
from tui.node.api_client import Declined
from tui.widgets.inputs import LineInput, TextBox
from tui.widgets.key_bar import KeyBar

PASSPHRASE = "passphrase"  # noqa: S105  # the name of an answer, no secret
_AGAIN = "again"  # the name of the second line for a new passphrase
_LINE = "line-"  # the ids of lines begin with this

Answers = dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """What a page of questions asks, and what it does with the answers.

    `send` gets the answers by name, and returns what the program answered. It raises Declined if
    the program refuses. `waiting` says what happens meanwhile. If `is_new`, the last question is
    for a new passphrase, which is typed twice. If `is_known`, it is for the passphrase of before.
    """

    title: str
    meaning: str
    asked: tuple[Question, ...]
    button: str
    waiting: str
    send: Callable[[Answers], Awaitable[Any]]
    is_new: bool = False
    is_known: bool = False

    @property
    def questions(self) -> list[Question]:
        """All questions of the page, in their order."""
        asked = list(self.asked)
        if self.is_new or self.is_known:
            asked.append(_ask_passphrase(is_new=self.is_new))
        if self.is_new:
            asked.append(Question(_AGAIN, _("Once more"), "", lambda _typed: None, is_secret=True))
        return asked


class AnswerRow(Vertical):
    """A question, the line for the answer, and a remark below it."""

    DEFAULT_CSS = """
    AnswerRow {
        height: auto;
        Horizontal { height: auto; }
        .label { width: 17; padding-right: 1; }
        .remark { height: auto; padding-left: 17; color: $foreground 65%; display: none; }
        &.here .remark, .remark.told { display: block; }
        .remark.wrong { color: $text-error; text-style: bold; }
        TextBox { height: 3; }
    }
    """

    def __init__(self, question: Question) -> None:
        super().__init__(id=f"answer-{question.name}")
        self.question = question
        self._input: LineInput | TextBox = TextBox() if question.is_long else LineInput()
        self._input.id = f"{_LINE}{question.name}"
        if isinstance(self._input, LineInput):
            self._input.password = question.is_secret

    def compose(self) -> ComposeResult:
        """Lays out the question and the line for the answer."""
        with Horizontal():
            yield Static(plain(self.question.label), classes="label")
            yield self._input
        yield Static(plain(self.question.help), classes="remark")

    @property
    def typed(self) -> str:
        """The answer, as it was typed."""
        return self._input.text if isinstance(self._input, TextBox) else self._input.value

    @property
    def answer(self) -> str:
        """The answer that is sent. Blanks around it count in a secret only."""
        return self.typed if self.question.is_secret else self.typed.strip()

    def fill(self, text: str) -> None:
        """Puts an answer into the line."""
        if isinstance(self._input, TextBox):
            self._input.text = text
        else:
            self._input.value = text

    def show(self, *, is_shown: bool) -> None:
        """Shows or hides what is typed into a secret line."""
        if isinstance(self._input, LineInput):
            self._input.password = not is_shown

    def remark(self, sentence: str, *, is_wrong: bool) -> None:
        """Shows a sentence below the answer. An empty sentence brings the help back."""
        below = self.query_one(".remark", Static)
        below.set_class(is_wrong, "wrong")
        below.set_class(bool(sentence), "told")
        below.update(plain(sentence or self.question.help))

    def on_descendant_focus(self) -> None:
        """Shows the help as long as the cursor is in this line."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Hides the help when the cursor leaves the line."""
        self.remove_class("here")

    def focus_input(self) -> None:
        """Moves the cursor into the line."""
        self._input.focus()


class AnswersScreen(Screen[Any]):
    """A page of questions. Its result is what the program answered, or None if the reader goes
    back.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "send", _("Go on"), key_display="F2", id="send-answers"),
        Binding("f4", "suggest", _("Suggest a passphrase"), key_display="F4", id="suggest"),
        Binding("f5", "show_secret", _("Show it"), key_display="F5", id="show-secret"),
        Binding("escape", "back", _("Back"), key_display="Esc", id="back-a-step"),
        Binding("down", "app.focus_next", show=False, id="next-answer"),
        Binding("up", "app.focus_previous", show=False, id="answer-before"),
        Binding("f1", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, sheet: Sheet) -> None:
        super().__init__()
        self._sheet = sheet
        self._rows = {question.name: AnswerRow(question) for question in sheet.questions}
        self._is_sending = False
        self._is_shown = False

    def compose(self) -> ComposeResult:
        """Lays out the questions and two buttons."""
        with VerticalScroll(id="sheet", can_focus=False):
            yield Static(plain(self._sheet.meaning), id="explanation")
            yield from self._rows.values()
            yield Static(id="trouble", markup=False)
            with Horizontal(id="buttons"):
                yield Button(self._sheet.button, variant="primary", id="send", compact=True)
                yield Button(_("Back"), id="back", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Moves the cursor to the first question."""
        self.query_one("#sheet").border_title = plain(self._sheet.title)
        self._rows[self._sheet.questions[0].name].focus_input()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Returns True if the action can run now."""
        del parameters
        if action == "suggest":
            return self._sheet.is_new
        return action != "show_secret" or PASSPHRASE in self._rows

    @on(Input.Changed)
    @on(TextArea.Changed)
    def check_answer(self, event: Input.Changed | TextArea.Changed) -> None:
        """Says below the answer what is wrong, while the reader types."""
        event.stop()
        row = self._rows[(event.control.id or "").removeprefix(_LINE)]
        if row.typed:
            self._remark(row)
        else:
            row.remark("", is_wrong=False)
        if row.question.name == PASSPHRASE and _AGAIN in self._rows and self._rows[_AGAIN].typed:
            self._remark(self._rows[_AGAIN])

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Moves the cursor to the next question, and in the end to the button."""
        event.stop()
        self.focus_next()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Sends the answers, or goes back."""
        event.stop()
        if event.button.id == "send":
            self.action_send()
        else:
            self.action_back()

    def action_send(self) -> None:
        """Sends the answers, if nothing is wrong with them."""
        wrong = [row for row in self._rows.values() if not self._remark(row)]
        if wrong:
            wrong[0].focus_input()
        elif not self._is_sending:
            self._is_sending = True
            self._show_trouble(self._sheet.waiting)
            self.run_worker(self._send(), exclusive=True)

    def action_suggest(self) -> None:
        """Fills in a passphrase of six words, twice, and shows it."""
        offered = questions.draw_passphrase(secrets.choice)
        for name in (PASSPHRASE, _AGAIN):
            self._rows[name].fill(offered)
        self._is_shown = False
        self.action_show_secret()

    def action_show_secret(self) -> None:
        """Shows the passphrase that is typed, or hides it again."""
        self._is_shown = not self._is_shown
        for name in (PASSPHRASE, _AGAIN):
            if name in self._rows:
                self._rows[name].show(is_shown=self._is_shown)

    def action_back(self) -> None:
        """Goes back a step. If the answers are on their way, the program is stopped first."""
        self.workers.cancel_node(self)
        self.dismiss(None)

    async def _send(self) -> None:
        answers = {name: row.answer for name, row in self._rows.items() if name != _AGAIN}
        try:
            answer = await self._sheet.send(answers)
        except Declined as declined:
            self._show_trouble(declined.sentence)
        else:
            self.dismiss(answer)
        finally:
            self._is_sending = False

    def _remark(self, row: AnswerRow) -> bool:
        """Shows what there is to say about an answer. Returns False if something is wrong."""
        fault = self._find_fault(row)
        sentence = fault or ""
        if fault is None and self._sheet.is_new and row.question.name == PASSPHRASE:
            sentence = questions.rate_passphrase(row.typed)
        elif fault is None and row.question.name == _AGAIN:
            sentence = _("The same.")
        row.remark(sentence, is_wrong=fault is not None)
        return fault is None

    def _find_fault(self, row: AnswerRow) -> str | None:
        if row.question.name == _AGAIN and row.typed != self._rows[PASSPHRASE].typed:
            return _("Not the same yet.")
        return row.question.find_fault(row.typed)

    def _show_trouble(self, sentence: str) -> None:
        self.query_one("#trouble", Static).update(plain(sentence))


def _ask_passphrase(*, is_new: bool) -> Question:
    if is_new:
        return Question(
            PASSPHRASE,
            _("Passphrase"),
            _("You type it when this machine starts. It never leaves it. F4 suggests one."),
            questions.find_fault_of_passphrase,
            is_secret=True,
        )
    return Question(
        PASSPHRASE,
        _("Passphrase"),
        _("The one of before."),
        lambda typed: None if typed else _("Please fill this in."),
        is_secret=True,
    )
