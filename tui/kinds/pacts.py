"""Shows a pact, a promise among a few people: its card, its text, and what each party can do. Also
lists the pacts that wait for the reader. All functions here are pure.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol.display_text import safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _
from tui.kinds.next_steps import NextStep, close_step

_OVER = {"ended", "declined", "withdrawn"}


def pact_card(view: Shown, today: date, me: str | None) -> Card:
    """Makes the card of a pact, with its parties, its state, its hours and its end."""
    detail = _detail(view, today, me)
    return Card(view["id"], phrases.title(view), detail, quiet=view["state"] in _OVER)


def pact_story(view: Shown, today: date, me: str | None) -> Content:
    """Describes a pact: its words, and who has not accepted it yet."""
    return Content.assemble(*_story_parts(view, today, me))


def steps_for_pact(pact: Shown, me: str) -> Iterator[NextStep]:
    """Yields what `me`, a party, can do about a pact: accept it, decline it, take it back or end
    it.
    """
    state = pact["state"]
    if state == "offered" and _waits_for(pact, me):
        yield NextStep(
            kind="accept",
            about=pact["id"],
            label=_("Accept the pact"),
            waits=True,
            meaning=_(
                "By accepting, you promise what the pact says. Only the people in it can see it."
            ),
            fields=(),
        )
        yield close_step(pact, "declined", _("Decline the pact"))
    elif state == "offered" and pact["author"]["id"] == me:
        yield close_step(pact, "withdrawn", _("Withdraw the pact"))
    elif state == "agreed":
        yield close_step(pact, "ended", _("End the pact"))


def waiting_pact_cards(pacts: list[Shown], me: str | None) -> Iterator[Card]:
    """Yields a card for each pact that the reader has still to accept or decline."""
    for pact in pacts:
        if _waits_for(pact, me):
            author = phrases.name(pact["author"])
            label = _("Accept the pact that {who} offers").format(who=author)
            yield Card(pact["id"], label, phrases.title(pact))


def _waits_for(pact: Shown, me: str | None) -> bool:
    return any(person["id"] == me for person in pact["waiting"])


def _detail(view: Shown, today: date, me: str | None) -> str:
    parts = [
        phrases.capitalized(phrases.person_names(view["parties"], me)),
        labels.state(view["state"]),
        phrases.minutes(view.get("minutes")),
        phrases.moment(view.get("due"), today),
    ]
    return phrases.dotted(parts)


def _story_parts(view: Shown, today: date, me: str | None) -> Iterator[Part]:
    yield (safe_text(view["text"]).strip(), "bold")
    yield "\n\n" + _detail(view, today, me)
    if view["waiting"] and view["state"] == "offered":
        yield "\n" + _("Waiting for {who}").format(who=phrases.person_names(view["waiting"], me))
