"""The words that the screen uses for kinds of records, fields, states and days.

Each kind declares its own words. Some names have no label, for example names from a newer version.
The screen shows these names unchanged.
"""

from protocol.fold.kind import Words
from protocol.fold.registry import KINDS
from protocol.fold.view import Tombstone
from tui.i18n import _

FIELD_LABELS = {
    "title": _("Title"),
    "text": _("Text"),
    "tags": _("Tags"),
    "minutes": _("Minutes"),
    "area": _("Area"),
    "starts": _("Starts"),
    "until": _("Until"),
    "repeats": _("Repeats"),
    "places": _("Places"),
    "lang": _("Language"),
    "when": _("When"),
    "on": _("Day"),
    "note": _("Note"),
    "name": _("Name"),
    "about": _("About"),
    "assets": _("Can help with"),
    "wants": _("Help wanted"),
    "languages": _("Languages"),
    "affiliation": _("Works for"),
    "minutes_a_month": _("Minutes/month"),
    "why": _("Why"),
    "members": _("Who is in it"),
    "joins": _("Who joins"),
    "leaves": _("Who leaves"),
    "parties": _("With whom"),
    "due": _("Until"),
    "address": _("Address"),
    "words": _("Words"),
    "person": _("Person"),
    "roles": _("Roles"),
    "people": _("Who came"),
    "new": _("New value"),
    "value": _("Answer"),
    "closes": _("Voting until"),
    "moderators": _("Moderators"),
    "vouchers": _("Vouchers"),
    "rate": _("Assumed rate"),
    "answers": _("Answers"),
    "share": _("Percent"),
    "will_vote": _("Voters then"),
    "matters": _("For what"),
    "reason": _("Why"),
    "choice": _("Vote"),
    "to": _("Who takes it"),
    "provider": _("Who does it"),
    "category": _("Category"),
    "contact": _("Contact"),
    "hours": _("Hours"),
    "question": _("Question"),
    "scale": _("Answered by"),
    "better": _("Better is"),
    "target": _("Target"),
    "window": _("Days"),
    "min_answers": _("Answers"),
    "who": _("Who counts"),
    "urgent": _("Urgent"),
    "other": _("Other report"),
    "what": _("What to do"),
    "fixed": _("Did it help?"),
    "expect": _("Expected"),
    "measures": _("Shown by"),
    "ends": _("Last day"),
    "where": _("Where"),
    "idea": _("Idea"),
}

STATE_LABELS = {
    "open": _("open"),
    "agreed": _("agreed"),
    "done": _("done"),
    "expired": _("expired"),
    "withdrawn": _("withdrawn"),
    "waiting": _("waiting"),
    "accepted": _("accepted"),
    "declined": _("declined"),
    "cancelled": _("cancelled"),
    "proposed": _("not confirmed yet"),
    "confirmed": _("confirmed"),
    "disputed": _("disputed"),
    "member": _("member"),
    "retracted": _("taken back"),
    "in force": _("in force"),
    "ended": _("ended"),
    "offered": _("offered"),
    "current": _("as it stands"),
    "concurrent": _("several texts"),
    "replaced": _("an earlier text"),
    "full": _("full"),
    "past": _("over"),
    "placed": _("has a place"),
    "written": _("written down"),
    "passed": _("passed"),
    "failed": _("failed"),
    "said": _("asked by some moderators"),
    "settled": _("settled"),
    "live": _("in use"),
    "revoked": _("revoked"),
    "in use": _("in use"),
    "retired": _("no longer asked"),
    "closed": _("closed"),
    "reported done": _("reported done, nobody has confirmed it yet"),
    "reopened": _("not fixed yet"),
    "overdue": _("overdue"),
    "partly": _("partly"),
    "running": _("running"),
    "stopped": _("stopped"),
    "adopted": _("kept"),
    "adapted": _("changed, to be tried again"),
    "dropped": _("given up"),
    "on trial": _("being tried"),
    "yes_no": _("yes or no"),
    "one_to_five": _("1 to 5"),
    "count": _("how often it happens"),
    "higher": _("more"),
    "lower": _("less"),
    "served": _("only people served recently"),
    "explained": _("here is why"),
    "being_done": _("somebody is working on it"),
    "not_ours": _("not ours"),
    "left": _("somebody has left"),
    "forked": _("signed twice, as a copied disk does"),
}

DAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
MONTHS = (
    *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")),
    *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
)


def field(name: str) -> str:
    """Returns the label that the screen shows for a field."""
    return FIELD_LABELS.get(name) or name.replace("_", " ").capitalize()


def state(word: str, kind: str = "") -> str:
    """Returns the label of `word`, which is the state of a record or the value of a choice field.

    If `kind` declares a label of its own for this state, returns that label.
    """
    words = _words(kind)
    own_label = words.states.get(word) if words else None
    return _(own_label) if own_label else STATE_LABELS.get(word, word)


def kind(name: str) -> str:
    """Returns the label of a kind of record."""
    if name == Tombstone.KIND:
        return _("Taken back")
    words = _words(name)
    return _(words.name) if words else name.replace("_", " ").capitalize()


def happened(kind_name: str) -> str | None:
    """Returns the sentence for a record of this kind in a history. The sentence contains `{who}`,
    which stands for the person who made the record.

    Returns None if this home does not know the kind.
    """
    words = _words(kind_name)
    return _(words.happened) if words else None


def verb(kind_name: str) -> str:
    """Returns the label of the button that posts a record of this kind."""
    words = _words(kind_name)
    return _(words.submit) if words else _("Post")


def begin(kind_name: str) -> str:
    """Returns the label of this kind in the list of things that people can post."""
    words = _words(kind_name)
    if words and words.begin:
        return _(words.begin)
    return _("Post: {kind}").format(kind=kind(kind_name))


def before(kind_name: str) -> str:
    """Returns what people should know before they begin a thread of this kind. The text may be
    empty.
    """
    words = _words(kind_name)
    return _(words.before) if words and words.before else ""


def _words(kind_name: str) -> Words | None:
    declared = KINDS.get(kind_name)
    return declared.view_type.wording if declared else None
