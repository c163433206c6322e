"""The charter's rules in words, with their units, and the change of one. Pure."""

from collections.abc import Callable
from datetime import date
from typing import Any

from protocol.authority.terms import BY_RENEWAL
from protocol.display_text import line
from protocol.fold.kind import KINDS
from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.next_steps import Act

Shown = dict[str, Any]

_LABELS = {
    "name": _("Name"),
    "moderators": _("Moderators"),
    "vouchers": _("Vouching takes"),
    "share": _("Decisions take"),
    "admissions_a_month": _("Newcomers a voucher"),
    "answer_days": _("Time to answer"),
    "settle_hours": _("Time to settle"),
    "smallest_group": _("Answers shown"),
    "credit_low": _("Lowest balance advised"),
    "credit_high": _("Highest balance advised"),
    "quota_records": _("Limit a device"),
    "quota_bytes": _("Size limit a device"),
    "offset": _("Days begin by"),
    "timezone": _("Time zone"),
    "review": _("Looked at again"),
}
_UNITS: dict[str, Callable[[int], str]] = {
    "vouchers": lambda n: plural("{n} neighbour", "{n} neighbours", n).format(n=n),
    "share": lambda n: _("over {n} % yes").format(n=n),
    "admissions_a_month": lambda n: _("{n} a month").format(n=n),
    "answer_days": lambda n: plural("{n} day", "{n} days", n).format(n=n),
    "settle_hours": lambda n: plural("{n} hour", "{n} hours", n).format(n=n),
    "smallest_group": lambda n: plural("from {n} person on", "from {n} people on", n).format(n=n),
    "credit_low": telling.signed_duration,
    "credit_high": telling.signed_duration,
    "quota_records": lambda n: plural("{n} record a day", "{n} records a day", n).format(n=n),
    "quota_bytes": lambda n: _("{n} KiB a day").format(n=n // 1024),
    "offset": lambda n: _("UTC {hours}").format(hours=telling.signed_duration(n) if n else ""),
}


def cards(rules: Shown, today: date) -> list[Card]:
    """A line a rule; those of a later version by their names."""
    declared = KINDS["charter"].fields
    names = [*_LABELS, *(one for one in declared if one not in _LABELS and one != "founders")]
    return [Card(one, told(one, rules.get(one), today), quiet=True) for one in names]


def told(rule: str, value: Any, today: date) -> str:
    """A rule and its value, on one line."""
    return f"{label(rule)}: {in_words(rule, value, today)}"


def label(rule: str) -> str:
    """What a rule is called."""
    return _LABELS.get(rule) or line(rule.replace("_", " ")).capitalize()


def in_words(rule: str, value: Any, today: date) -> str:
    """A rule's value with its unit."""
    if value in (None, "", []):
        return _("not said")
    if rule == "moderators" and isinstance(value, list):
        return ", ".join(telling.name(one) for one in value)
    if isinstance(value, int):
        return _UNITS.get(rule, str)(value)
    return telling.moment(value, today) if rule == "review" else line(str(value), 80)


def change(rule: str, rules: Shown, term: Shown, today: date) -> Act | None:
    """Proposing a new value for a rule; None where only a renewal changes it."""
    if rule in BY_RENEWAL:
        return None
    value = rules.get(rule)
    said = _(
        "{name} is now: {value}. It changes once over {share} % of the roll say yes. A proposal "
        "cannot be taken back; what it changes can be decided anew."
    )
    return Act(
        kind="proposal",
        about=None,
        label=_("Propose a change: {rule}").format(rule=label(rule)),
        said=said.format(
            name=label(rule), value=in_words(rule, value, today), share=term.get("share")
        ),
        fields=("title", "text", "closes"),
        given={"new": "" if value is None else str(value), "title": label(rule)},
        rule=rule,
    )
