"""Shows a service: its chain as a tree, and what a person can do in it. All functions here are
pure.

A link is one part of a chain. One person offers a part of the service to another person; whoever
accepts the link then holds that part.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _
from tui.kinds import measures
from tui.kinds.next_steps import NextStep, close_step

_FIELDS = ("area", "category", "hours", "contact")
_MOST_REPORTS = 3  # the number of reports that a service shows


def service_card(view: Shown, me: str | None) -> Card:
    """Makes the card of a service. It says who holds the service, which links nobody has accepted
    yet, and whether the service needs attention.
    """
    service_measures = view.get("measures") or []
    bad_measures = [measure for measure in service_measures if measures.needs_attention(measure)]
    has_matter = any(measure.get("matter") for measure in service_measures)
    parts = [
        _("a matter is open") if has_matter else "",
        _holder_sentence(view, me),
        *_offers(view, me),
        safe_line(bad_measures[0]["sentence"], 60) if bad_measures and not has_matter else "",
        labels.state(view["state"]) if view["state"] != "open" else "",
    ]
    mark = "! " if bad_measures or has_matter else ""
    title = mark + phrases.title(view)
    return Card(view["id"], title, phrases.dotted(parts), view["state"] != "open")


def service_rank(view: Shown) -> int:
    """Returns the rank of a service in a list. Services that the reader holds come first, then
    those that they passed on, and then those that they rely on. All other open services follow;
    ended services come last.
    """
    marks = ("i_hold", "i_take_part", "i_said_something")
    if view["state"] != "open":
        return len(marks) + 1
    ranks = (rank for rank, mark in enumerate(marks) if view.get(mark))
    return next(ranks, len(marks))


def service_story(view: Shown, reports: list[Shown], today: date, me: str | None) -> Content:
    """Describes a service: its chain, its measures, and the latest reports. The newest report must
    come first in `reports`.
    """
    return Content.assemble(*_story_parts(view, reports, today, me))


def service_steps(view: Shown, asked_measures: list[Shown], me: str | None) -> list[NextStep]:
    """Lists what `me` can do in a service. Things that somebody waits for come first."""
    if me is None or view["state"] != "open":
        return []
    steps = [
        *_offer_answer_steps(view, me),
        *(step for measure in asked_measures for step in measures.report_steps(measure)),
        _feedback_step(view),
        *_hand_on_steps(view, me),
        *_hand_over_steps(view, me),
        _measure_step(view),
        *_end_steps(view, me),
    ]
    return sorted(steps, key=lambda step: not step.waits)


# -- card and story -------------------------------------------------------------------------------


def _offers(view: Shown, me: str | None) -> Iterator[str]:
    for link in view.get("links") or []:
        if link["state"] == "offered":
            who = phrases.name(link["to"], me)
            yield _("offered to {who}, not accepted").format(who=who)


def _story_parts(view: Shown, reports: list[Shown], today: date, me: str | None) -> Iterator[Part]:
    yield (phrases.title(view), "bold")
    yield "\n" + _holder_sentence(view, me)
    since = phrases.moment(view.get("held_since"), today)
    if since:
        yield " " + _("since {day}").format(day=since)
    if view["state"] != "open":
        yield " · " + labels.state(view["state"])
    yield from _tree_parts(view, today, me)
    if view.get("text"):
        yield "\n\n" + safe_text(view["text"]).strip()
    for field in _FIELDS:
        if view.get(field):
            yield ("\n" + labels.field(field) + ": ", "dim")
            yield phrases.line_or_hidden(view[field])
    for measure in view.get("measures") or []:
        yield ("\n\n" + phrases.line_or_hidden(measure["question"]), "bold")
        yield "\n" + measures.standing_sentence(measure)
    if reports:
        yield ("\n\n" + _("Said recently"), "bold")
    for report in reports[:_MOST_REPORTS]:
        author = phrases.capitalized(phrases.signer_names(report, me))
        yield (f"\n{author} · {phrases.moment(report['on'], today)}: ", "dim")
        yield phrases.line_or_hidden(report["text"])


def _tree_parts(view: Shown, today: date, me: str | None) -> Iterator[Part]:
    """Yields the chain as a tree. At the top is the person who answers for the service; below are
    the links.
    """
    provider = view.get("provider")
    top = view["answers_for"]
    who = phrases.name(top, me)
    yield "\n\n"
    if provider and provider.get("id") is None:  # an organisation that is no member
        sentence = _("{provider} provides it; {who} answers for it")
        yield sentence.format(provider=phrases.name(provider), who=who)
    elif who != phrases.name(top):
        yield _("You answer for it")
    else:
        yield _("{who} answers for it").format(who=who)
    yield from _holder_mark(view, top, None)
    yield from _branch_parts(view, view["id"], "", today, me)


def _branch_parts(
    view: Shown, above_id: str, indent: str, today: date, me: str | None
) -> Iterator[Part]:
    links = [link for link in view.get("links") or [] if link["about"] == above_id]
    for link in links:
        is_last = link is links[-1]
        who = phrases.capitalized(phrases.name(link["to"], me))
        title = phrases.line_or_hidden(link["title"])
        sentence = f"{who}: {title} · {_link_standing(link, today)}"
        yield f"\n{indent}{'└─ ' if is_last else '├─ '}"
        yield (sentence, "dim") if link["state"] in {"ended", "declined"} else sentence
        yield from _holder_mark(view, link["to"], link)
        below = indent + ("   " if is_last else "│  ")
        yield from _branch_parts(view, link["id"], below, today, me)


def _holder_mark(view: Shown, person: Shown, link: Shown | None) -> Iterator[Part]:
    """Yields a mark for `person` if they hold the service now, which means that they are at the end
    of the chain.
    """
    chain = view.get("chain") or []
    end_id = chain[-1] if chain else None
    link_id = link["id"] if link else None
    if person["id"] == view["holder"]["id"] and end_id == link_id:
        yield ("  ◄ " + _("holds it now"), "bold")


def _link_standing(link: Shown, today: date) -> str:
    match link["state"]:
        case "offered":
            return _("offered, not accepted")
        case "accepted":
            return _("accepted, since {day}").format(day=phrases.moment(link["since"], today))
    return labels.state(link["state"])


def _holder_sentence(view: Shown, me: str | None) -> str:
    if view["holder"]["id"] == me and me is not None:
        return _("You hold it")
    who = phrases.name(view["holder"])
    if view.get("i_take_part"):
        return _("You passed it on: {who} holds it").format(who=who)
    if view.get("i_said_something"):
        return _("You rely on it: {who} holds it").format(who=who)
    return _("{who} holds it").format(who=who)


# -- steps: links ---------------------------------------------------------------------------------


def _offer_answer_steps(view: Shown, me: str) -> Iterator[NextStep]:
    """Yields, for each link offered to `me`, the steps that accept it and decline it."""
    for link in view.get("links") or []:
        if link["state"] == "offered" and link["to"]["id"] == me:
            what = phrases.line_or_hidden(link["title"], 60)
            yield _accept_step(link, what)
            yield close_step(link, "declined", _("Decline it: {what}").format(what=what))


def _accept_step(link: Shown, what: str) -> NextStep:
    who = phrases.name(link["author"])
    meaning = _("{who} asks you to take on: “{what}”. By accepting, you promise to do it.")
    meaning = meaning.format(who=who, what=what)
    if link.get("instead"):
        meaning += _(" You take over from somebody else.")
    return NextStep(
        kind="accept",
        about=link["id"],
        label=_("Accept what {who} asks of you: {what}").format(who=who, what=what),
        waits=True,
        meaning=meaning,
        fields=(),
    )


def _hand_on_steps(view: Shown, me: str) -> Iterator[NextStep]:
    """Yields the steps with which `me` asks another person to do a part of the service, or a part
    of a link that `me` accepted. For the service itself, `me` must be its author or answer for it.
    """
    if me in _head_ids(view):
        yield _hand_on_step(view, _("Ask somebody to do a part of it"), me)
    for link in view.get("links") or []:
        if link["state"] == "accepted" and link["to"]["id"] == me:
            what = phrases.line_or_hidden(link["title"], 50)
            yield _hand_on_step(
                link, _("Ask somebody to do a part of: {what}").format(what=what), me
            )


def _hand_on_step(above: Shown, label: str, me: str) -> NextStep:
    return NextStep(
        kind="link",
        about=above["id"],
        label=label,
        meaning=_(
            "You stay responsible until they accept; after that they do it and you answer for them."
        ),
        fields=("to", "title", "text"),
        without=frozenset({me}),
    )


def _hand_over_steps(view: Shown, me: str) -> Iterator[NextStep]:
    """Yields the steps that pass an accepted link on to another person.

    Either end of the link may do this. So may the person who holds what the link is about: the link
    above it, or the service (R-21.4).
    """
    links = {link["id"]: link for link in view.get("links") or []}
    for link in links.values():
        above = links.get(link["about"])
        holder_ids = {above["to"]["id"]} if above else _head_ids(view)
        if link["state"] == "accepted" and me in holder_ids | _end_ids(link):
            yield _hand_over_step(link, me)


def _hand_over_step(link: Shown, me: str) -> NextStep:
    what = phrases.line_or_hidden(link["title"], 50)
    who = phrases.name(link["to"])
    return NextStep(
        kind="link",
        about=link["about"],
        label=_("Pass it to somebody else: {what}").format(what=what),
        meaning=_("{who} holds it until the other person accepts.").format(who=who),
        fields=("to", "title", "text"),
        given={"title": phrases.line_or_hidden(link["title"])},
        fixed={"instead": link["id"]},
        without=frozenset({me, link["to"]["id"]}),
    )


def _end_steps(view: Shown, me: str) -> Iterator[NextStep]:
    """Yields the steps that end an accepted link or the whole service. Also yields the step that
    takes back an offered link.
    """
    for link in view.get("links") or []:
        what = phrases.line_or_hidden(link["title"], 50)
        if link["state"] == "accepted" and me in _end_ids(link):
            yield close_step(link, "ended", _("End it: {what}").format(what=what))
        elif link["state"] == "offered" and link["author"]["id"] == me:
            label = _("Take back your offer: {what}").format(what=what)
            yield close_step(link, "withdrawn", label)
    if me in _head_ids(view):
        yield close_step(view, "ended", _("End this service"))


def _head_ids(view: Shown) -> set[str]:
    """Returns the ids of two people: the author of a service and the person who answers for it."""
    return {view["author"]["id"], view["answers_for"]["id"]}


def _end_ids(link: Shown) -> set[str]:
    """Returns the ids of the two ends of a link: the person who offered it and the person to whom
    it was offered.
    """
    return {link["author"]["id"], link["to"]["id"]}


# -- steps: feedback and measures -----------------------------------------------------------------


def _feedback_step(view: Shown) -> NextStep:
    return NextStep(
        kind="feedback",
        about=view["id"],
        label=_("Say something about it"),
        meaning=_(
            "In your own words. Everybody in the neighbourhood can read it and see that it is "
            "yours. Urgent tells everybody who holds a part of it at once; you can use it "
            "once a week."
        ),
        fields=("text", "on", "urgent"),
    )


def _measure_step(view: Shown) -> NextStep:
    return NextStep(
        kind="measure",
        about=view["id"],
        label=_("Add a regular question for everybody"),
        meaning=_("It starts once neighbours vote for it. You can propose that on its page."),
    )
