"""Puts the charter's rules into words, with their units. All functions here are pure."""

from collections.abc import Callable

from protocol.display_text import safe_line
from protocol.fold.registry import KINDS
from protocol.local_clock import LocalClock
from protocol.schema.fields import Field
from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.node.shown import Shown, read_person

ADMIT = "admit"
_CHARTER = "charter"

_LABELS = {
    "name": _("Name"),
    "moderators": _("Moderators"),
    "vouchers": _("To join you need"),
    "share": _("Decisions take"),
    "room": _("A voter has room for"),
    "answer_days": _("Time to answer"),
    "settle_hours": _("Results are final after"),
    "smallest_group": _("Answers shown"),
    "credit_low": _("Lowest balance advised"),
    "credit_high": _("Highest balance advised"),
    "quota_records": _("Device limit"),
    "quota_bytes": _("Device size limit"),
    "offset": _("Measures count days by"),
    "timezone": _("Time zone"),
    "lang": _("Names sorted as in"),
    "review": _("Rules reviewed"),
}
_UNITS: dict[str, Callable[[int], str]] = {
    "vouchers": lambda n: plural("{n} neighbour", "{n} neighbours", n).format(n=n),
    "share": lambda n: _("over {n} % yes").format(n=n),
    "room": lambda n: plural("{n} newcomer", "{n} newcomers", n).format(n=n),
    "answer_days": lambda n: plural("{n} day", "{n} days", n).format(n=n),
    "settle_hours": lambda n: plural("{n} hour", "{n} hours", n).format(n=n),
    "smallest_group": lambda n: plural("if {n} person answers", "if {n} people answer", n).format(
        n=n
    ),
    "credit_low": phrases.signed_duration,
    "credit_high": phrases.signed_duration,
    "quota_records": lambda n: plural("{n} record a day", "{n} records a day", n).format(n=n),
    "quota_bytes": lambda n: _("{n} KiB a day").format(n=n // 1024),
    "offset": lambda n: _("UTC {hours}").format(hours=phrases.signed_duration(n) if n else ""),
}


def rule_cards(rules: Shown, clock: LocalClock) -> list[Card]:
    """Makes a card for each rule of the charter. Rules that have no label here come last, sorted by
    name.
    """
    declared = KINDS[_CHARTER].fields
    unlabelled = [rule for rule in declared if rule not in _LABELS and rule != "founders"]
    return [
        Card(rule, rule_line(rule, rules.value(rule), clock), quiet=True)
        for rule in [*_LABELS, *unlabelled]
    ]


def rule_line(rule: str, value: object, clock: LocalClock) -> str:
    """Writes a rule's label and its value on one line."""
    return f"{rule_label(rule)}: {rule_value(rule, value, clock)}"


def rule_label(rule: str) -> str:
    """Returns the label that the screen shows for a rule."""
    return _LABELS.get(rule) or safe_line(rule.replace("_", " ")).capitalize()


def field_of(rule: str) -> Field:
    """Returns the field of the charter that holds a rule."""
    return KINDS[_CHARTER].fields[rule]


def rule_value(rule: str, value: object, clock: LocalClock) -> str:
    """Writes the value of a rule, with its unit."""
    if value in (None, "", []):
        return _("not set")
    if isinstance(value, list):
        people = [person for person in map(read_person, value) if person is not None]
        return phrases.person_names(people)
    if isinstance(value, int):
        return _UNITS.get(rule, str)(value)
    text = str(value)
    return phrases.moment(text, clock) if rule == "review" else safe_line(text, 80)
