"""Shows a circle, a small group with messages of its own: its card, its text, and what a member can
do in it. All functions here are pure.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol.display_text import safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _
from tui.kinds.next_steps import NextStep
from tui.kinds.thread_data import ThreadData


def circle_card(view: Shown, me: str | None) -> Card:
    """Makes the card of a circle, which says who is in it."""
    members = phrases.capitalized(phrases.person_names(view["members"], me))
    state = labels.state(view["state"]) if view["state"] != "open" else ""
    detail = phrases.dotted([members, state])
    return Card(view["id"], phrases.title(view), detail, quiet=view["state"] == "ended")


def circle_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Describes a circle: first its members, then its messages, with the latest message last."""
    return Content.assemble(*_story_parts(thread, today, me))


def steps_for_circle(circle: Shown, me: str) -> Iterator[NextStep]:
    """Yields what `me` can do in a circle. If `me` is not a member of it, yields nothing."""
    members = frozenset(member["id"] for member in circle["members"])
    if me not in members:
        return
    yield NextStep(
        kind="message",
        about=circle["id"],
        label=_("Write to the circle"),
        meaning=_("Only people in the circle can read this."),
    )
    yield NextStep(
        kind="members",
        about=circle["id"],
        label=_("Add somebody"),
        meaning=_(
            "They can read what is written from now on, and see who was in the circle before."
        ),
        fields=("joins",),
        without=members,
    )
    if len(members) > 1:
        yield NextStep(
            kind="members",
            about=circle["id"],
            label=_("Remove somebody"),
            meaning=_("They cannot read what is written from now on."),
            fields=("leaves",),
            among=members - {me},
        )
    yield NextStep(
        kind="close",
        about=circle["id"],
        label=_("Leave the circle"),
        meaning=_("You cannot read what is written from now on."),
        fixed={"as_state": "withdrawn"},
        fields=(),
    )


def _story_parts(thread: ThreadData, today: date, me: str | None) -> Iterator[Part]:
    circle = thread.root
    members = phrases.capitalized(phrases.person_names(circle["members"], me))
    yield (phrases.title(circle), "bold")
    yield "\n" + (members or labels.state(circle["state"]))
    if me is not None and all(member["id"] != me for member in circle["members"]):
        yield "\n" + _("You are no longer in this circle.")
    if not thread.answers:
        yield "\n\n" + _("Nobody has written anything yet.")
    for message in thread.answers:
        author = phrases.capitalized(phrases.name(message["author"], me))
        at = phrases.moment(message["created"], today)
        yield "\n\n"
        yield (phrases.dotted([author, at]), "dim")
        yield "\n" + safe_text(message["text"]).strip()
