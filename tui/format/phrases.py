"""Turns values and views from the local API into text and into cards. A card is an entry of a list.

Only this module makes people's words safe for the terminal. It returns them as `Content`, which
ignores markup, so any widget can show them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from textual.content import Content

from protocol.display_text import safe_line, safe_name, safe_text
from protocol.errors import fill_in
from protocol.fold.registry import KINDS
from protocol.local_clock import LocalClock
from protocol.sentences import SENTENCES
from tui.format import labels
from tui.i18n import _
from tui.node.shown import Person, Shown

Part = Content | str | tuple[str, str]  # a piece of a story: text, or text with its style

_HOUR = 60
_MINUTE_CHARS = len("2026-11-23T09:30")
_DAY_CHARS = len("2026-11-23")
_FAR_DAYS = 300
_DURATIONS = frozenset({"minutes", "limit", "balance"})  # arguments of remarks


@dataclass(frozen=True)
class Card:
    """A card is an entry of a list. It has a title, and lines below the title. The field `id` is
    the id of a record, or a word that the screen itself chose.
    """

    id: str
    title: str
    detail: str = ""
    quiet: bool = False  # true if the reader need not do anything here
    cautious: bool = False  # true if the cursor comes here only when the reader moves it
    more: tuple[str, ...] = ()  # further lines
    has_key: bool = False  # true if one key answers this card

    def content(self) -> Content:
        """Formats the card for a list. Makes people's words in it safe to show."""
        style = "" if self.quiet else "bold"
        # The detail is not dim: on the highlight of most themes, dim text is too faint to read.
        lines = [safe_line(line) for line in (self.detail, *self.more) if line]
        below = "".join("\n" + line for line in lines)
        return Content.assemble((safe_line(self.title) or "…", style), below)


# -- text -----------------------------------------------------------------------------------------


def plain(text: object) -> Content:
    """Makes any text safe to show, and keeps its line breaks."""
    return Content(safe_text(str(text)))


def plain_line(text: object, width: int | None = None) -> Content:
    """Makes any text safe to show, and puts the text on one line of at most `width` columns."""
    return Content(safe_line(str(text), width))


def line_or_hidden(text: str | None, width: int | None = None) -> str:
    """Puts a person's words on one line. If `text` is None, the words are hidden, and the result
    says so.
    """
    return safe_line(text, width) if text else _("hidden words")


def capitalized(text: str) -> str:
    """Makes the first letter of a text a capital letter, and leaves the other letters as they
    are.
    """
    return text[:1].upper() + text[1:]


def dotted(parts: Iterable[str]) -> str:
    """Joins parts into one line, with dots between them. Leaves out empty parts."""
    return " · ".join(part for part in parts if part)


# -- long lists -----------------------------------------------------------------------------------


def cut_note(count: int, way: str) -> str:
    """Says how many entries a list leaves out, and the way to find them. If the list is complete,
    returns an empty text.
    """
    return _("{n} more: {way}").format(n=count, way=way) if count > 0 else ""


def older_note(count: int) -> str:
    """Says how many older entries a list leaves out. If the list is complete, returns an empty
    text.
    """
    return cut_note(count, _("older, find them in Search"))


# -- people ---------------------------------------------------------------------------------------


def name(person: Person | None, me: str | None = None, width: int = 40) -> str:
    """Returns a person's name in at most `width` columns. If the person is the reader, whose id is
    `me`, returns "you".

    If somebody else has a name that is alike, a mark tells the two people apart (R-12.7c). If the
    person has left the neighbourhood, the text says so.
    """
    if person is None:
        return _("somebody")
    if me is not None and person.id == me:
        return _("you")
    marks = [person.mark and _(person.mark), _("left") if person.left else None]
    return safe_name(person.name, ", ".join(filter(None, marks)) or None, width)


def person_names(people: Iterable[Person], me: str | None = None) -> str:
    """Joins the names of several people with commas."""
    return ", ".join(name(person, me) for person in people)


def signer_names(view: Shown, me: str | None) -> str:
    """Returns the name of a record's author. If another person signed for the author, returns both
    names.
    """
    author = name(view.author, me)
    signer = view.person("by")
    if signer is None:
        return author
    return _("{by} for {who}").format(by=name(signer, me), who=author)


# -- values ---------------------------------------------------------------------------------------


def minutes(count: int | None) -> str:
    """Writes a number of minutes in everyday words. Returns an empty text for 0 and for None."""
    if not count:
        return ""
    hours, rest = divmod(abs(count), _HOUR)
    parts = [_("{n} h").format(n=hours)] if hours else []
    parts += [_("{n} min").format(n=rest)] if rest else []
    return ("−" if count < 0 else "") + " ".join(parts)


def signed_duration(count: int) -> str:
    """Writes a balance in everyday words, with a plus or minus sign. `count` is the balance in
    minutes.
    """
    if count == 0:
        return "0"
    sign = "+" if count > 0 else ""
    return sign + minutes(count)


