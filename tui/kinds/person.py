"""Shows a person: their standing, their devices, who acts for them, and what the reader can do. All
functions here are pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from textual.content import Content

from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _, plural
from tui.kinds.electorate import ids, is_on_council
from tui.kinds.next_steps import NextStep
from tui.kinds.proposal_steps import proposal_step, removal_step, restoration_step

_PROXY_MEANING = _(
    "They sign for you in these matters, and everybody sees both names. You can end "
    "it at any time; what they have signed stays."
)


@dataclass(frozen=True)
class Folder:
    """Everything that the page of a person shows. `devices` is filled only on the reader's own
    page.
    """

    person: Shown
    term: Shown
    proxies: list[Shown] = field(default_factory=list)
    devices: list[Shown] = field(default_factory=list)


def list_newcomers(waiting: Shown) -> list[Shown]:
    """Lists each newcomer once. A newcomer has asked to join or has been vouched for, but is not a
    member yet.
    """
    by_person = {knock["person"]["id"]: knock for knock in waiting.get("knocks") or []}
    for vouched in waiting.get("vouched") or []:
        by_person.setdefault(vouched["person"]["id"], vouched)
    return list(by_person.values())


def member_cards(people: list[Shown], term: Shown, me: str | None) -> list[Card]:
    """Makes a card for each member. The card says whether the member votes and moderates."""
    return [_member_card(member, term, me) for member in people]


def newcomer_card(entry: Shown, me: str | None) -> Card:
    """Makes the card of a newcomer who waits to be let in. It names the people who have vouched for
    them.
    """
    detail = _("waits to be let in")
    if entry.get("vouchers"):
        vouched = _("{who} vouched").format(who=phrases.person_names(entry["vouchers"], me))
        detail += " · " + vouched
    return Card(entry["person"]["id"], phrases.name(entry["person"]), detail)


def person_story(folder: Folder, today: date, me: str | None) -> Content:
    """Describes a person's standing and who acts for whom. If the person is the reader, also lists
    their devices.
    """
    return Content.assemble(*_story_parts(folder, today, me))


def person_steps(folder: Folder, me: str | None, today: date) -> list[NextStep]:
    """Lists what `me` can do about a person. If the person is `me`, lists what `me` can do about
    their own membership and devices.
    """
    if me is None:
        return []
    if folder.person["id"] == me:
        return list(_own_steps(folder, me, today))
    return list(_steps_about_another(folder, me))


def vouch_step(person: Shown) -> NextStep:
    """Returns the step with which a member vouches for a person who wants to join."""
    who = phrases.name(person)
    return NextStep(
        kind="approve",
        about=person["id"],
        label=_("Vouch for {who}").format(who=who),
        meaning=_("You confirm that you know {who} and that this really is {who}.").format(who=who),
        fields=(),
    )


# -- card and story -------------------------------------------------------------------------------


def _member_card(member: Shown, term: Shown, me: str | None) -> Card:
    title = _titled(member, is_me=member["id"] == me)
    detail = ", ".join(_standing(member, term))
    return Card(member["id"], title, detail, quiet=member["state"] == "removed")


def _titled(person: Shown, *, is_me: bool) -> str:
    name = phrases.name(person)
    return name + " " + _("(you)") if is_me else name


def _standing(member: Shown, term: Shown) -> Iterator[str]:
    if member["state"] == "removed":
        yield _("removed")
        return
    is_on_roll = member["id"] in ids(term.get("roll"))
    yield _("can vote") if is_on_roll else _("can vote from the next term")
    if member["id"] in ids(term.get("moderators")):
        yield _("moderator")


def _story_parts(folder: Folder, today: date, me: str | None) -> Iterator[Part]:
    person = folder.person
    is_me = person["id"] == me
    yield (_titled(person, is_me=is_me), "bold")
    yield "\n" + _standing_sentences(person, folder.term)
    if is_me:
        yield from _device_parts(folder.devices)
    given = [proxy for proxy in folder.proxies if proxy["author"]["id"] == person["id"]]
    held = [proxy for proxy in folder.proxies if proxy["person"]["id"] == person["id"]]
    if given or held or is_me:
        yield "\n\n"
        yield (_("Who acts for whom"), "bold")
    if is_me and not given and not held:
        yield "\n" + _("Nobody acts for you, and you act for nobody.")
    for proxy in [*given, *held]:
        yield "\n" + _proxy_line(proxy, today, me)


def _device_parts(devices: list[Shown]) -> Iterator[Part]:
    yield "\n\n"
    yield (_("Your devices"), "bold")
    for device in devices:
        yield "\n" + _device_line(device)
    yield "\n"
    yield (
        _(
            "To end a lost or stolen device you need your recovery words, which this screen "
            "never asks for: meshcoop revoke DEVICE --words FILE"
        ),
        "dim",
    )


def _standing_sentences(person: Shown, term: Shown) -> str:
    if person["state"] == "removed":
        return _("Removed. Only a vote can bring them back.")
    sentences = []
    if person["id"] in ids(term.get("roll")):
        sentences.append(_("Can vote on decisions."))
    else:
        sentences.append(_("Takes part in everything, and can vote from the next term."))
    if person["id"] in ids(term.get("moderators")):
        sentences.append(
            _("A moderator: together with the others, can hide words and remove people.")
        )
    return " ".join(sentences)


def _device_line(device: Shown) -> str:
    count = device["records"]
    parts = [
        device["device"][:8],
        labels.state(device["state"]),
        plural("{n} record", "{n} records", count).format(n=count),
    ]
    parts += [_("this home's")] if device["here"] else []
    return phrases.plain_line(" · ".join(parts)).plain


def _proxy_line(proxy: Shown, today: date, me: str | None) -> str:
    sentence = _("{by} for {who}: {matters}").format(
        by=phrases.name(proxy["person"], me),
        who=phrases.name(proxy["author"], me),
        matters=", ".join(labels.kind(matter) for matter in proxy["matters"]),
    )
    sentence = phrases.plain_line(phrases.capitalized(sentence)).plain
    return f"{sentence} · {_proxy_standing(proxy, today)}"


def _proxy_standing(proxy: Shown, today: date) -> str:
    if proxy["state"] != "in force":
        return labels.state(proxy["state"])
    day = phrases.moment(proxy["until"], today)
    if proxy["until"] < today.isoformat():
        return _("over since {day}").format(day=day)
    return _("until {day}").format(day=day)


# -- steps ----------------------------------------------------------------------------------------


def _own_steps(folder: Folder, me: str, today: date) -> Iterator[NextStep]:
    for proxy in folder.proxies:
        is_live = proxy["state"] == "in force" and proxy["until"] >= today.isoformat()
        if is_live and proxy["author"]["id"] == me:
            yield _end_proxy_step(proxy)
    yield NextStep(
        kind="proxy",
        about=None,
        label=_("Let somebody act for you"),
        meaning=_PROXY_MEANING,
        without=frozenset({me}),
    )


def _end_proxy_step(proxy: Shown) -> NextStep:
    who = phrases.name(proxy["person"])
    meaning = _("What {who} signs for you from now on does not count. You can allow it again.")
    return NextStep(
        kind="close",
        about=proxy["id"],
        label=_("Stop {who} acting for you").format(who=who),
        meaning=meaning.format(who=who),
        fields=(),
        fixed={"as_state": "ended"},
    )


def _steps_about_another(folder: Folder, me: str) -> Iterator[NextStep]:
    person = folder.person
    who = phrases.name(person)
    if person["state"] == "removed":
        yield restoration_step(person)
        return
    yield NextStep(
        kind="proxy",
        about=None,
        label=_("Let {who} act for you").format(who=who),
        meaning=_PROXY_MEANING,
        fields=("matters", "until"),
        fixed={"person": person["id"]},
    )
    yield proposal_step(
        f"remove {person['id']}",
        _("Ask everybody to remove {who}").format(who=who),
        _("{who} leaves the neighbourhood").format(who=who),
    )
    if is_on_council(folder.term, me):
        yield removal_step(person, folder.term)
