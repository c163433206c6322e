"""The form of one record: made from its kind, checked field by field, kept when it closes."""

from dataclasses import replace
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Footer, Static

from protocol.display_text import line
from protocol.fold.kind import KINDS
from protocol.record.envelope import PRIVATE
from tui.format import vocabulary as words
from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds import addresses
from tui.kinds.next_steps import Act
from tui.node.client import Declined, Gone
from tui.node.connection import Link
from tui.widgets.form import Form, names_people
from tui.widgets.status_line import Standing

_NEW = "new"  # the field for a rule's new value


class PostScreen(Screen[bool]):
    """Asks for an act's fields and posts it. Dismissed with whether it was posted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "post", _("Post"), key_display="F2", id="post"),
        Binding("escape", "back", _("Back (kept)"), key_display="Esc", id="back"),
        Binding("down", "app.focus_next", show=False, id="next-field"),
        Binding("up", "app.focus_previous", show=False, id="field-before"),
        Binding("enter", "app.focus_next", show=False, id="next-field-enter"),
        Binding("f1", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link, act: Act) -> None:
        super().__init__()
        self.node_link = link
        self._act = act
        self._form: Form | None = None
        self._posting = False

    def compose(self) -> ComposeResult:
        """What it means, the fields, and two buttons."""
        yield Standing(self.node_link)
        with Vertical(id="paper"):
            if self._act.said:
                yield Static(plain(self._act.said), id="said")
            yield Vertical(id="rows")
            yield Static(id="trouble", markup=False)
            with Horizontal(id="buttons"):
                yield Button(words.verb(self._act.kind), variant="primary", id="post", compact=True)
                yield Button(_("Back"), id="back", compact=True)
        yield Footer(show_command_palette=False)

    async def on_mount(self) -> None:
        """Makes the form, with what was typed last time if it was not posted."""
        self.query_one("#paper").border_title = plain(self._act.label)
        kind = KINDS.get(self._act.kind)
        if self._act.kind == addresses.GIVE:
            kind = addresses.Words()
        kept = self.node_link.drafts.get(self._act.key)
        if kept is not None:
            self._tell(_("Here is what you typed last time."))
        if kind is None or self._act.fields == ():
            self.query_one("#post").focus()
            return
        people: list[dict[str, Any]] = []
        if any(names_people(rule) and not rule.filled for rule in kind.fields.values()):
            people = await self._people()
        given = kept if kept is not None else self._act.given
        rule = KINDS["charter"].fields.get(self._act.rule)
        first = {_NEW: replace(rule, required=True)} if rule else {}
        only, choices = self._act.fields, self._act.choices
        self._form = Form(kind, given, only=only, people=people, first=first, choices=choices)
        await self.query_one("#rows").mount(self._form)
        self._form.begin()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Posts, or goes back."""
        event.stop()
        if event.button.id == "post":
            self.action_post()
        else:
            self.action_back()

    def on_input_submitted(self) -> None:
        """Enter leads on to the next field, and at last to the button."""
        self.focus_next()

    def action_post(self) -> None:
        """Posts what is filled in, once it will do."""
        if self._form is not None and not self._form.check():
            self._tell(_("Something above needs another look."))
        elif not self._posting:
            self._posting = True
            self._tell(_("Posting…"))
            self.run_worker(self._post(), exclusive=True)

    def action_back(self) -> None:
        """Goes back; what was typed is there the next time."""
        self.keep()
        self.dismiss(False)

    def keep(self) -> None:
        """Remembers what was typed, if anything was."""
        if self._form is None:
            return
        typed = self._form.typed
        begun = {name: self._act.given.get(name, "") for name in typed}
        if typed != begun:
            self.node_link.drafts[self._act.key] = typed

    async def _post(self) -> None:
        try:
            done, advice = await self._ask()
        except Gone as gone:
            self._tell(_("{why} What you typed is still here.").format(why=gone.sentence))
        except Declined as declined:
            self._tell(declined.sentence)
        else:
            self.node_link.drafts.pop(self._act.key, None)
            self.notify(line(done), timeout=3, markup=False)
            if advice:
                self.notify(line(advice) + ".", timeout=15, severity="warning", markup=False)
            self.dismiss(True)
        finally:
            self._posting = False

    async def _ask(self) -> tuple[str, str | None]:
        """Posts; how it went, and what the node advises, if anything."""
        act, link, advice = self._act, self.node_link, None
        fields = {**(self._form.values if self._form else {}), **act.fixed}
        if act.kind in {addresses.GIVE, addresses.FORGET}:
            return await addresses.post(link, act, fields), None
        if act.kind not in KINDS:
            await link.call(act.kind, person=act.about)
        elif act.kind == "renewal":  # the node writes down all that is to hold
            await link.call("renew", **fields)
        else:
            if act.rule:
                fields["change"] = f"charter {act.rule}={fields.pop(_NEW)}"
            about = {"about": act.about} if act.about else {}
            posted = await link.call("post", kind=act.kind, fields=fields, **about)
            advice = posted.get("advice")
        return _("Posted."), advice

    async def _people(self) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = await self.node_link.call("list", what="people")
        except Declined:
            return []
        act = self._act
        choices = [one for one in found if one["state"] == "member"]
        choices = [one for one in choices if act.among is None or one["id"] in act.among]
        return [one for one in choices if one["id"] not in act.without]

    def _tell(self, sentence: str) -> None:
        self.query_one("#trouble", Static).update(plain(sentence))


def beginning(kind: str, given: dict[str, str]) -> Act:
    """The act of posting a new root."""
    private = kind in KINDS and KINDS[kind].audience == PRIVATE
    said = _("Only the people whom you name read this.") if private else words.BEFORE.get(kind, "")
    return Act(kind=kind, about=None, label=words.begin(kind), said=said, given=given)
