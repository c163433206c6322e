"""Turns views into text for a terminal. A view is what the node tells about records. The words that
people wrote are made harmless before they are printed.
"""

import re
import shlex
from calendar import day_name
from collections.abc import Callable
from datetime import UTC, date
from itertools import groupby
from typing import Any

from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.person_name import format_person
from meshcoop.cli.relay_text import describe_relay
from meshcoop.client import Page
from protocol.authority.kind_names import ADMIT, RENEWAL
from protocol.display_text import safe_line, safe_text
from protocol.errors import fill_in
from protocol.local_clock import LocalClock
from protocol.sentences import SENTENCES

Shown = dict[str, Any]

_ID_LENGTH = 64  # hexadecimal digits
_TITLE_WIDTH = 48
_NAME_WIDTH = 30
_SHORT_NAME = 20
_DAY_LENGTH = len("2026-11-23")
_HOUR = 60  # minutes
_MATTER = "matter"  # no record: every home computes it (specs/23)
_CODES = frozenset({"reading", "result", "standing"})  # fields that hold the code of a sentence
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z")
_HIDDEN_FIELDS = {
    *("id", "kind", "author", "created", "state", "history", "about"),
    *("responses", "receipts", "corrections", "heads", "after", "first"),
    *("occurrences", "offset", "views", "comments", "comments_total"),
}


def format_list(views: list[Shown], clock: LocalClock, hidden: int = 0, newer: str = "") -> str:
    """Formats one line for each view. Also says how many views of muted people are left out.
    `newer` is a sentence about records that the node's program does not know.
    """
    lines = [
        _format_line(_show_times_locally(view, clock), _describe_deadline(view, clock))
        for view in views
    ]
    lines = lines or ["Nothing yet."]
    if hidden:
        lines.append(f"({hidden} by people you muted left out; add --muted to see them.)")
    if newer:
        lines.append(f"({newer})")
    return "\n".join(lines)


def format_cut(page: Page) -> str:
    """Says that a list has more rows than are shown, and how to see the other rows."""
    return (
        f"{len(page.rows)} of {page.total} are shown; add --limit {page.total} for all, "
        f"or --after {shlex.quote(page.next or '')} for the next."
    )


def describe_newer(newer: list[Shown], specs: int) -> str:
    """Says how many records have a kind that this program does not know. For each of these kinds,
    names the package that brings the kind, or the version of the specs that describes it.

    `specs` is the version of the specs that this program follows.
    """
    count = sum(row["records"] for row in newer)
    listed = ", ".join(
        f"{row['records']} {safe_line(row['kind'])} ({_origin(row, specs)})" for row in newer
    )
    return f"Newer than this program: {format_count(count, 'record')}, {listed}."


def _origin(row: Shown, specs: int) -> str:
    if row["package"]:
        return f"from the package {safe_line(row['package'])}"
    return f"from a version of the specs after {specs}"


def format_steps(steps: list[Shown], growth: list[str] | None = None) -> str:
    """Formats the records that the reader could post next. Shows the command that posts each
    record. Marks a record for which somebody waits.

    `growth` are the lines that say who votes and who does not vote yet.
    """
    lines = []
    for step in steps:
        mark = "!" if step["awaited"] else " "
        title = safe_line(step["title"] or "", _TITLE_WIDTH)
        lines.append(f"{mark} {_format_command(step)}  {title}".rstrip())
        if step["ask"]:
            options = ", ".join(_option(name) for name in step["ask"])
            lines.append(f"      fill in: {options}")
        lines.extend(f"      {_capitalize(format_remark(remark))}" for remark in step["says"])
    if not steps:
        lines.append("Nothing waits for you.")
    return "\n".join(lines + (growth or []))


def format_growth(voters: list[Shown], newcomers: list[Shown], clock: LocalClock) -> list[str]:
    """Says who votes and who does not vote yet. For each person who does not vote yet, says since
    when this person is a member, and why this person does not vote. If everybody votes, says
    nothing.
    """
    if not newcomers:
        return []
    lines = ["", f"Voters: {_format_value(voters)}."]
    return lines + [_format_newcomer(row, clock) for row in newcomers]


