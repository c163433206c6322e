"""Shows a person: their standing, their devices, who acts for them, and what the reader can do. All
functions here are pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from textual.content import Content

from protocol.local_clock import LocalClock
from protocol.wire import calls
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.accept_and_close import CLOSE
from tui.kinds.decisions import can_moderate, expulsion_step, removal_step, restoration_step
from tui.kinds.neighbourhood import ADMIT
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.thread_data import Reader
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown

KNOCK_PREFIX = "knock:"  # begins the ids of cards about people who want to join
_PROXY = "proxy"
_SHORT_ID = 8  # hexadecimal digits
_PROXY_MEANING = _(
    "They sign for you in these matters, and everybody sees both names. You can end "
    "it at any time; what they have signed stays."
)


@dataclass(frozen=True)
class Folder:
    """Everything that the page of a person shows. `devices` is filled only on the reader's own
    page.
    """

    member: Shown  # a row of the list of people
    neighbours: frozenset[str] = frozenset()  # ids of the members, without the reader
    proxies: list[Shown] = field(default_factory=list)
    devices: list[Shown] = field(default_factory=list)

    @property
    def person(self) -> Person:
        """The person whose page it is."""
        return self.member.as_person()


def list_newcomers(waiting: Shown) -> list[Shown]:
    """Lists each newcomer once. A newcomer has asked to join or has been vouched for, but is not a
    member yet.
    """
    entries = [*waiting.rows("knocks"), *waiting.rows("vouched")]
    by_person: dict[str | None, Shown] = {}
    for entry in entries:
        person = entry.person("person")
        if person is not None:
            by_person.setdefault(person.id, entry)
    return list(by_person.values())


def member_cards(members: list[Shown], reader: Reader) -> list[Card]:
    """Makes a card for each member. The card says whether the member votes and moderates."""
    return [_member_card(member, reader) for member in members]


def newcomer_card(entry: Shown, me: str | None) -> Card:
    """Makes the card of a newcomer who waits to be let in. The card names the people who have
    vouched for the newcomer.
    """
    person = entry.person("person")
    vouchers = entry.people("vouchers")
    detail = _("waits to be let in")
    if vouchers:
        vouched = _("{who} vouched").format(who=phrases.person_names(vouchers, me))
        detail += " · " + vouched
    return Card((person.id if person else None) or "", phrases.name(person), detail)


def person_story(folder: Folder, reader: Reader) -> Content:
    """Describes a person's standing, and the proxies with which people sign for each other. If the
    person is the reader, also lists their devices.
    """
    return Content.assemble(*_story_parts(folder, reader))


def person_steps(folder: Folder, reader: Reader) -> list[NextStep]:
    """Lists what the reader can do about a person. If the person is the reader, lists what the
    reader can do about their own membership and devices.
    """
    if reader.me is None:
        return []
    if folder.member.id == reader.me:
        return list(_own_steps(folder, reader.me))
    return list(_steps_about_another(folder, reader))


def vouch_step(person: Person) -> NextStep:
    """Returns the step with which a member vouches for a person who wants to join."""
    who = phrases.name(person)
    meaning = _("You confirm that you know {who} and that this really is {who}.")
    words = StepWords(
        _("Vouch for {who}").format(who=who),
        meaning.format(who=who),
        button=_("Vouch"),
        send=partial(_send_vouch, person.id or person.name),
    )
    return NextStep(kind="approve", about=person.id, words=words, fields=())


def vouch_question(row: Shown) -> Card:
    """Makes the card that asks the reader to vouch for somebody. Others have vouched for this
    person already.
    """
    question, *lines = [phrases.remark_in_words(remark) for remark in row.rows("says")] or [""]
    title = _("[y] {question}").format(question=question)
    more = tuple(map(phrases.capitalized, lines))
    return Card(KNOCK_PREFIX + _newcomer_of(row), title, more=more, has_key=True)


def vouching(row: Shown) -> calls.Approve | None:
    """Returns the call by which the reader vouches, if a row of `list waiting` asks for it."""
    return calls.Approve(person=_newcomer_of(row)) if row.kind == ADMIT else None


def _newcomer_of(row: Shown) -> str:
    person = row.person("person")
    person_id = person.id if person else None
    assert person_id is not None, "the row names the newcomer"
    return person_id


async def _send_vouch(person: str, node: NodeConnection, fields: Mapping[str, object]) -> str:
    del fields
    await node.call(calls.Approve(person=person))
    return _("Posted.")


# -- card and story -------------------------------------------------------------------------------


def _member_card(member: Shown, reader: Reader) -> Card:
    title = _titled(member.as_person(), is_me=member.id == reader.me)
    detail = ", ".join(_standing(member, reader.term))
    return Card(member.id, title, detail, quiet=_is_out(member))


def _titled(person: Person, *, is_me: bool) -> str:
    name = phrases.name(person)
    return name + " " + _("(you)") if is_me else name


def _is_out(member: Shown) -> bool:
    return member.state in {"removed", "left"}


def _is_among(people: list[Person], member: Shown) -> bool:
    return any(person.id == member.id for person in people)


def _standing(member: Shown, term: Shown) -> Iterator[str]:
    if _is_out(member):
        yield _("has left") if member.state == "left" else _("removed")
        return
    is_on_roll = _is_among(term.people("roll"), member)
    yield _("can vote") if is_on_roll else _("can vote on new proposals")
    if _is_among(term.people("moderators"), member):
        yield _("moderator")


def _story_parts(folder: Folder, reader: Reader) -> Iterator[Part]:
    member = folder.member
    is_me = member.id == reader.me
    yield (_titled(folder.person, is_me=is_me), "bold")
    yield "\n" + _standing_sentences(member, reader.term)
    if is_me:
        yield from _device_parts(folder.devices)
    given = [proxy for proxy in folder.proxies if proxy.is_by(member.id)]
    held = [proxy for proxy in folder.proxies if _is_for(proxy, member)]
    if given or held or is_me:
        yield "\n\n"
        yield (_("Who acts for whom"), "bold")
    if is_me and not given and not held:
        yield "\n" + _("Nobody acts for you, and you act for nobody.")
    for proxy in [*given, *held]:
        yield "\n" + _proxy_line(proxy, reader)


def _is_for(proxy: Shown, member: Shown) -> bool:
    person = proxy.person("person")
    return person is not None and person.id == member.id


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


def _standing_sentences(member: Shown, term: Shown) -> str:
    if member.state == "left":
        return _("Has left. Only a vote can bring them back.")
    if member.state == "removed":
        return _("Removed. Only a vote can bring them back.")
    sentences = []
    if _is_among(term.people("roll"), member):
        sentences.append(_("Can vote on decisions."))
    else:
        sentences.append(
            _("Takes part in everything, and can vote on what is proposed from now on.")
        )
    if _is_among(term.people("moderators"), member):
        sentences.append(
            _("A moderator: together with the others, can hide words and remove people.")
        )
    return " ".join(sentences)


def _device_line(device: Shown) -> str:
    count = device.number("records") or 0
    parts = [
        (device.text("device") or "")[:_SHORT_ID],
        labels.state(device.state),
        plural("{n} record", "{n} records", count).format(n=count),
        _("this home's") if device.flag("here") else "",
    ]
    return phrases.plain_line(phrases.dotted(parts)).plain


def _proxy_line(proxy: Shown, reader: Reader) -> str:
    sentence = _("{by} for {who}: {matters}").format(
        by=phrases.name(proxy.person("person"), reader.me),
        who=phrases.name(proxy.author, reader.me),
        matters=", ".join(labels.kind(matter) for matter in proxy.texts("matters")),
    )
    sentence = phrases.plain_line(phrases.capitalized(sentence)).plain
    return f"{sentence} · {_proxy_standing(proxy, reader.clock)}"


def _proxy_standing(proxy: Shown, clock: LocalClock) -> str:
    day = phrases.moment(proxy.text("until"), clock)
    if proxy.state == "over":
        return _("over since {day}").format(day=day)
    if proxy.state == "in force":
        return _("until {day}").format(day=day)
    return labels.state(proxy.state, proxy.kind)


# -- steps ----------------------------------------------------------------------------------------


def _own_steps(folder: Folder, me: str) -> Iterator[NextStep]:
    for proxy in folder.proxies:
        if proxy.is_by(me) and proxy.state == "in force":
            yield _end_proxy_step(proxy)
    words = StepWords(_("Let somebody act for you"), _PROXY_MEANING)
    yield NextStep(kind=_PROXY, about=None, words=words, among=folder.neighbours)


def _end_proxy_step(proxy: Shown) -> NextStep:
    who = phrases.name(proxy.person("person"))
    meaning = _("What {who} signs for you from now on does not count. You can allow it again.")
    words = StepWords(_("Stop {who} acting for you").format(who=who), meaning.format(who=who))
    return NextStep(kind=CLOSE, about=proxy.id, words=words, fields=(), fixed={"as_state": "ended"})


def _steps_about_another(folder: Folder, reader: Reader) -> Iterator[NextStep]:
    person = folder.person
    if _is_out(folder.member):
        yield restoration_step(person)
        return
    label = _("Let {who} act for you").format(who=phrases.name(person))
    yield NextStep(
        kind=_PROXY,
        about=None,
        words=StepWords(label, _PROXY_MEANING),
        fields=("matters", "until"),
        fixed={"person": person.id},
    )
    yield expulsion_step(person)
    if can_moderate(reader):
        yield removal_step(person, reader.term)
