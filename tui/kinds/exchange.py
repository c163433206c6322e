"""A thread told from its beginning: what is asked or offered, who would, what was signed."""

from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from protocol.fold.kind import KINDS
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.i18n import _
from tui.kinds.exchange_steps import answers
from tui.kinds.thread_data import Case

Shown = dict[str, Any]

# Told in sentences of their own, or of no use to a reader.
_TOLD = {
    *("id", "kind", "author", "created", "state", "about", "history", "responses", "title", "text"),
    *("minutes", "starts", "area", "tags", "lang"),
}


def story(case: Case, today: date, me: str | None) -> Content:
    """The whole of it, for one pane."""
    root = case.root
    parts: list[Content | str | tuple[str, str]] = [(telling.title(root), "bold"), "\n"]
    parts += [_first_line(root, today, me)]
    if root.get("tags"):
        parts += ["\n", (" ".join("#" + line(tag) for tag in root["tags"]), "dim")]
    if root.get("text"):
        parts += ["\n\n", safe(root["text"]).strip()]
    told = _TOLD | {"person"} if root["kind"] == "thanks" else _TOLD
    for field, value in root.items():
        if field not in told and value not in (None, "", []):
            parts += ["\n", (words.field(field) + ": ", "dim"), _value(value, today)]
    for one in root.get("responses") or []:
        parts += ["\n\n", *_response(root, one, today, me)]
    for one in case.agreements:
        parts += ["\n\n", _agreement(one, today, me), *_address(one.get("address"), me)]
    for one in case.receipts:
        parts += ["\n", _receipt(one, today, me)]
        about = [each for each in case.corrections if each["about"] == one["id"]]
        parts += [_correction(each, me) for each in about]
    return Content.assemble(*parts)


def hours(row: Shown, today: date) -> Content:
    """What a person gave and received, the newest first."""
    parts: list[str | tuple[str, str]] = [(_("Hours"), "bold"), "\n", telling.sums(row)]
    if not row["history"]:
        parts += ["\n", _("Nothing is signed by two yet.")]
    for one in reversed(row["history"]):
        gave = _("for {who}") if one["minutes"] >= 0 else _("from {who}")
        what = {"correction": _("corrected"), "thanks": _("a gift")}.get(one["kind"], "")
        told = [
            telling.moment(one["on"], today),
            telling.signed_duration(one["minutes"])
            + " "
            + gave.format(who=telling.name(one["person"])),
            what,
            _("balance {balance}").format(balance=telling.signed_duration(one["balance"])),
        ]
        parts += ["\n", " · ".join(part for part in told if part)]
    return Content.assemble(*parts)


def history(case: Case, today: date, me: str | None) -> Content:
    """What people did, a line a record; what software signed by itself is left out."""
    done = [one for one in case.history if not one.get("automatic")]
    return Content("\n").join(Content(telling.history_line(one, today, me)) for one in done)


def _first_line(root: Shown, today: date, me: str | None) -> str:
    who = telling.name(root["author"], me)
    kind = root["kind"]
    if kind == "thanks":
        return telling.thanks_line(root, me)
    if kind not in {"request", "offer"}:
        return f"{words.kind(kind or _('unreadable'))} · {who}"
    if who == telling.name(root["author"]):
        verb = _("{who} asks") if kind == "request" else _("{who} offers")
    else:
        verb = _("You ask") if kind == "request" else _("You offer")
    parts = [
        verb.format(who=who),
        telling.minutes(root.get("minutes")),
        telling.moment(root.get("starts"), today),
        line(root.get("area") or ""),
        words.state(root["state"]),
    ]
    return " · ".join(part for part in parts if part)