def _format_newcomer(row: Shown, clock: LocalClock) -> str:
    since = format_time(row["created"], clock)
    lacks = "; ".join(map(format_remark, row["says"]))
    return f"No voter yet: {format_person(row)}, since {since}; {lacks}."


def format_mute(answer: Shown) -> str:
    """Says that a person is muted now, or is not muted any more. Explains what muting does."""
    who = format_person(answer["person"])
    if answer["muted"]:
        typed = shlex.quote(who)
        return (
            f"What {who} posts is left out of your lists; `meshcoop mute {typed} --off` undoes it."
        )
    return f"What {who} posts is in your lists again."


def format_view(view: Shown, clock: LocalClock) -> str:
    """Formats a view with its fields and its history. Times are local."""
    deadline = _describe_deadline(view, clock)
    view = _show_times_locally(view, clock)
    lines = [_format_line(view, deadline)]
    for name, value in view.items():
        if name not in _HIDDEN_FIELDS and value not in (None, [], ""):
            lines.append(f"  {name}: {_format_field(name, value)}")
    texts = view.get("heads") or ()
    if len(texts) > 1:
        for text in texts:
            lines.extend(_format_revision(text))
    for day in view.get("occurrences") or ():
        lines.extend(_format_day(day))
    lines.extend(_format_comments(view))
    lines.append("")
    lines.extend(_format_entry(entry) for entry in view["history"] if not entry["automatic"])
    return "\n".join(lines)


def format_time(time: str, clock: LocalClock) -> str:
    """Formats a time that the local API gives in UTC. The result is the time on the neighbourhood's
    clocks.

    If these clocks show UTC, the result says so, because the clocks on the wall may show another
    time.
    """
    local = clock.to_local(time).replace("T", " ")
    return f"{local} UTC" if clock.zone is UTC else local


def format_ahead(row: Shown, clock: LocalClock) -> str:
    """Says that a home signed a record dated ahead of this home's clock, and what to do
    about it.
    """
    who = format_person(row["person"], _SHORT_NAME)
    now = clock.now.replace("T", " ")
    return (
        f"{who}'s home dated something {format_time(row['time'], clock)}, but it is {now} here. "
        f"If {now} is right, ask {who} to set the clock there."
    )


def format_own_clock(clock: Shown) -> str:
    """Says by how much this home's clock differs from most other clocks, and what to do
    about it.
    """
    return (
        f"This machine's clock is {_format_distance(clock['minutes'])} {clock['differing']} of"
        f" {format_count(clock['compared'], 'other clock')}. Set it, unless you know that it is"
        " right."
    )


def format_other_clock(row: Shown) -> str:
    """Says that the clock of one neighbour or relay differs from this home's clock."""
    whose = f"{format_person(row['person'], _SHORT_NAME)}'s clock" if row["person"] else "a relay's"
    return (
        f"This machine's clock is {_format_distance(row['minutes'])} {whose}. One of the two is"
        " wrong."
    )


def _format_distance(minutes: int) -> str:
    """Says by how much a clock is ahead or behind."""
    hours = round(abs(minutes) / 60)
    is_long = hours > 1
    distance = format_count(hours, "hour") if is_long else format_count(abs(minutes), "minute")
    return f"{distance} {'ahead of' if minutes > 0 else 'behind'}"


def format_signers(view: Shown) -> str:
    """Names the author of a view. If another person signed for the author, names this
    person too.
    """
    author = format_person(view["author"], _SHORT_NAME)
    if not view.get("by"):
        return author
    return f"{format_person(view['by'], _SHORT_NAME)} for {author}"


def format_balances(balances: list[Shown]) -> str:
    """Formats one line for each person, with the minutes that the person gave and received. If the
    first row has a history, adds the lines of this history.
    """
    rows = [("", "given", "received", "balance", "gifts")]
    rows += [_format_balance(balance) for balance in balances]
    lines = []
    for name, given, received, balance, gifts in rows:
        lines.append(f"{name:<30} {given:>8} {received:>8} {balance:>8}  {gifts}".rstrip())
    history = balances[0].get("history", ()) if balances else ()
    return "\n".join([*lines, *map(_format_exchange, history)])


