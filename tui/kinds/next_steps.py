"""Defines next steps. A next step is a record that a person could post now; the screen draws it as
a button that opens a form.

The node checks the record again when the person posts it. So this code decides only which buttons
to show.
"""

from dataclasses import dataclass, field
from typing import Any

from tui.format.phrases import Shown
from tui.widgets.form import Choices


@dataclass(frozen=True)
class NextStep:
    """A record that a person could post now, with the text of its button and the fields of its
    form.
    """

    kind: str
    about: str | None
    label: str
    waits: bool = False  # true if somebody waits for this record
    meaning: str = ""  # what it means to post the record; shown above the form

    # The form.
    fields: tuple[str, ...] | None = None  # the fields that the form asks for; None: all
    given: dict[str, str] = field(default_factory=dict)  # the first values of the form
    fixed: dict[str, Any] = field(default_factory=dict)  # values that are posted without a question
    rule: str = ""  # the rule of the charter for which the form asks a new value
    choices: dict[str, Choices] = field(default_factory=dict)  # the choices of each field
    among: frozenset[str] | None = None  # ids of the people to choose from; None: everybody
    without: frozenset[str] = frozenset()  # ids of the people to leave out

    @property
    def key(self) -> str:
        """The key under which the draft of this step's form is kept. No other step has the same
        key.
        """
        # Lists in `fixed` are no part of the key: the texts that a revision replaces can change
        # while somebody types.
        fixed = [f"{name}={value}" for name, value in self.fixed.items() if isinstance(value, str)]
        return ":".join([self.kind, self.about or "", self.rule, *(self.fields or ()), *fixed])


def close_step(view: Shown, state: str, label: str) -> NextStep:
    """Returns the step that closes a view with the state `state`, such as "withdrawn". Its form
    asks for the reason.
    """
    return NextStep(
        kind="close", about=view["id"], label=label, fixed={"as_state": state}, fields=("why",)
    )
