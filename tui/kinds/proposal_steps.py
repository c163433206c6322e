"""Makes the steps that begin a decision: a proposal, a renewal, or the removal of a person by
moderators. All functions here are pure.
"""

from tui.format import phrases
from tui.format.phrases import Shown
from tui.i18n import _
from tui.kinds.electorate import ids, moderators_needed
from tui.kinds.next_steps import NextStep


def renewal_step(term: Shown) -> NextStep:
    """Returns the step that proposes a renewal, which begins the next term."""
    return NextStep(
        kind="renewal",
        about=None,
        label=_("Renew who votes and moderates"),
        meaning=_(
            "In a new term everybody who was let in can vote. It names the moderators and "
            "keeps all rules and decisions. It begins when more than half of the current "
            "voters say yes; proposing it counts as your yes. You cannot undo it, but you can "
            "hold another one."
        ),
        fields=("title", "moderators", "vouchers", "share"),
        given={
            "moderators": ", ".join(sorted(ids(term.get("moderators")))),
            "vouchers": str(term.get("vouchers", "")),
            "share": str(term.get("share", "")),
        },
    )


def proposal_step(change_words: str, label: str, heading: str) -> NextStep:
    """Returns the step that proposes a fixed change. The form asks only for the title, the text and
    the closing day.

    `change_words` is the change, written in the form that the node reads.
    """
    return NextStep(
        kind="proposal",
        about=None,
        label=label,
        meaning=_(
            "All current voters decide. It holds when enough say yes. You cannot take back a "
            "proposal or change a yes."
        ),
        fields=("title", "text", "closes"),
        given={"title": heading},
        fixed={"change": change_words},
    )


def removal_step(person: Shown, term: Shown, *, is_awaited: bool = False) -> NextStep:
    """Returns the step with which a moderator asks to remove a person from the neighbourhood."""
    who = phrases.name(person)
    meaning = _(
        "When {n} moderators have said so, {who} is out, and what they post after that "
        "does not count. You cannot take this back; only a vote can bring {who} back."
    )
    return NextStep(
        kind="remove",
        about=None,
        label=_("As a moderator, ask to remove {who}").format(who=who),
        waits=is_awaited,
        meaning=meaning.format(n=moderators_needed(term), who=who),
        fields=("why",),
        fixed={"person": person["id"]},
    )


def restoration_step(person: Shown) -> NextStep:
    """Returns the step that asks the roll, the people who vote, to let a removed person back in."""
    who = phrases.name(person)
    return proposal_step(
        f"restore {person['id']}",
        _("Ask everybody to let {who} back in").format(who=who),
        _("{who} comes back").format(who=who),
    )
