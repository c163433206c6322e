"""Shows circles, pacts and pages. Each function passes the view to the module for its kind. All
functions here are pure.
"""

from datetime import date

from textual.content import Content

from tui.format.phrases import Card, Shown
from tui.kinds.circles import circle_card, circle_story, steps_for_circle
from tui.kinds.next_steps import NextStep
from tui.kinds.pacts import pact_card, pact_story, steps_for_pact
from tui.kinds.pages import page_card, page_story, revision_step
from tui.kinds.thread_data import ThreadData

# The kinds that this module shows. For each kind: the name of the list of records that answer its
# root, or None.
ANSWERS = {"circle": "messages", "page": "revisions", "pact": None}


def face_card(view: Shown, today: date, me: str | None) -> Card:
    """Makes the card of a circle, a pact or a page."""
    match view["kind"]:
        case "circle":
            return circle_card(view, me)
        case "pact":
            return pact_card(view, today, me)
        case "page":
            return page_card(view, today, me)
        case kind:
            raise KeyError(kind)


def face_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Describes a circle, a pact or a page in one text."""
    match thread.root["kind"]:
        case "circle":
            return circle_story(thread, today, me)
        case "pact":
            return pact_story(thread.root, today, me)
        case "page":
            return page_story(thread, today, me)
        case kind:
            raise KeyError(kind)


def face_steps(thread: ThreadData, me: str | None) -> list[NextStep]:
    """Lists what `me` can do in a circle, a pact or a page."""
    if me is None:
        return []
    match thread.root["kind"]:
        case "circle":
            return list(steps_for_circle(thread.root, me))
        case "pact":
            return list(steps_for_pact(thread.root, me))
        case "page":
            return [revision_step(thread.root)]
        case kind:
            raise KeyError(kind)