def format_kinds(kinds: list[Shown]) -> str:
    """Formats one line for each kind of record, with the names of its fields. Marks the fields that
    every record of the kind must have.

    The name of a package is above its kinds.
    """
    lines = []
    for package, members in groupby(kinds, key=lambda kind: kind["from"]):
        lines += ["", f"From {package}:"]
        for kind in members:
            fields = [field["name"] + "!" * field["required"] for field in kind["fields"]]
            lines.append(f"  {kind['name']}: {', '.join(fields) or 'no fields'}")
    return "\n".join(lines[1:])


def format_introductions(answer: Shown) -> str:
    """Names the people who can introduce the reader to another person."""
    who = format_person(answer["person"])
    ways = answer["ways"]
    if not ways:
        return f"Your home finds nobody who can introduce you to {who}."
    if answer["steps"] == 1:
        return f"You know {who}. {format_remarks(ways[0]['says'])}"
    return "\n".join(
        f"Ask {format_person(way['first'])}. {format_remarks(way['says'])}" for way in ways
    )


def format_package_fault(package: str, fault: str) -> str:
    """Says that a package has failed, and that the program does not know the package's kinds."""
    return f"The kinds of {package} are left out: {fault}."


def format_remark(remark: Shown) -> str:
    """Returns the sentence for a remark of the node. A remark is a code with arguments."""
    arguments = {name: _format_argument(name, value) for name, value in remark["arguments"].items()}
    return _format_code(remark["code"], arguments)


def format_remarks(remarks: list[Shown]) -> str:
    """Joins several remarks into one sentence. Each remark becomes a part of this sentence."""
    return _capitalize("; ".join(map(format_remark, remarks))) + "."


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _format_command(step: Shown) -> str:
    """Returns the command line that posts the record of a step. Shortens the ids in this command
    line.
    """
    if step["kind"] == ADMIT:
        return f"meshcoop approve {step['given']['person'][:8]}"
    is_renewal = step["kind"] == RENEWAL  # it has a command of its own
    words = ["meshcoop renew"] if is_renewal else ["meshcoop post", step["kind"]]
    if step["about"]:
        words.append(f"--about {step['about'][:8]}")
    for name, value in step["given"].items():
        for part in value if isinstance(value, list) else [value]:
            text = safe_line(str(part))
            is_id = len(text) == _ID_LENGTH and " " not in text
            words.append(f"{_option(name)} {text[:8] if is_id else shlex.quote(text)}")
    if step["will_vote"] is not None:
        words.append("--will-vote NUMBER")
    return " ".join(words)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _describe_deadline(view: Shown, clock: LocalClock) -> str:
    """Says until when the holder of a matter has time. A deadline that is past counts as missed only
    later (R-23.6l). If a view has no matter that is open, returns an empty text.
    """
    matter = view if view.get("kind") == _MATTER else view.get("matter")
    if not isinstance(matter, dict) or matter.get("state") != "open" or not matter["answer_by"]:
        return ""
    by = format_time(matter["answer_by"], clock)
    if not clock.has_begun(matter["answer_by"]):
        return f"has time until {by}"
    return f"was due {by}; counts as missed from {format_time(matter['missed_at'], clock)}"


def _format_line(view: Shown, deadline: str = "") -> str:
    if "neighbourhood" in view or "addresses" in view:
        return describe_relay(view)
    if view["kind"] == "newcomer":
        return f"{view['id'][:8]}  {format_person(view)}  {format_remarks(view['says'])}"
    if view["kind"] == ADMIT:
        return f"{view['person']['id'][:8]}  {format_remarks(view['says'])}  (meshcoop approve)"
    if view["kind"] == _MATTER:
        return _format_matter(view, deadline)
    if view["kind"] in _FORMATS:
        return _FORMATS[view["kind"]](view)
    names = (view.get(field) for field in ("title", "name", "text", "kind"))
    title = next((name for name in names if name), "unreadable")
    minutes = f"  {view['minutes']} min" if view.get("minutes") else ""
    state = "muted" if view.get("muted") else view.get("state", "")
    parts = [
        view["id"][:8],
        safe_line(str(title), _TITLE_WIDTH) + minutes,
        format_signers(view),
        state,
    ]
    if "step" in view:  # in the list of what waits for the reader
        if view["because"] == "left":
            people = [format_person(person, _SHORT_NAME) for person in view["left"]]
            parts.append(f"waits for {', '.join(people)}")
        parts.append(f"needs your {safe_line(view['step']['kind'])}")
    if deadline:
        parts.append(deadline)
    return "  ".join(parts).rstrip()


