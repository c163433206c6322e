"""Turns values and views from the local API into text and into cards, the entries of lists.

Only this module makes people's words safe for the terminal. It returns them as `Content`, which
ignores markup, so any widget can show them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from tui.format import labels
from tui.i18n import _, plural

Shown = dict[str, Any]  # a view, or another answer of the local API
Part = Content | str | tuple[str, str]  # a piece of a story: text, or text with its style

_HOUR = 60
_MINUTE_CHARS = len("2026-11-23T09:30")
_DAY_CHARS = len("2026-11-23")
_FAR_DAYS = 300


@dataclass(frozen=True)
class Card:
    """A card, which is an entry of a list: a title and a line below the title. `id` is the id of a
    record, or a word that the screen itself chose.
    """

    id: str
    title: str
    detail: str = ""
    quiet: bool = False  # true if the reader need not do anything here

    def content(self) -> Content:
        """Formats the card for a list. Makes people's words in it safe to show."""
        style = "" if self.quiet else "bold"
        # The detail is not dim: on the highlight of most themes, dim text is too faint to read.
        detail = "\n" + safe_line(self.detail) if self.detail else ""
        return Content.assemble((safe_line(self.title) or "…", style), detail)


# -- text -----------------------------------------------------------------------------------------


def plain(text: object) -> Content:
    """Makes any text safe to show, and keeps its line breaks."""
    return Content(safe_text(str(text)))


def plain_line(text: object, width: int | None = None) -> Content:
    """Makes any text safe to show, and puts it on one line of at most `width` columns."""
    return Content(safe_line(str(text), width))


def line_or_hidden(text: str | None, width: int | None = None) -> str:
    """Puts a person's words on one line. If `text` is None, the words are hidden, and the result
    says so.
    """
    return safe_line(text, width) if text else _("hidden words")


def capitalized(text: str) -> str:
    """Makes the first letter of a text a capital, and leaves the other letters as they are."""
    return text[:1].upper() + text[1:]


def dotted(parts: Iterable[str]) -> str:
    """Joins the parts that are not empty into one line, with dots between them."""
    return " · ".join(part for part in parts if part)


# -- people ---------------------------------------------------------------------------------------


def name(person: Shown | None, me: str | None = None) -> str:
    """Returns a person's name. If the person is the reader, whose id is `me`, returns "you"."""
    if not person:
        return _("somebody")
    return _("you") if me is not None and person["id"] == me else safe_line(str(person["name"]), 40)


def person_names(people: Iterable[Shown], me: str | None = None) -> str:
    """Joins the names of several people with commas."""
    return ", ".join(name(person, me) for person in people)


def signer_names(view: Shown, me: str | None) -> str:
    """Returns the name of a record's author. If another person signed for the author, returns both
    names.
    """
    author = name(view["author"], me)
    if not view.get("by"):
        return author
    return _("{by} for {who}").format(by=name(view["by"], me), who=author)


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
    """Writes a balance, a number of minutes, with a plus or minus sign."""
    if count == 0:
        return "0"
    sign = "+" if count > 0 else ""
    return sign + minutes(count)


def counted_duration(receipt: Shown) -> str:
    """Writes the minutes for which a receipt counts. If both parties signed corrections to it, the
    last correction counts.
    """
    corrected = receipt.get("corrected")
    return minutes(receipt["minutes"] if corrected is None else corrected) or "0"


def moment(text: str | None, today: date) -> str:
    """Writes an ISO day or time in everyday words and in local time. Adds the hour if the value has
    one, and the year if the day is far away.
    """
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return safe_line(text, _MINUTE_CHARS)
    if at.tzinfo is not None:
        at = at.astimezone()
    day = f"{labels.DAYS[at.weekday()]} {at.day} {labels.MONTHS[at.month - 1]}"
    if abs((at.date() - today).days) > _FAR_DAYS:
        day += f" {at.year}"
    return day if len(text) == _DAY_CHARS else f"{day} {at:%H:%M}"


# -- views ----------------------------------------------------------------------------------------


