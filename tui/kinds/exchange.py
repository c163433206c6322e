"""Shows a request or an offer with its responses, agreements, receipts and hours. All functions
here are pure.

Kinds that have no module of their own also use the text and the history from this module.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from protocol.fold.kind import KINDS
from tui.format import labels, phrases
from tui.format.phrases import Part, Shown
from tui.i18n import _
from tui.kinds.exchange_steps import addressee
from tui.kinds.thread_data import ThreadData

# These fields have a sentence of their own in a story, or are of no use to a reader.
_FIELDS_TOLD_APART = {
    *("id", "kind", "author", "created", "state", "about", "history", "responses", "title", "text"),
    *("minutes", "starts", "area", "tags", "lang"),
}


def exchange_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Describes an exchange from its beginning: what somebody asks or offers, who responded, and
    what the parties signed.
    """
    return Content.assemble(*_story_parts(thread, today, me))


def balance_story(row: Shown, today: date) -> Content:
    """Describes a person's hours: first how much they gave and received, then each receipt, newest
    first.
    """
    parts: list[Part] = [(_("Hours"), "bold"), "\n", phrases.sums(row)]
    if not row["history"]:
        parts += ["\n", _("No hours are confirmed yet.")]
    for entry in reversed(row["history"]):
        parts += ["\n", _hours_line(entry, today)]
    return Content.assemble(*parts)


def thread_history(thread: ThreadData, today: date, me: str | None) -> Content:
    """Lists what people did in a thread, one line for each record. Leaves out records that software
    signed without a person.
    """
    entries = [entry for entry in thread.history if not entry.get("automatic")]
    return Content("\n").join(Content(phrases.history_line(entry, today, me)) for entry in entries)


def form_fields_of(view: Shown) -> dict[str, str]:
    """Returns the fields of a view as texts, so that a form can begin with these values."""
    kind = KINDS.get(view.get("kind") or "")
    values = {}
    for field in kind.fields if kind else ():
        value = view.get(field)
        if isinstance(value, list):
            values[field] = ", ".join(str(element) for element in value)
        elif value is not None:
            values[field] = str(value)
    return values


# -- the root -------------------------------------------------------------------------------------


def _story_parts(thread: ThreadData, today: date, me: str | None) -> Iterator[Part]:
    root = thread.root
    yield (phrases.title(root), "bold")
    yield "\n"
    yield _first_line(root, today, me)
    if root.get("tags"):
        yield "\n"
        yield (" ".join("#" + safe_line(tag) for tag in root["tags"]), "dim")
    if root.get("text"):
        yield "\n\n"
        yield safe_text(root["text"]).strip()
    yield from _field_parts(root, today)
    for response in root.get("responses") or []:
        yield "\n\n"
        yield from _response_parts(root, response, today, me)
    for agreement in thread.agreements:
        yield "\n\n"
        yield _agreement_line(agreement, today, me)
        yield from _address_parts(agreement.get("address"), me)
    for receipt in thread.receipts:
        yield "\n"
        yield _receipt_lines(receipt, today, me)
        for correction in thread.corrections:
            if correction["about"] == receipt["id"]:
                yield "\n"
                yield _correction_lines(correction, me)


def _first_line(root: Shown, today: date, me: str | None) -> str:
    kind = root["kind"]
    if kind == "thanks":
        return phrases.thanks_line(root, me)
    who = phrases.name(root["author"], me)
    if kind not in {"request", "offer"}:
        return f"{labels.kind(kind or _('unreadable'))} · {who}"
    if who == phrases.name(root["author"]):
        sentence = _("{who} asks") if kind == "request" else _("{who} offers")
    else:
        sentence = _("You ask") if kind == "request" else _("You offer")
    parts = [
        sentence.format(who=who),
        phrases.minutes(root.get("minutes")),
        phrases.moment(root.get("starts"), today),
        safe_line(root.get("area") or ""),
        labels.state(root["state"]),
    ]
    return phrases.dotted(parts)


def _field_parts(root: Shown, today: date) -> Iterator[Part]:
    """Yields the fields that the rest of the text does not mention, each with its label."""
    told_apart = _FIELDS_TOLD_APART
    if root["kind"] == "thanks":
        told_apart = told_apart | {"person"}
    for field, value in root.items():
        if field not in told_apart and value not in (None, "", []):
            yield "\n"
            yield (labels.field(field) + ": ", "dim")
            yield _value_text(value, today)


def _value_text(value: Any, today: date) -> str:
    if isinstance(value, dict):
        return phrases.name(value) if "name" in value else _("something newer")
    if isinstance(value, list):
        return ", ".join(_value_text(element, today) for element in value)
    return safe_text(str(value))