def _format_matter(matter: Shown, deadline: str) -> str:
    """Formats the line of a matter: what it is about, who holds it, and until when."""
    service = safe_line(matter["service"]["title"] or "(hidden words)", _TITLE_WIDTH)
    question = safe_line(matter["measure"]["question"] or "(hidden words)", _TITLE_WIDTH)
    holder = format_person(matter["holder"], _SHORT_NAME) if matter["holder"] else "all of us"
    parts = [matter["id"][:8], f"{service}: {question}", f"held by {holder}", matter["state"]]
    return "  ".join([*parts, deadline]).rstrip()


def _format_suggestion(view: Shown) -> str:
    text = _format_code(view["suggests"], {"what": safe_line(view["title"], _TITLE_WIDTH)})
    if view["title"] != format_person(view["author"]):
        text += f"  ({format_person(view['author'], _SHORT_NAME)})"
    reader = format_person(view["for"], _SHORT_NAME)
    return f"{view['about'][:8]}  for {reader}  {text}\n          {format_remarks(view['says'])}"


def _format_moved(row: Shown) -> str:
    """Formats the line of a record that does not stand where its author claims, with the cause."""
    question = safe_line(row["measure"]["question"] or "(hidden words)", _TITLE_WIDTH)
    author = format_person(row["author"], _SHORT_NAME)
    what = f"{author}: {safe_line(row['record_kind'])} ({question})"
    return f"{row['id'][:8]}  {row['created']}  {what}  {_format_code(row['standing'], {})}"


def _format_quarter(view: Shown) -> str:
    text = (
        f"{view['quarter']}  {view['both']} gave and received, {view['only_gave']} only gave, "
        f"{view['only_received']} only received, {view['neither']} did neither"
    )
    names = ", ".join(format_person(person, _SHORT_NAME) for person in view["ask_them"])
    return f"{text}\n         What would they like? {names}" if names else text


def _format_revision(revision: Shown) -> list[str]:
    """Formats one of the texts of a page. A page has several texts if several people changed it at
    the same time.
    """
    author = format_person(revision["author"])
    return [
        f"\n  as {author} would have it ({revision['id'][:8]}):",
        f"    {safe_line(revision['title'])}\n    {_format_value(revision['text'])}",
    ]


def _format_day(day: Shown) -> list[str]:
    """Formats one day of an activity: who has a place, who waits for a place, and who came."""
    lines = [f"\n  {day['on']}:"]
    for role in day["roles"]:
        waiting = f"; waiting: {_format_value(role['waits'])}" if role["waits"] else ""
        count = f"{len(role['has'])}/{role['places']}"
        name = safe_line(role["role"] or "who comes")
        lines.append(f"    {name} ({count}) {_format_value(role['has'])}{waiting}")
    if day["attended"]:
        lines.append(f"    came: {_format_value(day['came']) or 'nobody'}")
    return lines


def _format_comments(view: Shown) -> list[str]:
    """Formats the comments on a view."""
    comments = view.get("comments") or []
    lines = [
        f"\n  {format_signers(comment)}, {comment['created']} ({comment['id'][:8]}):\n"
        f"    {_format_value(comment['text'] or '(hidden words)')}"
        for comment in comments
    ]
    if "comments_total" in view:
        of_all = f"{len(comments)} of {view['comments_total']} comments"
        lines.append(f"\n  ({of_all}; `meshcoop list comments --about {view['id'][:8]}` has all.)")
    return lines


