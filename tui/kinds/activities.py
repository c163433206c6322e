"""Shows activities, with the days on which they take place.

An occurrence is one day of an activity. For each role, it lists who has a place and who waits for a
place. Later it also lists who came.
"""

from collections.abc import Iterator

from textual.content import Content

from protocol import recurrence
from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.face import Face, face, thread_of
from tui.kinds.next_steps import StepWords, way_of
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Person, Shown

_MOST_PLACES = 64  # the places of an activity that names no roles
_FREQUENCIES = {
    "DAILY": (_("every day"), _("every {n} days")),
    "WEEKLY": (_("every week"), _("every {n} weeks")),
    "MONTHLY": (_("every month"), _("every {n} months")),
    "YEARLY": (_("every year"), _("every {n} years")),
}


@face("activity", "signup", "attendance")
class ActivityFace(Face):
    """How the screen shows an activity, with the people who come to it."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of an activity: who organises it, when it takes place next, and how many
        places are free.
        """
        if view.kind != "activity":
            return super().card(view, reader)
        next_day = next(iter(view.texts("upcoming")), None)
        is_limited = next_day and view.numbers("roles") and view.state == "open"
        parts = [
            phrases.signer_names(view, reader.me),
            _moment_on(view, next_day, reader.clock) if next_day else "",
            labels.state(view.state, view.kind) if view.state != "open" else "",
            _free_places(view, next_day) if next_day and is_limited else "",
            safe_line(view.text("area") or "", 20),
        ]
        quiet = view.state in {"past", "cancelled"}
        return Card(view.id, phrases.title(view), phrases.dotted(parts), quiet)

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of an activity whose organiser has to write down who came."""
        if row.kind != "activity":
            return super().waiting_card(row, reader)
        title = _("Write down who came to {title}").format(title=phrases.title(row))
        unwritten = next(_unwritten_days(row, reader.clock), None)
        when = _moment_on(row, unwritten, reader.clock) if unwritten else ""
        return Card(thread_of(row), title, when)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes an activity: its terms, then its days with the people who take part in each."""
        return Content.assemble(*_story_parts(thread, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step in the thread of an activity."""
        given = row.row("given") or Shown({})
        target = thread.find(row.about) or thread.root
        match row.kind, target.kind, way_of(row):
            case "signup", _any, None:
                return _signup_words(thread.root, given, reader.clock)
            case "attendance", _any, None:
                return _attendance_words(thread.root, given, reader.clock)
            case _any, "signup", "withdrawn":
                return _withdrawal_words(thread.root, target, reader.clock)
            case _any, "activity", "cancelled":
                return StepWords(_("Cancel this"), fields=("why",))
            case _any, "signup", None:
                return _accept_words(thread.root, target, reader.clock)
        return super().step_words(row, thread, reader)


# -- the words of steps ---------------------------------------------------------------------------


def _signup_words(root: Shown, given: Shown, clock: LocalClock) -> StepWords:
    day = given.text("on") or next(iter(root.texts("upcoming")), "")
    role_name = given.text("role")
    role = next((line for line in _roles_on(root, day) if line.text("role") == role_name), None)
    is_full = role is not None and not _free_in(role)
    if role_name is None:
        label = _("Wait for a place on {when}") if is_full else _("Come on {when}")
    elif is_full:
        label = _("Wait for a place as {role} on {when}")
    else:
        label = _("Come as {role} on {when}")
    when = _moment_on(root, day, clock)
    return StepWords(
        label=label.format(role=safe_line(role_name or ""), when=when),
        meaning=_("First come, first served – the organiser can also choose."),
    )


def _withdrawal_words(root: Shown, signup: Shown, clock: LocalClock) -> StepWords:
    when = _moment_on(root, signup.text("on") or "", clock)
    return StepWords(
        label=_("Withdraw from {when}").format(when=when),
        meaning=_("Your place goes to the first person waiting."),
        fields=("why",),
    )


def _attendance_words(root: Shown, given: Shown, clock: LocalClock) -> StepWords:
    day = given.text("on") or ""
    placed = [person.id for role in _roles_on(root, day) for person in role.people("has")]
    return StepWords(
        label=_("Write down who came on {when}").format(when=_moment_on(root, day, clock)),
        meaning=_("Who had a place is recorded too, and cannot be changed later."),
        first={"people": ",".join(person_id for person_id in placed if person_id)},
        fields=("people",),
    )


def _accept_words(root: Shown, signup: Shown, clock: LocalClock) -> StepWords:
    who = phrases.name(signup.author)
    role = signup.text("role")
    label = _("Say yes to {who} as {role} on {when}") if role else _("Say yes to {who} on {when}")
    meaning = _("{who} then gets a place before people you have not said yes to.")
    when = _moment_on(root, signup.text("on") or "", clock)
    return StepWords(
        label=label.format(who=who, when=when, role=safe_line(role or "")),
        meaning=meaning.format(who=who),
        fields=(),
    )


# -- the story ------------------------------------------------------------------------------------


def _story_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    root = thread.root
    is_own = root.is_by(reader.me)
    organised = _("You organise this") if is_own else _("{who} organises this")
    yield (phrases.title(root), "bold")
    parts = [
        organised.format(who=phrases.name(root.author)),
        phrases.moment(root.text("starts"), reader.clock),
        phrases.minutes(root.number("minutes")),
        _repetition(root.text("repeats")),
        safe_line(root.text("area") or ""),
        labels.state(root.state, root.kind),
    ]
    yield "\n" + phrases.dotted(parts)
    if text := root.text("text"):
        yield "\n\n" + safe_text(text).strip()
    signed_days = {occurrence.text("on") or "" for occurrence in root.rows("occurrences")}
    for day in sorted(signed_days | set(root.texts("upcoming")[:1])):
        yield "\n\n"
        yield (_moment_on(root, day, reader.clock), "bold")
        yield from _occurrence_parts(thread, day, reader)


def _occurrence_parts(thread: ThreadData, day: str, reader: Reader) -> Iterator[Part]:
    root = thread.root
    occurrence = _occurrence(root, day)
    for role in occurrence.rows("roles"):
        has = role.people("has")
        label = safe_line(role.text("role") or _("who comes"))
        count = f" ({len(has)}/{role.number('places')})" if root.numbers("roles") else ""
        yield f"\n{label}{count}: {phrases.person_names(has, reader.me) or '–'}"
        waits = role.people("waits")
        if waits:
            names = phrases.person_names(waits, reader.me)
            yield "\n  " + _("waiting: {who}").format(who=names)
        is_waiting = reader.me is not None and any(person.id == reader.me for person in waits)
        if is_waiting and has:
            yield "\n  " + _waiting_reason(thread, day, has[-1])
    if came := occurrence.people("came"):
        yield "\n" + _("came: {who}").format(who=phrases.person_names(came, reader.me))
    if missed := occurrence.people("missed"):
        names = phrases.person_names(missed, reader.me)
        yield "\n" + _("could not come: {who}").format(who=names)


def _waiting_reason(thread: ThreadData, day: str, last: Person) -> str:
    """Says who has the last place, and why this person came before the reader."""
    is_chosen = any(
        signup.flag("accepted") and signup.text("on") == day and signup.is_by(last.id)
        for signup in thread.of_kind("signup")
    )
    if is_chosen:
        reason = _("the last place went to {who}; {organiser} had said yes to them")
    else:
        reason = _("the last place went to {who}, who signed up before you")
    organiser = phrases.name(thread.root.author)
    return reason.format(who=phrases.name(last), organiser=organiser)


# -- days and places ------------------------------------------------------------------------------


def _occurrence(view: Shown, day: str) -> Shown:
    """Returns the occurrence of an activity on a day.

    If nobody has signed up for that day, returns an occurrence with all places free.
    """
    for occurrence in view.rows("occurrences"):
        if occurrence.text("on") == day:
            return occurrence
    places = view.numbers("roles")
    roles = [{"role": role, "places": count} for role, count in places.items()]
    everybody = [{"role": None, "places": _MOST_PLACES}]
    return Shown({"on": day, "roles": roles or everybody})


def _roles_on(view: Shown, day: str) -> list[Shown]:
    """Returns the roles on a day. Each role lists the people who have a place, and the people who
    wait for a place.
    """
    return _occurrence(view, day).rows("roles")


def _unwritten_days(view: Shown, clock: LocalClock) -> Iterator[str]:
    """Yields the days that have begun and for which nobody has written down who came."""
    for occurrence in view.rows("occurrences"):
        day = occurrence.text("on") or ""
        has_places = any(role.people("has") for role in occurrence.rows("roles"))
        has_begun = clock.has_begun(_start_on(view, day))
        if has_begun and has_places and not occurrence.flag("attended"):
            yield day


def _moment_on(view: Shown, day: str, clock: LocalClock) -> str:
    """Writes the day of an occurrence, with the hour if the activity has one."""
    return phrases.moment(_start_on(view, day), clock)


def _start_on(view: Shown, day: str) -> str:
    starts = view.text("starts")
    return recurrence.occurrence_start(starts, day) if starts else day


def _free_in(role: Shown) -> int:
    return max(0, (role.number("places") or 0) - len(role.people("has")))


def _free_places(view: Shown, day: str) -> str:
    free = sum(_free_in(role) for role in _roles_on(view, day))
    if not free:
        return _("full")
    return plural("{n} place free", "{n} places free", free).format(n=free)


def _repetition(rule: str | None) -> str:
    """Puts a recurrence rule such as `FREQ=WEEKLY` into words.

    If the rule is too complicated, returns the rule unchanged.
    """
    parts = dict(part.partition("=")[::2] for part in (rule or "").split(";"))
    frequency = parts.pop("FREQ", "")
    interval = parts.pop("INTERVAL", "1")
    is_simple = interval.isdecimal() and not set(parts) - {"WKST"}
    if frequency not in _FREQUENCIES or not is_simple:
        return safe_line(rule or "")
    once, several = _FREQUENCIES[frequency]
    return plural(once, several, int(interval)).format(n=interval)