# -- responses and agreements ---------------------------------------------------------------------


def _response_parts(root: Shown, response: Shown, today: date, me: str | None) -> Iterator[Part]:
    terms = phrases.terms(response, today)
    if response["about"] == root["id"]:
        sentence = _("{who} proposed: {terms}") if terms else _("{who} responded")
    else:
        sentence = _("{who} proposed instead: {terms}") if terms else _("{who} asked to talk first")
    who = phrases.capitalized(phrases.name(response["author"], me))
    is_answered = any(other["about"] == response["id"] for other in root["responses"])
    if is_answered and response["state"] == "declined":
        state = _("answered with other terms")
    else:
        state = _standing(response, addressee(root, response), me)
    yield sentence.format(who=who, terms=terms)
    yield (f" · {state}", "dim")
    if response.get("text"):
        yield f"\n{_quoted(response['text'])}"


def _agreement_line(agreement: Shown, today: date, me: str | None) -> str:
    giver = phrases.name(agreement["giver"])
    receiver = phrases.name(agreement["receiver"])
    if me == agreement["giver"]["id"]:
        sentence = _("Agreed: you help {who}").format(who=receiver)
    elif me == agreement["receiver"]["id"]:
        sentence = _("Agreed: {who} helps you").format(who=giver)
    else:
        sentence = _("Agreed: {giver} helps {receiver}").format(giver=giver, receiver=receiver)
    terms = phrases.terms(agreement, today)
    return phrases.dotted([sentence, terms, _standing(agreement, None, me)])


def _address_parts(address: Shown | None, me: str | None) -> Iterator[Part]:
    if not address:
        return
    who = phrases.name(address["from"])
    is_mine = phrases.name(address["from"], me) != who
    whose = _("The address that you gave") if is_mine else _("The address of {who}")
    until = _("kept here") if address["kept"] else _("here until the agreement is over")
    yield "\n"
    yield (f"{whose.format(who=who)} · {until}", "dim")
    yield f"\n{safe_text(address['text']).strip()}"


# -- receipts -------------------------------------------------------------------------------------


def _receipt_lines(receipt: Shown, today: date, me: str | None) -> str:
    parts = [
        _("Receipt: {minutes} on {on}").format(
            minutes=phrases.minutes(receipt["minutes"]), on=phrases.moment(receipt["on"], today)
        )
    ]
    if receipt.get("corrected") is not None:
        corrected = phrases.counted_duration(receipt)
        parts.append(_("corrected to {minutes}").format(minutes=corrected))
    if receipt.get("duplicate"):
        parts.append(_("a second receipt for the same hour; it does not count"))
    parts.append(_standing(receipt, _other_party(receipt), me))
    note = f"\n{_quoted(receipt['note'])}" if receipt.get("note") else ""
    return " · ".join(parts) + note


def _correction_lines(correction: Shown, me: str | None) -> str:
    sentence = _("{who} proposed a correction: {minutes}").format(
        who=phrases.signer_names(correction, me),
        minutes=phrases.minutes(correction["minutes"]) or "0",
    )
    standing = _standing(correction, _other_party(correction), me)
    why = f"\n{_quoted(correction['why'])}" if correction.get("why") else ""
    return f"{sentence} · {standing}{why}"


def _other_party(record: Shown) -> Shown:
    """Returns the party who did not write this receipt or correction."""
    author_gives = record["giver"]["id"] == record["author"]["id"]
    party: Shown = record["receiver"] if author_gives else record["giver"]
    return party


def _standing(record: Shown, awaited: Shown | None, me: str | None) -> str:
    """Returns the state of a record in words, with the reason if its signer gave one. If the record
    waits for the person `awaited`, names that person instead.
    """
    if record["state"] in {"waiting", "proposed"} and awaited:
        if awaited["id"] == me:
            return _("your turn")
        return _("waits for {who}").format(who=phrases.name(awaited))
    state = labels.state(record["state"])
    return f"{state}: “{safe_line(record['why'])}”" if record.get("why") else state


def _hours_line(entry: Shown, today: date) -> str:
    direction = _("for {who}") if entry["minutes"] >= 0 else _("from {who}")
    minutes = phrases.signed_duration(entry["minutes"])
    parts = [
        phrases.moment(entry["on"], today),
        minutes + " " + direction.format(who=phrases.name(entry["person"])),
        {"correction": _("corrected"), "thanks": _("a gift")}.get(entry["kind"], ""),
        _("balance {balance}").format(balance=phrases.signed_duration(entry["balance"])),
    ]
    return phrases.dotted(parts)


def _quoted(text: str) -> str:
    return f"“{safe_text(text).strip()}”"