def _format_entry(entry: Shown) -> str:
    """Formats one line of a view's history."""
    note = "" if entry["counted"] else f"  (does not count: {format_refusal(entry['note'])})"
    kind = entry["kind"] or "something unreadable"
    return f"  {entry['created']}  {format_signers(entry)}: {kind}{note}"


def _format_balance(balance: Shown) -> tuple[str, str, str, str, str]:
    gifts = ""
    if balance["gifts_given"] or balance["gifts_received"]:
        gifts = f"+{balance['gifts_given']} −{balance['gifts_received']}"
    name = format_person(balance["person"], _NAME_WIDTH)
    given = str(balance["given"])
    received = str(balance["received"])
    return name, given, received, f"{balance['balance']:+d}", gifts


def _format_exchange(row: Shown) -> str:
    """Formats one line of a balance's history: a receipt, a gift or a correction."""
    who = format_person(row["person"], _NAME_WIDTH)
    return f"  {row['on'][:10]}  {who}  {row['minutes']:+d}  {row['balance']:+d}{_note_on(row['kind'])}"


def format_refusal(note: Shown) -> str:
    """Says why a record does not count, or why a home cannot sign. Names the rule that
    was broken.
    """
    return safe_line(f"{fill_in(note['text'], note['arguments'])} ({note['rule']})")


def _note_on(kind: str) -> str:
    """Returns the note at the end of a line in a balance's history, such as "(a gift)". A line for
    a receipt has no note.
    """
    # The other commands need no kinds. So the import is here.
    from protocol.fold.registry import names_of
    from protocol.kinds.exchange.payments import Receipt, Thanks

    if kind in names_of(Receipt):
        return ""
    return "  (a gift)" if kind in names_of(Thanks) else f"  ({kind})"


def _format_code(code: str, arguments: dict[str, str]) -> str:
    return safe_line(fill_in(SENTENCES.get(code, code), arguments))


def _format_argument(name: str, value: Any) -> str:
    """Formats an argument of a remark. The form depends on the name of the argument."""
    match name:
        case "minutes" | "limit" | "balance":
            return _format_duration(value)
        case "days":
            return " and ".join(f"{day_name[number]}s" for number in value)
        case "on":
            day = date.fromisoformat(value[:_DAY_LENGTH])
            return f"{day.day} {day:%B}"
    if isinstance(value, list) and any("code" in part for part in value):
        return "; ".join(format_remark(part) for part in value)
    return _format_value(value)


def _format_duration(minutes: int) -> str:
    """Writes minutes as hours and minutes, such as "−10 h 30 min"."""
    hours, rest = divmod(abs(minutes), _HOUR)
    parts = []
    if hours:
        parts.append(f"{hours} h")
    if rest or not hours:
        parts.append(f"{rest} min")
    sign = "−" if minutes < 0 else ""  # a minus as people write it
    return sign + " ".join(parts)


def _format_field(name: str, value: Any) -> str:
    """Formats a field of a view. If the field is a code, returns the sentence for this code."""
    return _format_code(value, {}) if name in _CODES and value else _format_value(value)


def _show_times_locally(value: Any, clock: LocalClock) -> Any:
    """Returns a copy of a value of the local API in which all times are as local clocks
    show them.
    """
    if isinstance(value, dict):
        return {name: _show_times_locally(part, clock) for name, part in value.items()}
    if isinstance(value, list):
        return [_show_times_locally(part, clock) for part in value]
    is_time = isinstance(value, str) and _TIME.fullmatch(value)
    return format_time(value, clock) if is_time else value


def _format_value(value: Any) -> str:
    if isinstance(value, dict) and "name" not in value:
        parts = (f"{safe_line(name)}={_format_field(name, part)}" for name, part in value.items())
        return ", ".join(parts)
    if isinstance(value, dict):
        return format_person(value)
    if isinstance(value, list):
        return ", ".join(_format_value(part) for part in value)
    return safe_text(str(value)).replace("\n", "\n    ")


# Lines of rows that are no records.
_FORMATS: dict[str, Callable[[Shown], str]] = {
    "suggestion": _format_suggestion,
    "reciprocity": _format_quarter,
    "moved": _format_moved,
}
