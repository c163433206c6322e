"""Steps that put something to the vote: a proposal, a renewal, a moderator's removal. Pure."""

from protocol.authority.registers import COUNCIL, enough
from tui.format import phrases
from tui.format.phrases import Shown
from tui.i18n import _
from tui.kinds.next_steps import Act

MAJORITY = 50  # percent that a renewal exceeds of the roll, and moderators of themselves


def renewing(term: Shown) -> Act:
    """The step that begins the next term."""
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


def proposal_step(change_words: str, label: str, heading: str) -> Act:
    """The step that proposes a change without a value to fill in. `change_words`: as the node reads it."""
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


def removal_step(person: Shown, term: Shown, *, waits: bool = False) -> Act:
    """The step by which a moderator says that somebody is out."""
    who = phrases.name(person)
    meaning = _(
        "Once {n} moderators have said so, {who} is out, and what they post from then on does not "
        "count. You cannot take your word back; only a decision of the roll brings {who} back."
    )
    return Act(
        kind="remove",
        about=None,
        label=_("As a moderator, say that {who} has to go").format(who=who),
        waits=waits,
        said=meaning.format(n=moderators_needed(term), who=who),
        fields=("why",),
        fixed={"person": person["id"]},
    )


def restoration_step(person: Shown) -> Act:
    """The step that asks the roll to bring somebody back."""
    who = phrases.name(person)
    return proposal_step(
        f"restore {person['id']}",
        _("Ask everybody to let {who} back in").format(who=who),
        _("{who} comes back").format(who=who),
    )


def is_on_council(term: Shown, me: str | None) -> bool:
    """Whether `me` is one of three or more moderators, who act together."""
    moderators = ids(term.get("moderators"))
    return me in moderators and len(moderators) >= COUNCIL


def moderators_needed(term: Shown) -> int:
    """How many moderators have to say the same before it holds."""
    return enough(MAJORITY, len(ids(term.get("moderators"))))


def ids(people: list[Shown] | None) -> frozenset[str]:
    """The ids of the people in a list."""
    return frozenset(person["id"] for person in people or ())
