"""A next step: a record that a person could post now, drawn as a button with a form behind it.

The node judges every step again when it is posted; a step only says what is worth a button.
"""

from dataclasses import dataclass, field
from typing import Any

from tui.format.phrases import Shown
from tui.widgets.form import Choices


@dataclass(frozen=True)
class NextStep:
    """A record that could be posted, with the words of its button and what its form asks for."""

    kind: str
    about: str | None
    label: str
    waits: bool = False  # somebody waits for it
    meaning: str = ""  # what posting it means, above the form

    # The form.
    fields: tuple[str, ...] | None = None  # the fields that it asks for; None: all
    given: dict[str, str] = field(default_factory=dict)  # what it begins with
    fixed: dict[str, Any] = field(default_factory=dict)  # what is posted and not asked
    rule: str = ""  # a rule of the charter, whose new value it asks for
    choices: dict[str, Choices] = field(default_factory=dict)  # what fields are chosen from
    among: frozenset[str] | None = None  # ids of the people to choose from; None: everybody
    without: frozenset[str] = frozenset()  # ids of people who are no choice

    @property
    def key(self) -> str:
        """A text that tells this step from all others; what is typed into its form is kept by it."""
        # A fixed list stays out: the texts that a revision follows change while somebody types.
        fixed = [f"{name}={value}" for name, value in self.fixed.items() if isinstance(value, str)]
        return ":".join([self.kind, self.about or "", self.rule, *(self.fields or ()), *fixed])


def close_step(view: Shown, state: str, label: str) -> NextStep:
    """The step that closes what a view shows, in a state such as "withdrawn", and asks why."""
    return NextStep(
        kind="close", about=view["id"], label=label, fixed={"as_state": state}, fields=("why",)
    )