def _response(root: Shown, one: Shown, today: date, me: str | None) -> list[str | tuple[str, str]]:
    terms = telling.terms(one, today)
    would = _("{who} would: {terms}") if terms else _("{who} would")
    if one["about"] != root["id"]:
        would = _("{who} would rather: {terms}") if terms else _("{who} would rather talk")
    who = telling.name(one["author"], me)
    told = would.format(who=who[:1].upper() + who[1:], terms=terms)
    state = _stands(one, answers(root, one), me)
    if any(each["about"] == one["id"] for each in root["responses"]) and one["state"] == "declined":
        state = _("answered with other terms")
    parts: list[str | tuple[str, str]] = [told, (f" · {state}", "dim")]
    if one.get("text"):
        parts += [f"\n“{safe(one['text']).strip()}”"]
    return parts


def _agreement(one: Shown, today: date, me: str | None) -> str:
    giver, receiver = telling.name(one["giver"]), telling.name(one["receiver"])
    if me == one["giver"]["id"]:
        told = _("Agreed: you give to {who}").format(who=receiver)
    elif me == one["receiver"]["id"]:
        told = _("Agreed: {who} gives to you").format(who=giver)
    else:
        told = _("Agreed: {giver} gives to {receiver}").format(giver=giver, receiver=receiver)
    stands = _stands(one, None, me)
    return " · ".join(part for part in (told, telling.terms(one, today), stands) if part)


def _address(one: Shown | None, me: str | None) -> list[str | tuple[str, str]]:
    if not one:
        return []
    mine = telling.name(one["from"], me) != telling.name(one["from"])
    whose = _("The address that you gave") if mine else _("The address of {who}")
    until = _("kept here") if one["kept"] else _("here until the agreement is over")
    head = whose.format(who=telling.name(one["from"])) + f" · {until}"
    return ["\n", (head, "dim"), f"\n{safe(one['text']).strip()}"]


def _receipt(one: Shown, today: date, me: str | None) -> str:
    told = _("Receipt: {minutes} on {on}").format(
        minutes=telling.minutes(one["minutes"]), on=telling.moment(one["on"], today)
    )
    note = f"\n“{safe(one['note']).strip()}”" if one.get("note") else ""
    if one.get("corrected") is not None:
        told += " · " + _("corrected to {minutes}").format(minutes=telling.counted_duration(one))
    if one.get("duplicate"):
        told += " · " + _("a second one of the same hour, which does not count")
    return f"{told} · {_stands(one, _other_party(one), me)}{note}"


def _correction(one: Shown, me: str | None) -> str:
    told = _("{who} would correct it: {minutes}").format(
        who=telling.signer_names(one, me), minutes=telling.minutes(one["minutes"]) or "0"
    )
    why = f"\n“{safe(one['why']).strip()}”" if one.get("why") else ""
    return f"\n{told} · {_stands(one, _other_party(one), me)}{why}"


def _other_party(one: Shown) -> Shown:
    """Who did not write a receipt or a correction."""
    giver, receiver = one["giver"], one["receiver"]
    found: Shown = receiver if giver["id"] == one["author"]["id"] else giver
    return found


def _stands(one: Shown, waits_for: Shown | None, me: str | None) -> str:
    """The state; for whom it waits, or why somebody said no."""
    if one["state"] in {"waiting", "proposed"} and waits_for:
        return _("waits for {who}").format(who=telling.name(waits_for, me))
    state = words.state(one["state"])
    return f"{state}: “{line(one['why'])}”" if one.get("why") else state


def _value(value: Any, today: date) -> str:
    if isinstance(value, dict):
        return telling.name(value) if "name" in value else _("something newer")
    if isinstance(value, list):
        return ", ".join(_value(one, today) for one in value)
    return safe(str(value))


def fields_of(view: Shown) -> dict[str, str]:
    """A view's own fields as a form begins with them."""
    kind = KINDS.get(view.get("kind") or "")
    found = {}
    for field in kind.fields if kind else ():
        value = view.get(field)
        if isinstance(value, list):
            found[field] = ", ".join(str(one) for one in value)
        elif value is not None:
            found[field] = str(value)
    return found