def title(view: Shown) -> str:
    """Returns the title to show for a view: its title, or else its name, its text or its kind."""
    text = view.get("text") if view["kind"] in {"pact", "message"} else None
    called = view.get("title") or view.get("name") or text
    called = called or labels.kind(view["kind"] or _("unreadable"))
    return safe_line(str(called))


def terms(view: Shown, today: date) -> str:
    """Writes the terms of a response or an agreement: how many minutes, and when."""
    return dotted([minutes(view.get("minutes")), moment(view.get("when"), today)])


def thanks_line(thanks: Shown, me: str | None) -> str:
    """Writes a line that says who thanks which person, and for how many minutes."""
    who = capitalized(signer_names(thanks, me))
    sentence = _("{who} thanks {other}").format(who=who, other=name(thanks["person"], me))
    return dotted([sentence, minutes(thanks.get("minutes"))])


def history_line(entry: Shown, today: date, me: str | None) -> str:
    """Writes a line of a thread's history: who did what, and when. If the record does not count,
    the line says why.
    """
    sentence = labels.HISTORY_SENTENCES.get(entry["kind"] or "")
    if sentence is None:
        sentence = "{who}: " + safe_line(entry["kind"] or _("something this home cannot read"))
    # `format` would fail here, because the name of an unknown kind may hold braces.
    sentence = sentence.replace("{who}", capitalized(signer_names(entry, me)))
    if not entry["counted"]:
        sentence += " " + _("(does not count: {why})").format(why=safe_line(entry["note"] or ""))
    return f"{moment(entry['created'], today)}  {sentence}"


def sums(row: Shown) -> str:
    """Writes how many hours a person gave and received, their balance, and how much of this was
    gifts.
    """
    total = _("{given} given · {received} received · balance {balance}").format(
        given=minutes(row["given"]) or "0",
        received=minutes(row["received"]) or "0",
        balance=signed_duration(row["balance"]),
    )
    given = minutes(row["gifts_given"])
    received = minutes(row["gifts_received"])
    if not given and not received:
        return total
    gifts = _("As gifts: {given} given · {received} received")
    return total + "\n" + gifts.format(given=given or "0", received=received or "0")


# -- cards ----------------------------------------------------------------------------------------


def intent(view: Shown, today: date, me: str | None) -> Card:
    """Makes the card of a request or an offer."""
    waiting = sum(response["state"] == "waiting" for response in view.get("responses") or [])
    parts = [
        signer_names(view, me),
        minutes(view.get("minutes")),
        moment(view.get("starts"), today),
        labels.state(view["state"]) if view["state"] != "open" else "",
        plural("{n} response", "{n} responses", waiting).format(n=waiting) if waiting else "",
        safe_line(view.get("area") or "", 20),
    ]
    quiet = view["state"] not in {"open", "agreed"}
    return Card(view["id"], title(view), dotted(parts), quiet)


def any_view(view: Shown, today: date, me: str | None) -> Card:
    """Makes a card of a view of any kind, for the results of a search."""
    if view["kind"] in {"request", "offer"}:
        card = intent(view, today, me)
        detail = f"{labels.kind(view['kind'])} · {card.detail}"
        return Card(card.id, card.title, detail, card.quiet)
    if view["kind"] == "thanks":
        return Card(view["id"], thanks_line(view, me), safe_line(view.get("text") or ""))
    kind = labels.kind(view["kind"])
    parts = [kind, signer_names(view, me), moment(view["created"], today)]
    return Card(view["id"], title(view), dotted(parts))


def person(member: Shown, row: Shown | None, me: str | None) -> Card:
    """Makes the card of a member, with their balance and what they can give. `row` holds the
    member's hours.
    """
    hours = signed_duration(row["balance"]) if row else ""
    assets = ", ".join(safe_line(asset) for asset in member.get("assets") or [])
    label = name(member)
    if member["id"] == me:
        label += " " + _("(you)")
    if member.get("muted"):
        label += " " + _("(muted)")
    return Card(member["id"], label, dotted([hours, assets]))