def moment(text: str | None, clock: LocalClock) -> str:
    """Writes an ISO day or time in everyday words, as the clocks of the neighbourhood show it. Adds
    the hour if the value has one, and the year if the day is far away.
    """
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(clock.to_local(text))
    except ValueError:
        return safe_line(text, _MINUTE_CHARS)
    day = f"{labels.DAYS[at.weekday()]} {at.day} {labels.MONTHS[at.month - 1]}"
    if abs((at.date() - date.fromisoformat(clock.today)).days) > _FAR_DAYS:
        day += f" {at.year}"
    return day if len(text) == _DAY_CHARS else f"{day} {at:%H:%M}"


# -- views ----------------------------------------------------------------------------------------


def posted(answer: Mapping[str, object]) -> str:
    """Says what the node did when the reader posted something."""
    if Shown(answer).flag("already"):
        return _("It was so already, so nothing was posted.")
    return _("Posted.")


def title(view: Shown) -> str:
    """Returns the title to show for a view: its title, or else its name, its text or its kind.

    The text can be the title only if records of this kind must have a text.
    """
    declared = KINDS.get(view.kind)
    text_field = declared.fields.get("text") if declared else None
    text = view.text("text") if text_field and text_field.required else None
    called = view.text("title") or view.text("name") or text
    return safe_line(called or labels.kind(view.kind or _("unreadable")))


def history_line(entry: Shown, clock: LocalClock, me: str | None) -> str:
    """Writes a line of a thread's history: who did what, and when. If the record does not count,
    the line says why.
    """
    sentence = labels.happened(entry.kind)
    if sentence is None:
        sentence = "{who}: " + safe_line(entry.kind or _("something this home cannot read"))
    # `format` would fail here, because the name of an unknown kind may hold braces.
    sentence = sentence.replace("{who}", capitalized(signer_names(entry, me)))
    if not entry.flag("counted"):
        sentence += " " + _("(does not count: {why})").format(why=refusal_line(entry.row("note")))
    return f"{moment(entry.created, clock)}  {sentence}"


def refusal_line(note: Shown | None) -> str:
    """Says why a record does not count, with the rule that it breaks."""
    if note is None:
        return ""
    arguments = note.row("arguments")
    values = {name: arguments.text(name) for name in arguments.names} if arguments else {}
    return safe_line(f"{fill_in(_(note.text('text') or ''), values)} ({note.text('rule')})")


def code_in_words(code: str | None, arguments: Mapping[str, str] | None = None) -> str:
    """Returns the sentence for a code of the node, filled in with the arguments. If this program
    does not know the code, returns the code itself.
    """
    sentence = _(SENTENCES[code]) if code in SENTENCES else code or ""
    return safe_line(fill_in(sentence, arguments or {}))


def remark_in_words(remark: Shown) -> str:
    """Returns the sentence for a remark. A remark of the node is a code with arguments."""
    arguments = remark.row("arguments") or Shown({})
    values = {name: _argument_in_words(arguments, name) for name in arguments.names}
    return code_in_words(remark.text("code"), values)


def remarks_in_words(remarks: Iterable[Shown]) -> str:
    """Joins remarks that are parts of a sentence into one sentence."""
    text = "; ".join(remark_in_words(remark) for remark in remarks)
    return capitalized(text) + "." if text else ""


def sums(row: Shown) -> str:
    """Writes how much time a person gave and received, and their balance. If there were gifts, also
    writes how much time was given and received as gifts.
    """
    total = _("{given} given · {received} received · balance {balance}").format(
        given=minutes(row.number("given")) or "0",
        received=minutes(row.number("received")) or "0",
        balance=signed_duration(row.number("balance") or 0),
    )
    given = minutes(row.number("gifts_given"))
    received = minutes(row.number("gifts_received"))
    if not given and not received:
        return total
    gifts = _("As gifts: {given} given · {received} received")
    return total + "\n" + gifts.format(given=given or "0", received=received or "0")


def person(member: Shown, row: Shown | None, me: str | None) -> Card:
    """Makes the card of a member, with their balance and what they can give.

    `row` holds the member's hours.
    """
    hours = signed_duration(row.number("balance") or 0) if row else ""
    assets = ", ".join(safe_line(asset) for asset in member.texts("assets"))
    label = name(member.as_person())
    if member.id == me:
        label += " " + _("(you)")
    if member.flag("muted"):
        label += " " + _("(muted)")
    return Card(member.id, label, dotted([hours, assets]))


def _argument_in_words(arguments: Shown, argument: str) -> str:
    value = arguments.value(argument)
    if argument in _DURATIONS and isinstance(value, int):
        return minutes(value) or _("{n} min").format(n=0)
    if argument == "days" and isinstance(value, list):
        return ", ".join(labels.DAYS[day] for day in value if day in range(len(labels.DAYS)))
    if argument == "on":
        return _day_of_month(arguments.text(argument) or "")
    if people := arguments.people(argument):
        return person_names(people)
    if parts := arguments.rows(argument):
        return "; ".join(remark_in_words(part) for part in parts)
    somebody = arguments.person(argument)
    return safe_line(str(value)) if somebody is None else name(somebody)


def _day_of_month(text: str) -> str:
    try:
        day = date.fromisoformat(text[:_DAY_CHARS])
    except ValueError:
        return safe_line(text, _DAY_CHARS)
    return f"{day.day} {labels.MONTHS[day.month - 1]}"
