"""A next step: a record that a person could post now, drawn as a button with a form behind it.

The node judges every step again when it is posted; a step only says what is worth a button.
"""

from dataclasses import dataclass, field
from typing import Any

from tui.widgets.form import Choices

Shown = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """A record that could be posted. `fields` are those the form asks for; None: all."""

    kind: str
    about: str | None
    label: str
    waits: bool = False  # somebody waits for it
    said: str = ""  # what it means, above the form
    fields: tuple[str, ...] | None = None
    given: dict[str, str] = field(default_factory=dict)  # what the form begins with
    fixed: dict[str, Any] = field(default_factory=dict)  # what is posted and not asked
    among: frozenset[str] | None = None  # the people to choose from, by id; None: everybody
    without: frozenset[str] = frozenset()  # and who of them is no choice
    rule: str = ""  # of the charter: the form asks for its new value
    choices: dict[str, Choices] = field(default_factory=dict)  # what fields are chosen from

    @property
    def key(self) -> str:
        """Tells it from other acts, and what was typed into its form from what was typed into theirs.
        A list that is fixed is no part of it: the texts that a revision follows change meanwhile.
        """
        fixed = [f"{name}={one}" for name, one in self.fixed.items() if isinstance(one, str)]
        return ":".join([self.kind, self.about or "", self.rule, *(self.fields or ()), *fixed])


def close_step(one: Shown, state: str, label: str) -> Act:
    return Act(
        kind="close", about=one["id"], label=label, fixed={"as_state": state}, fields=("why",)
    )
