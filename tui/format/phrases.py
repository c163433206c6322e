"""Views told in words. Whatever a person wrote is made harmless here, and nowhere else: what leaves
this module may go to any widget, as `Content`, which knows no markup.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from tui.format import vocabulary as words
from tui.i18n import _, plural

Shown = dict[str, Any]

_HOUR = 60
_MINUTE_CHARS = len("2026-11-23T09:30")
_DAY_CHARS = len("2026-11-23")
_FAR_DAYS = 300


@dataclass(frozen=True)
class Card:
    """Two lines about one thing; `id` is the record's, or a word of the screen's own."""

    id: str
    title: str
    detail: str = ""
    quiet: bool = False

    def content(self) -> Content:
        """The card for a list: the only way from a person's words into one. The detail is not
        dim: on the highlight of most themes that would be too faint to read.
        """
        style = "" if self.quiet else "bold"
        detail = "\n" + line(self.detail) if self.detail else ""
        return Content.assemble((line(self.title) or "…", style), detail)


def plain(text: object) -> Content:
    """Anybody's text, harmless, with its lines kept."""
    return Content(safe(str(text)))


def plain_line(text: object, width: int | None = None) -> Content:
    """Anybody's text, harmless, on one line."""
    return Content(line(str(text), width))


def spoken(text: str | None, width: int | None = None) -> str:
    """What somebody said, on one line, unless it is hidden."""
    return line(text, width) if text else _("hidden words")


def name(person: Shown | None, me: str | None = None) -> str:
    """A person's name; "you" for this home's own."""
    if not person:
        return _("somebody")
    return _("you") if me is not None and person["id"] == me else line(str(person["name"]), 40)


def minutes(count: int | None) -> str:
    """A duration as people say it."""
    if not count:
        return ""
    hours, rest = divmod(abs(count), _HOUR)
    parts = [_("{n} h").format(n=hours)] if hours else []
    parts += [_("{n} min").format(n=rest)] if rest else []
    return ("−" if count < 0 else "") + " ".join(parts)


def balance(count: int) -> str:
    """A balance with its sign."""
    return "0" if count == 0 else ("+" if count > 0 else "") + minutes(count)


def counted(receipt: Shown) -> str:
    """The minutes that count of a receipt: those of the last correction that both signed."""
    right = receipt.get("corrected")
    return minutes(receipt["minutes"] if right is None else right) or "0"


def gift(view: Shown, me: str | None) -> str:
    """Who thanks whom, and for how long."""
    thanks = _("{who} thanks {other}")
    who = signers(view, me)
    told = thanks.format(who=who[:1].upper() + who[1:], other=name(view["person"], me))
    return _dotted([told, minutes(view.get("minutes"))])


def moment(text: str | None, today: date) -> str:
    """A day, and the hour where there is one; the year where it is far away. UTC becomes local."""
    if not text:
        return ""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return line(text, _MINUTE_CHARS)
    if at.tzinfo is not None:
        at = at.astimezone()
    told = f"{words.DAYS[at.weekday()]} {at.day} {words.MONTHS[at.month - 1]}"
    if abs((at.date() - today).days) > _FAR_DAYS:
        told += f" {at.year}"
    return told if len(text) == _DAY_CHARS else f"{told} {at:%H:%M}"


def intent(view: Shown, today: date, me: str | None) -> Card:
    """A request or an offer."""
    responses = view.get("responses") or []
    waiting = sum(one["state"] == "waiting" for one in responses)
    parts = [
        signers(view, me),
        minutes(view.get("minutes")),
        moment(view.get("starts"), today),
        words.state(view["state"]) if view["state"] != "open" else "",
        plural("{n} response", "{n} responses", waiting).format(n=waiting) if waiting else "",
        line(view.get("area") or "", 20),
    ]
    quiet = view["state"] not in {"open", "agreed"}
    return Card(view["id"], title(view), _dotted(parts), quiet)


def signers(one: Shown, me: str | None) -> str:
    """Who says it; where somebody signed for another, both."""
    who = name(one["author"], me)
    if not one.get("by"):
        return who
    return _("{by} for {who}").format(by=name(one["by"], me), who=who)


def any_view(view: Shown, today: date, me: str | None) -> Card:
    """A view of any kind, as search finds it."""
    if view["kind"] in {"request", "offer"}:
        card = intent(view, today, me)
        return Card(card.id, card.title, f"{words.kind(view['kind'])} · {card.detail}", card.quiet)
    if view["kind"] == "thanks":
        return Card(view["id"], gift(view, me), line(view.get("text") or ""))
    parts = [words.kind(view["kind"]), signers(view, me), moment(view["created"], today)]
    return Card(view["id"], title(view), _dotted(parts))


def title(view: Shown) -> str:
    """What a view is called."""
    spoken = view.get("text") if view["kind"] in {"pact", "message"} else None
    named = view.get("title") or view.get("name") or spoken
    named = named or words.kind(view["kind"] or _("unreadable"))
    return line(str(named))


def person(one: Shown, row: Shown | None, me: str | None) -> Card:
    """Somebody and what they have given and received."""
    gives = ", ".join(line(each) for each in one.get("assets") or [])
    hours = balance(row["balance"]) if row else ""
    told = name(one) + (" " + _("(you)") if one["id"] == me else "")
    told += " " + _("(muted)") if one.get("muted") else ""
    return Card(one["id"], told, _dotted([hours, gives]))


def sums(row: Shown) -> str:
    """What somebody gave and received, and what was a gift."""
    told = _("{given} given · {received} received · balance {balance}").format(
        given=minutes(row["given"]) or "0",
        received=minutes(row["received"]) or "0",
        balance=balance(row["balance"]),
    )
    gave, got = minutes(row["gifts_given"]), minutes(row["gifts_received"])
    if gave or got:
        gifts = _("As gifts: {given} given · {received} received")
        told += "\n" + gifts.format(given=gave or "0", received=got or "0")
    return told


def terms(view: Shown, today: date) -> str:
    """How long and when."""
    return _dotted([minutes(view.get("minutes")), moment(view.get("when"), today)])


def happened(one: Shown, today: date, me: str | None) -> str:
    """A line of a thread's history."""
    who = signers(one, me)
    known = words.HAPPENED.get(one["kind"] or "")
    said = known or "{who}: " + line(one["kind"] or _("something this home cannot read"))
    told = said.replace("{who}", who[:1].upper() + who[1:])
    if not one["counted"]:
        told += " " + _("(does not count: {why})").format(why=line(one["note"] or ""))
    return f"{moment(one['created'], today)}  {told}"


def _dotted(parts: list[str]) -> str:
    return " · ".join(part for part in parts if part)
