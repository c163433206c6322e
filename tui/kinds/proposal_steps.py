"""What begins a decision: a proposal, a renewal, a moderator's removal. Pure."""

from typing import Any

from protocol.authority.registers import COUNCIL, enough
from tui.format import phrases as telling
from tui.i18n import _
from tui.kinds.next_steps import Act

Shown = dict[str, Any]

MAJORITY = 50  # percent that a renewal exceeds of the roll, and moderators of themselves


def renewing(term: Shown) -> Act:
    """Beginning the next term."""
    return Act(
        kind="renewal",
        about=None,
        label=_("Renew who votes and moderates"),
        said=_(
            "A renewal lets everybody who was let in vote from then on, names the moderators, and "
            "keeps all rules and decisions. It holds once more than half of the roll say yes, which "
            "you do with it. That cannot be taken back, but renewed again."
        ),
        fields=("title", "moderators", "vouchers", "share"),
        given={
            "moderators": ", ".join(sorted(ids(term.get("moderators")))),
            "vouchers": str(term.get("vouchers", "")),
            "share": str(term.get("share", "")),
        },
    )


def asking(change_words: str, label: str, heading: str) -> Act:
    """Proposing a change that has no value to fill in."""
    return Act(
        kind="proposal",
        about=None,
        label=label,
        said=_(
            "Everybody on the roll votes. It holds once enough say yes. A proposal cannot be taken "
            "back, and a yes stands."
        ),
        fields=("title", "text", "closes"),
        given={"title": heading},
        fixed={"change": change_words},
    )


def is_council(term: Shown, me: str | None) -> bool:
    """Whether `me` is one of three or more moderators, who act together."""
    moderators = ids(term.get("moderators"))
    return me in moderators and len(moderators) >= COUNCIL


def removing(person: Shown, term: Shown, *, waits: bool = False) -> Act:
    """A moderator's word that somebody is out."""
    who = telling.name(person)
    needed = enough(MAJORITY, len(ids(term.get("moderators"))))
    said = _(
        "Once {n} moderators have said so, {who} is out, and what they post from then on does not "
        "count. You cannot take your word back; only a decision of the roll brings {who} back."
    )
    return Act(
        kind="remove",
        about=None,
        label=_("As a moderator, say that {who} has to go").format(who=who),
        waits=waits,
        said=said.format(n=needed, who=who),
        fields=("why",),
        fixed={"person": person["id"]},
    )


def restoring(person: Shown) -> Act:
    """Asking the roll to bring somebody back."""
    who = telling.name(person)
    return asking(
        f"restore {person['id']}",
        _("Ask everybody to let {who} back in").format(who=who),
        _("{who} comes back").format(who=who),
    )


def ids(people: list[Shown] | None) -> frozenset[str]:
    """Of whom a list is."""
    return frozenset(one["id"] for one in people or ())
