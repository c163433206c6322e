"""Phrases and cards: the values and views of the local API, said in words.

Whatever a person wrote is made harmless here, and nowhere else: what leaves this module may go to any
widget, as `Content`, which knows no markup.
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
    """An entry of a list: a title and a line below it. `id`: of a record, or a word of the screen's own."""

    id: str
    title: str
    detail: str = ""
    quiet: bool = False  # nothing here needs the reader

    def content(self) -> Content:
        """The card as a list draws it, with people's words made harmless."""
        style = "" if self.quiet else "bold"
        # Not dim: on the highlight of most themes that would be too faint to read.
        detail = "\n" + safe_line(self.detail) if self.detail else ""
        return Content.assemble((safe_line(self.title) or "…", style), detail)


# -- text -----------------------------------------------------------------------------------------


def plain(text: object) -> Content:
    """Anybody's text, harmless, with its lines kept."""
    return Content(safe_text(str(text)))


def plain_line(text: object, width: int | None = None) -> Content:
    """Anybody's text, harmless, on one line. `width`: in columns."""
    return Content(safe_line(str(text), width))


def line_or_hidden(text: str | None, width: int | None = None) -> str:
    """A person's words on one line; None stands for hidden words."""
    return safe_line(text, width) if text else _("hidden words")


def capitalized(text: str) -> str:
    """The text with a capital first letter; the other letters stay as they are."""
    return text[:1].upper() + text[1:]


def dotted(parts: Iterable[str]) -> str:
    """The parts that are not empty, on one line, with dots between them."""
    return " · ".join(part for part in parts if part)


# -- people ---------------------------------------------------------------------------------------


def name(person: Shown | None, me: str | None = None) -> str:
    """A person's name; "you" for the reader. `me`: the reader's id."""
    if not person:
        return _("somebody")
    return _("you") if me is not None and person["id"] == me else safe_line(str(person["name"]), 40)


def person_names(people: Iterable[Shown], me: str | None = None) -> str:
    """The names of several people, with commas between them."""
    return ", ".join(name(person, me) for person in people)


def signer_names(view: Shown, me: str | None) -> str:
    """The author of a record; where somebody signed for another, both."""
    author = name(view["author"], me)
    if not view.get("by"):
        return author
    return _("{by} for {who}").format(by=name(view["by"], me), who=author)


# -- values ---------------------------------------------------------------------------------------


def minutes(count: int | None) -> str:
    """A number of minutes as people say it; nothing for 0 and None."""
    if not count:
        return ""
    hours, rest = divmod(abs(count), _HOUR)
    parts = [_("{n} h").format(n=hours)] if hours else []
    parts += [_("{n} min").format(n=rest)] if rest else []
    return ("−" if count < 0 else "") + " ".join(parts)


def signed_duration(count: int) -> str:
    """A balance in minutes, with its sign."""
    if count == 0:
        return "0"
    sign = "+" if count > 0 else ""
    return sign + minutes(count)


def counted_duration(receipt: Shown) -> str:
    """The minutes that count of a receipt: those of the last correction that both signed."""
    corrected = receipt.get("corrected")
    return minutes(receipt["minutes"] if corrected is None else corrected) or "0"


def moment(text: str | None, today: date) -> str:
    """An ISO day or time as people say it: local time, the hour if there is one, a far year."""
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
    """What a view is called: its title, its name, its words, or its kind."""
    text = view.get("text") if view["kind"] in {"pact", "message"} else None
    called = view.get("title") or view.get("name") or text
    called = called or labels.kind(view["kind"] or _("unreadable"))
    return safe_line(str(called))


def terms(view: Shown, today: date) -> str:
    """The terms of a response or an agreement: how long and when."""
    return dotted([minutes(view.get("minutes")), moment(view.get("when"), today)])


def thanks_line(thanks: Shown, me: str | None) -> str:
    """Who thanks whom, and for how many minutes."""
    who = capitalized(signer_names(thanks, me))
    sentence = _("{who} thanks {other}").format(who=who, other=name(thanks["person"], me))
    return dotted([sentence, minutes(thanks.get("minutes"))])


def history_line(entry: Shown, today: date, me: str | None) -> str:
    """A line of a thread's history: when, who did what, and why it does not count."""
    sentence = labels.HISTORY_SENTENCES.get(entry["kind"] or "")
    if sentence is None:
        sentence = "{who}: " + safe_line(entry["kind"] or _("something this home cannot read"))
    # Not `format`: the name of an unknown kind may hold braces.
    sentence = sentence.replace("{who}", capitalized(signer_names(entry, me)))
    if not entry["counted"]:
        sentence += " " + _("(does not count: {why})").format(why=safe_line(entry["note"] or ""))
    return f"{moment(entry['created'], today)}  {sentence}"


def sums(row: Shown) -> str:
    """What a person gave and received, their balance, and what of it were gifts."""
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
    """A request or an offer as a card."""
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
    """A view of any kind as a card, as search finds it."""
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
    """A person as a card: their balance and what they can give. `row`: their hours."""
    hours = signed_duration(row["balance"]) if row else ""
    assets = ", ".join(safe_line(asset) for asset in member.get("assets") or [])
    label = name(member)
    if member["id"] == me:
        label += " " + _("(you)")
    if member.get("muted"):
        label += " " + _("(muted)")
    return Card(member["id"], label, dotted([hours, assets]))
