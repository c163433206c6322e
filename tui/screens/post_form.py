"""The form for one record. Its fields come from the record's kind. The form checks each field, and
keeps a draft when the reader goes back.
"""

import pkgutil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Static

from protocol.display_text import safe_line
from protocol.fold.registry import KINDS
from protocol.wire import calls
from tui.format import labels, phrases
from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds.next_steps import NextStep, StepWords
from tui.node.api_client import Declined, NodeGone
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.widgets.form import Form, names_people
from tui.widgets.key_bar import KeyBar
from tui.widgets.status_line import StatusLine


class PostFormScreen(Screen[bool]):
    """Asks for the fields of a next step, and posts the record. The result of this screen is True
    if the record was posted.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "post", _("Post"), key_display="F2", id="post"),
        Binding("escape", "back", _("Back (kept)"), key_display="Esc", id="back"),
        Binding("down", "app.focus_next", show=False, id="next-field"),
        Binding("up", "app.focus_previous", show=False, id="field-before"),
        Binding("enter", "app.focus_next", show=False, id="next-field-enter"),
        Binding("f1", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection, step: NextStep) -> None:
        super().__init__()
        self.node = node
        self._step = step
        self._form: Form | None = None
        self._is_posting = False

    def compose(self) -> ComposeResult:
        """Lays out an explanation, the fields, and two buttons: post and back."""
        yield StatusLine(self.node)
        with Vertical(id="sheet"):
            words = self._step.words
            if words.meaning:
                yield Static(plain(words.meaning), id="explanation")
            yield Vertical(id="rows")
            yield Static(id="trouble", markup=False)
            with Horizontal(id="buttons"):
                button = words.button or labels.verb(self._step.kind)
                yield Button(button, variant="primary", id="post", compact=True)
                yield Button(_("Back"), id="back", compact=True)
        yield KeyBar()

    async def on_mount(self) -> None:
        """Makes the form. If the reader has left a draft of it, fills the form with the draft."""
        self.query_one("#sheet").border_title = plain(self._step.words.label)
        draft = self.node.drafts.get(self._step.key)
        if draft is not None:
            self._show_notice(_("Here is what you typed last time."))
        kind = KINDS.get(self._step.kind)
        kind_fields = kind.fields if kind and self._step.fields != () else {}
        if not kind_fields and not self._step.extra:
            self.query_one("#post").focus()
            return
        people: list[Shown] = []
        if any(names_people(rule) and not rule.filled for rule in kind_fields.values()):
            people = await self._fetch_people()
        self._form = Form(
            kind_fields,
            self._step.given if draft is None else draft,
            only=self._step.fields,
            people=people,
            first=self._step.extra,
            choices=self._step.words.choices,
        )
        await self.query_one("#rows").mount(self._form)
        self._form.focus_first_field()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Posts the record, or goes back without posting."""
        event.stop()
        if event.button.id == "post":
            self.action_post()
        else:
            self.action_back()

    def on_input_submitted(self) -> None:
        """Moves the cursor to the next field. After the last field comes the button that posts."""
        self.focus_next()

    def action_post(self) -> None:
        """Posts the record if all fields are valid. If not, shows which fields are wrong."""
        if self._form is not None and not self._form.check_fields():
            self._show_notice(_("Please fix the highlighted fields."))
        elif not self._is_posting:
            self._is_posting = True
            self._show_notice(_("Posting…"))
            self.run_worker(self._post(), exclusive=True)

    def action_back(self) -> None:
        """Goes back without posting. Keeps the typed text as a draft."""
        self.keep_draft()
        self.dismiss(False)

    def keep_draft(self) -> None:
        """Keeps the typed text as a draft, if it differs from the first values of the form."""
        if self._form is None:
            return
        typed = self._form.typed
        first_values = {name: self._step.given.get(name, "") for name in typed}
        if typed != first_values:
            self.node.drafts[self._step.key] = typed

    async def _post(self) -> None:
        try:
            confirmation, advice = await self._send_record()
        except NodeGone as gone:
            self._show_notice(_("{why} What you typed is still here.").format(why=gone.sentence))
        except Declined as declined:
            self._show_notice(declined.sentence)
        else:
            self.node.drafts.pop(self._step.key, None)
            self.notify(safe_line(confirmation), timeout=3, markup=False)
            if advice:
                self.notify(advice + ".", timeout=15, severity="warning", markup=False)
            self.dismiss(True)
        finally:
            self._is_posting = False

    async def _send_record(self) -> tuple[str, str]:
        """Posts the record. If the step has a function of its own that sends the record, calls this
        function instead.

        Returns two texts: a sentence that says what was done, and the node's advice in words. If
        there is no advice, the second text is empty.
        """
        step = self._step
        fields = {**(self._form.values if self._form else {}), **step.fixed}
        if step.words.send is not None:
            return await step.words.send(self.node, fields), ""
        call = calls.Post(kind=step.kind, fields=fields, about=step.about or None)
        answer = await self.node.call(call)
        advice = Shown(answer).row("advice")
        return phrases.posted(answer), phrases.remark_in_words(advice) if advice else ""

    async def _fetch_people(self) -> list[Shown]:
        """Returns the members that the reader can choose in this form."""
        try:
            people = await self.node.fetch_list("people")
        except Declined:
            return []
        among = self._step.among
        return [
            person
            for person in people
            if person.state == "member" and (among is None or person.id in among)
        ]

    def _show_notice(self, sentence: str) -> None:
        self.query_one("#trouble", Static).update(plain(sentence))


def screen_of_step(node: NodeConnection, step: NextStep) -> Screen[bool]:
    """Returns the form of a step. If the step names a page, returns this page instead."""
    if not step.words.page:
        return PostFormScreen(node, step)
    page: Screen[bool] = pkgutil.resolve_name(step.words.page)(node, step.about)
    return page


def new_post_step(kind: str, given: dict[str, str]) -> NextStep:
    """Makes the step that posts a record of this kind as the beginning of a thread.

    `given` holds the first values of the form.
    """
    is_private = kind in KINDS and KINDS[kind].is_private
    meaning = _("Only the people you name can read this.") if is_private else labels.before(kind)
    return NextStep(kind, None, StepWords(labels.begin(kind), meaning), given=given)
