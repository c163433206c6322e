"""Shows an activity: its card, its text, and the days on which it takes place. All functions here
are pure.

An occurrence is one day of an activity. For each role, it lists who has a place and who waits for a
place. Later it also lists who came.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol import recurrence
from protocol.display_text import safe_line, safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _, plural
from tui.kinds.thread_data import ThreadData

_MOST_PLACES = 64  # the places of an activity that names no roles
_FREQUENCIES = {
    "DAILY": (_("every day"), _("every {n} days")),
    "WEEKLY": (_("every week"), _("every {n} weeks")),
    "MONTHLY": (_("every month"), _("every {n} months")),
    "YEARLY": (_("every year"), _("every {n} years")),
}


def activity_card(view: Shown, today: date, me: str | None) -> Card:
    """Makes the card of an activity: who organises it, when it takes place next, and how many
    places are free.
    """
    upcoming = view["upcoming"]
    limited = upcoming and view["roles"] and view["state"] == "open"
    parts = [
        phrases.signer_names(view, me),
        occurrence_moment(view, upcoming[0], today) if upcoming else "",
        labels.state(view["state"]) if view["state"] != "open" else "",
        _free_places(view, upcoming[0]) if limited else "",
        safe_line(view.get("area") or "", 20),
    ]
    quiet = view["state"] in {"past", "cancelled"}
    return Card(view["id"], phrases.title(view), phrases.dotted(parts), quiet)


def board_card(view: Shown, today: date, me: str | None) -> Card:
    """Makes a card for a list that shows posts of several kinds. The card names the kind of the
    post.
    """
    if view["kind"] != "activity":
        return phrases.any_view(view, today, me)
    activity = activity_card(view, today, me)
    detail = f"{labels.kind('activity')} · {activity.detail}"
    return Card(activity.id, activity.title, detail, activity.quiet)


def activity_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Describes an activity: first its terms, then its occurrences with the people who take part in
    each.
    """
    return Content.assemble(*_story_parts(thread.root, today, me))


def roles_on(view: Shown, day: str) -> list[Shown]:
    """Returns the roles of an activity on a day. Each role lists the people who have a place or
    wait for a place.
    """
    roles: list[Shown] = _occurrence(view, day)["roles"]
    return roles


def occurrence_moment(view: Shown, day: str, today: date) -> str:
    """Writes the day of an occurrence, with the hour if the activity has one."""
    return phrases.moment(recurrence.occurrence_start(view["starts"], day), today)


def is_person(person: Shown | None, person_id: str | None) -> bool:
    """Returns whether `person` has the id `person_id`. If either is None, returns False."""
    return person is not None and person_id is not None and person["id"] == person_id


def _story_parts(root: Shown, today: date, me: str | None) -> Iterator[Part]:
    yield (phrases.title(root), "bold")
    organised = (
        _("You organise this") if is_person(root["author"], me) else _("{who} organises this")
    )
    parts = [
        organised.format(who=phrases.name(root["author"], me)),
        phrases.moment(root["starts"], today),
        phrases.minutes(root["minutes"]),
        _repetition(root["repeats"]),
        safe_line(root["area"] or ""),
        labels.state(root["state"]),
    ]
    yield "\n" + phrases.dotted(parts)
    if root["text"]:
        yield "\n\n" + safe_text(root["text"]).strip()
    days = {occurrence["on"] for occurrence in root["occurrences"]} | set(root["upcoming"][:1])
    for day in sorted(days):
        yield "\n\n"
        yield (occurrence_moment(root, day, today), "bold")
        yield from _occurrence_parts(root, day, me)


def _occurrence_parts(root: Shown, day: str, me: str | None) -> Iterator[Part]:
    occurrence = _occurrence(root, day)
    for role in roles_on(root, day):
        label = safe_line(role["role"] or _("who comes"))
        count = f" ({len(role['has'])}/{role['places']})" if root["roles"] else ""
        yield f"\n{label}{count}: {phrases.person_names(role['has'], me) or '–'}"
        if role["waits"]:
            yield "\n  " + _("waiting: {who}").format(who=phrases.person_names(role["waits"], me))
    if occurrence["came"]:
        yield "\n" + _("came: {who}").format(who=phrases.person_names(occurrence["came"], me))
    if occurrence["missed"]:
        yield "\n" + _("could not come: {who}").format(
            who=phrases.person_names(occurrence["missed"], me)
        )


def _occurrence(view: Shown, day: str) -> Shown:
    """Returns the occurrence of an activity on a day. If the activity has none for that day,
    because nobody signed up, returns one with all places free.
    """
    for occurrence in view["occurrences"]:
        if occurrence["on"] == day:
            return dict(occurrence)
    roles = [
        {"role": role, "places": places, "has": [], "waits": []}
        for role, places in (view["roles"] or {None: _MOST_PLACES}).items()
    ]
    return {"on": day, "roles": roles, "came": [], "missed": []}


def _free_places(view: Shown, day: str) -> str:
    free = sum(role["places"] - len(role["has"]) for role in roles_on(view, day))
    if not free:
        return _("full")
    return plural("{n} place free", "{n} places free", free).format(n=free)


def _repetition(rule: str | None) -> str:
    """Puts a recurrence rule such as `FREQ=WEEKLY` into words. If the rule is more complicated,
    returns it unchanged.
    """
    parts = dict(part.partition("=")[::2] for part in (rule or "").split(";"))
    frequency = parts.pop("FREQ", "")
    interval = parts.pop("INTERVAL", "1")
    is_simple = interval.isdecimal() and not set(parts) - {"WKST"}
    if frequency not in _FREQUENCIES or not is_simple:
        return safe_line(rule or "")
    once, several = _FREQUENCIES[frequency]
    return plural(once, several, int(interval)).format(n=interval)
