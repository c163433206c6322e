"""What a person can do in a thread now, and which of it waits for them. Pure: views in, acts out.

The node judges every act again when it is posted; this only says what is worth a button.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from protocol.schema import KINDS
from tui import telling
from tui.language import _

Shown = dict[str, Any]

_DAY_CHARS = len("2026-11-23")


@dataclass(frozen=True)
class Act:
    """A record that could be posted. `fields` are those the form asks for; None: all."""

    kind: str
    about: str | None
    label: str
    waits: bool = False  # somebody waits for it
    said: str = ""  # what it means, above the form
    fields: tuple[str, ...] | None = None
    given: dict[str, str] = field(default_factory=dict)  # what the form begins with
    fixed: dict[str, Any] = field(default_factory=dict)  # what is posted and not asked
    among: frozenset[str] | None = None  # the people to choose from, by id; None: everybody
    without: frozenset[str] = frozenset()  # and who of them is no choice
    rule: str = ""  # of the charter: the form asks for its new value

    @property
    def key(self) -> str:
        """Tells it from other acts, and what was typed into its form from what was typed into theirs.
        A list that is fixed is no part of it: the texts that a revision follows change meanwhile.
        """
        fixed = [f"{name}={one}" for name, one in self.fixed.items() if isinstance(one, str)]
        return ":".join([self.kind, self.about or "", self.rule, *(self.fields or ()), *fixed])


@dataclass(frozen=True)
class Case:
    """A thread as far as its acts need it."""

    root: Shown
    agreements: list[Shown]
    receipts: list[Shown]
    history: list[Shown] = field(default_factory=list)
    answers: list[Shown] = field(default_factory=list)  # messages, revisions; oldest first
    flags: list[Shown] = field(default_factory=list)  # what people say of words in it
    hides: list[Shown] = field(default_factory=list)
    term: Shown = field(default_factory=dict)  # who decides
    rules: Shown = field(default_factory=dict)  # the charter as it holds


def acts(case: Case, me: str | None, today: date) -> list[Act]:
    """What waits for `me` first, then what is possible."""
    if me is None or case.root.get("kind") not in {"request", "offer"}:
        return []
    found = [
        *_agreeing(case, me, today),
        *_receipts(case, me, today),
        *_responding(case, me),
        *_closing(case, me),
    ]
    return sorted(found, key=lambda act: not act.waits)


def waits_in(case: Case, me: str | None, today: date) -> list[Act]:
    """Only what waits for `me`."""
    return [act for act in acts(case, me, today) if act.waits]


def _agreeing(case: Case, me: str, today: date) -> Iterator[Act]:
    root = case.root
    if root["author"]["id"] != me or root["state"] not in {"open", "agreed"}:
        return
    for one in root["responses"]:
        if one["state"] != "waiting":
            continue
        who, terms = telling.name(one["author"]), telling.terms(one, today)
        said = _("With this, you and {who} have signed the same terms: {terms}.")
        yield Act(
            kind="agreement",
            about=one["id"],
            label=_("Agree with {who}").format(who=who) + (f": {terms}" if terms else ""),
            waits=True,
            said=said.format(who=who, terms=terms or _("none are named")),
            fields=(),
        )
        if "close" in KINDS:
            yield Act(
                kind="close",
                about=one["id"],
                label=_("Decline what {who} proposes").format(who=who),
                fixed={"as_state": "declined"},
                fields=("why",),
            )


def _receipts(case: Case, me: str, today: date) -> Iterator[Act]:
    for one in case.receipts:
        if one["state"] == "proposed" and one["author"]["id"] != me and me in _parties(one):
            said = _("{giver} gave {minutes} on {on}. Once you confirm, it counts for both of you.")
            yield Act(
                kind="confirm",
                about=one["id"],
                label=_("Confirm the receipt: {minutes}").format(
                    minutes=telling.minutes(one["minutes"])
                ),
                waits=True,
                said=said.format(
                    giver=telling.name(one["giver"]),
                    minutes=telling.minutes(one["minutes"]),
                    on=telling.moment(one["on"], today),
                ),
                fields=(),
            )
    for one in case.agreements:
        if one["state"] == "agreed" and me in _parties(one) and not _proposed(one):
            other = next(p for p in (one["giver"], one["receiver"]) if p["id"] != me)
            words = _("Write the receipt with {who}, once it is done")
            when = (one.get("when") or "")[:_DAY_CHARS]
            yield Act(
                kind="receipt",
                about=one["id"],
                label=words.format(who=telling.name(other)),
                waits=True,
                said=_("It counts once the other of you has confirmed it."),
                given={
                    "minutes": str(one.get("minutes") or ""),
                    "on": when if when and when <= today.isoformat() else today.isoformat(),
                },
            )


def _responding(case: Case, me: str) -> Iterator[Act]:
    root = case.root
    mine = [one for one in root["responses"] if one["author"]["id"] == me]
    tried = any(one["state"] in {"waiting", "accepted"} for one in mine)
    if root["author"]["id"] == me or root["state"] not in {"open", "agreed"} or tried:
        return
    asks = root["kind"] == "request"
    yield Act(
        kind="response",
        about=root["id"],
        label=_("I can do this") if asks else _("I would like this"),
        said=_("Propose your terms. Nothing is agreed until {who} says yes.").format(
            who=telling.name(root["author"])
        ),
        given={"minutes": str(root.get("minutes") or ""), "when": root.get("starts") or ""},
    )


def _closing(case: Case, me: str) -> Iterator[Act]:
    root = case.root
    live = [one for one in case.agreements if one["state"] != "cancelled"]
    if root["author"]["id"] != me or root["state"] != "open" or live:
        return
    if "close" in KINDS:
        yield Act(
            kind="close",
            about=root["id"],
            label=_("Withdraw this"),
            fixed={"as_state": "withdrawn"},
            fields=("why",),
        )
    elif "retract" in KINDS:
        yield Act(
            kind="retract",
            about=root["id"],
            label=_("Take this back"),
            said=_("Its words are erased at every home. That cannot be undone."),
            fields=(),
        )


def vouching(person: Shown) -> Act:
    """Saying yes to somebody who waits at the neighbourhood's door."""
    who = telling.name(person)
    return Act(
        kind="approve",
        about=person["id"],
        label=_("Vouch for {who}").format(who=who),
        said=_("You say that you know {who}, and that this is really them.").format(who=who),
        fields=(),
    )


def _parties(view: Shown) -> set[str]:
    return {view["giver"]["id"], view["receiver"]["id"]}


def _proposed(agreement: Shown) -> bool:
    return any(one["state"] == "proposed" for one in agreement["receipts"])
