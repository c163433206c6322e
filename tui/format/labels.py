"""The words that the screen uses for kinds of records, fields, states and days.

Some names have no label here, for example names from a newer version. The screen shows these names
unchanged.
"""

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
    "share": _("Percent"),
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
    "yes_no": _("yes or no"),
    "one_to_five": _("1 to 5"),
    "count": _("how often it happens"),
    "higher": _("more"),
    "lower": _("less"),
    "served": _("only people served recently"),
    "explained": _("here is why"),
    "being_done": _("somebody is working on it"),
    "not_ours": _("not ours"),
    "forked": _("signed twice, as a copied disk does"),
}

KIND_LABELS = {
    "request": _("Request"),
    "offer": _("Offer"),
    "response": _("Response"),
    "agreement": _("Agreement"),
    "receipt": _("Receipt"),
    "correction": _("Correction"),
    "thanks": _("Thanks"),
    "profile": _("Profile"),
    "circle": _("Circle"),
    "message": _("Message"),
    "pact": _("Pact"),
    "page": _("Page"),
    "revision": _("Page, edited"),
    "proxy": _("Proxy"),
    "synonym": _("Words that mean the same"),
    "vouch": _("Recommendation"),
    "activity": _("Activity"),
    "signup": _("Signup"),
    "attendance": _("Who came"),
    "proposal": _("Decision"),
    "renewal": _("New term"),
    "remove": _("Removal"),
    "flag": _("Flag"),
    "hide": _("Hidden words"),
    "service": _("Service"),
    "link": _("Part of a service"),
    "measure": _("Question about a service"),
    "feedback": _("Report"),
    "answer": _("Answer"),
    "action": _("Action"),
    "retracted": _("Taken back"),
}

# The labels of the kinds that begin a thread.
BEGIN_LABELS = {
    "request": _("Ask for something"),
    "offer": _("Offer something"),
    "thanks": _("Thank somebody for a gift of time"),
    "profile": _("Tell neighbours about yourself"),
    "circle": _("Begin a circle"),
    "pact": _("Make a promise together"),
    "page": _("Write a page"),
    "proxy": _("Let somebody act for you"),
    "synonym": _("Words that mean the same here"),
    "vouch": _("Recommend somebody"),
    "activity": _("Plan something together"),
    "proposal": _("Ask everybody to decide something"),
    "service": _("Describe a service"),
}

# The explanation above a form that begins a thread.
BEFORE = {
    "proposal": _(
        "All current voters can vote on your question. You cannot take it back. To change "
        "a rule, open the rule on the Neighbourhood tab."
    ),
    "service": _(
        "Everybody sees who does what, and can say how it goes. Leave out who does it if "
        "it is you. You can ask others to do parts of it afterwards; they have to accept."
    ),
}

# The sentences of a history: each says what somebody did by posting a record of the kind.
HISTORY_SENTENCES = {
    "service": _("{who} described the service"),
    "link": _("{who} asked somebody to do a part"),
    "measure": _("{who} asked a question about it"),
    "feedback": _("{who} reported how it goes"),
    "answer": _("{who} answered"),
    "same_as": _("{who} said that two reports are the same"),
    "not_same": _("{who} said that theirs is a different report"),
    "action": _("{who} took it on"),
    "done": _("{who} reported it done"),
    "verdict": _("{who} said whether it helped"),
    "request": _("{who} asked for this"),
    "offer": _("{who} offered this"),
    "response": _("{who} responded"),
    "agreement": _("{who} agreed: both have signed the same terms"),
    "receipt": _("{who} wrote a receipt"),
    "confirm": _("{who} confirmed it: now it counts"),
    "correction": _("{who} proposed other minutes"),
    "thanks": _("{who} said thanks"),
    "close": _("{who} closed it"),
    "retract": _("{who} took words back"),
    "profile": _("{who} wrote a profile"),
    "circle": _("{who} began the circle"),
    "members": _("{who} changed who is in it"),
    "message": _("{who} wrote a message"),
    "pact": _("{who} offered the pact"),
    "accept": _("{who} accepted"),
    "page": _("{who} wrote the page"),
    "revision": _("{who} edited the page"),
    "proxy": _("{who} gave somebody a proxy"),
    "synonym": _("{who} said that these words mean the same"),
    "vouch": _("{who} recommended somebody"),
    "activity": _("{who} planned this"),
    "signup": _("{who} signed up"),
    "attendance": _("{who} wrote down who came"),
    "proposal": _("{who} proposed it"),
    "vote": _("{who} voted"),
    "renewal": _("{who} proposed the new term"),
    "remove": _("{who} asked for it, as a moderator"),
    "words": _("{who} added words to it"),
    "flag": _("{who} flagged something for the moderators"),
    "hide": _("{who}, a moderator, said whether to hide words"),
}

# The labels of the buttons that post a record of the kind.
SUBMIT_LABELS = {
    "response": _("Send"),
    "agreement": _("Agree"),
    "receipt": _("Sign"),
    "confirm": _("Confirm"),
    "correction": _("Propose"),
    "thanks": _("Say thanks"),
    "approve": _("Vouch"),
    "close": _("Yes"),
    "retract": _("Take back"),
    "accept": _("Accept"),
    "members": _("Yes"),
    "message": _("Send"),
    "give_address": _("Give"),
    "forget_address": _("Forget"),
    "signup": _("Yes"),
    "attendance": _("Write down"),
    "vote": _("Vote"),
    "proposal": _("Propose"),
    "renewal": _("Propose"),
    "remove": _("Confirm"),
    "flag": _("Flag"),
    "hide": _("Confirm"),
    "service": _("Post"),
    "link": _("Ask"),
    "measure": _("Ask"),
    "feedback": _("Send"),
    "answer": _("Answer"),
    "same_as": _("Confirm"),
    "not_same": _("Confirm"),
    "action": _("Take on"),
    "done": _("Report"),
    "verdict": _("Confirm"),
}

DAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
MONTHS = (
    *(_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")),
    *(_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec")),
)


def field(name: str) -> str:
    """Returns the label that the screen shows for a field."""
    return FIELD_LABELS.get(name) or name.replace("_", " ").capitalize()


def state(name: str) -> str:
    """Returns the label of a record's state, or of the value of a choice field."""
    return STATE_LABELS.get(name, name)


def kind(name: str) -> str:
    """Returns the label of a kind of record."""
    return KIND_LABELS.get(name) or name.replace("_", " ").capitalize()


def verb(kind_name: str) -> str:
    """Returns the label of the button that posts a record of this kind."""
    return SUBMIT_LABELS.get(kind_name) or _("Post")


def begin(kind_name: str) -> str:
    """Returns the label of this kind in the list of things that people can post."""
    return BEGIN_LABELS.get(kind_name) or _("Post: {kind}").format(kind=kind(kind_name))
