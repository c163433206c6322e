"""Kinds of local feedback (specs/22-measures.md): a question about a service, and what people answer.

The views hold what people said, each once; what that comes to, and whether it is signal or noise, a
clock has a part in: `protocol.loops` works it out when it is shown.
"""

from datetime import date
from typing import Any

from protocol.authority.terms import MEASURE
from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.services.services import links_of
from protocol.loops.target_check import MOST_TARGET
from protocol.loops.windows import Calendar, day_of, format_day
from protocol.schema.bounds import outside
from protocol.schema.fields import Choice, Integer, Moment, Record, Text

YES_NO, ONE_TO_FIVE, MINUTES, COUNT = "yes_no", "one_to_five", "minutes", "count"
HIGHER, LOWER = "higher", "lower"
MERGEABLE_DAYS = 14
DAYS_BACK = 92  # that feedback may be about; a day ahead, for clocks and time zones differ

_WEEKS = Calendar(7, 0)

_SCALES = {  # the values that an answer may have
    YES_NO: range(2),
    ONE_TO_FIVE: range(1, 6),
    MINUTES: range(60 * 24 * 31 + 1),
    COUNT: range(2),
}
_TARGETS = {**_SCALES, COUNT: range(MOST_TARGET + 1)}


@kind("measure", about=("service",), relied_on=True)
class Measure(Kind):
    """A question about a service with a target that the neighbourhood agrees on."""

    states = ("proposed", "in use", "retired")

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """R-22.3: a decision has adopted it."""
        return bool(thread.authority.holding((MEASURE, entry.id)).n)

    question = Text(required=True, min=1, max=200)
    scale = Choice(required=True, words=(YES_NO, ONE_TO_FIVE, MINUTES, COUNT))
    better = Choice(words=(HIGHER, LOWER), help="which answers are good")
    target = Integer(
        min=0, max=60 * 24 * 31, help="an answer this good is good; or incidents a window"
    )
    share = Integer(
        min=1, max=99, help="percent of the answers that should be good; 80 if left out"
    )
    window = Integer(min=1, max=366, help="days that are counted together; 7 if left out")
    min_answers = Integer(min=1, max=1000, help="fewest people whose answers count together")
    who = Choice(words=("everybody", "served"), help="whose answers count; everybody if left out")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """What is usual where nothing is said."""
        del thread, today
        scale = entry.fields.get("scale")
        better = entry.fields.get("better", LOWER if scale in {COUNT, MINUTES} else HIGHER)
        usual = {
            "better": better,
            "share": None if scale == COUNT else 80,
            "target": int(better == HIGHER) if scale == YES_NO else None,
            "window": 7,
            "min_answers": 1,
            "who": "everybody",
        }
        return usual | entry.fields

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-22.3: software proposes what the charter's bounds allow."""
        amiss = outside(entry.fields, thread.authority.charter.get("bounds") or ())
        if amiss:
            raise Refused("R-22.3", f"{amiss}; a decision can change the bounds")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-22.1, R-22.3: proposed until a decision adopts it, within what a scale allows."""
        fields = entry.fields
        if fields.get("target") not in _TARGETS[fields["scale"]]:
            least, most = _TARGETS[fields["scale"]][0], _TARGETS[fields["scale"]][-1]
            raise Refused("R-22.1", f"its target is a number from {least} to {most}")
        if fields["scale"] == COUNT and fields.get("better", LOWER) != LOWER:
            raise Refused("R-22.1", "of what is counted, fewer are better")
        held = thread.authority.holding((MEASURE, entry.id))
        adopted = held.n % 2 and not outside(fields, thread.authority.charter.get("bounds") or ())
        state = "in use" if adopted else "retired" if held.n and not held.n % 2 else "proposed"
        thread.make_view(entry, state=state, offset=held.value if adopted else None)


@kind("feedback", about=("measure", "service"), plural="feedback")
class Feedback(Kind):
    """What somebody says of a service, or answers to a measure."""

    states = ("said",)
    value = Integer(min=0, max=60 * 24 * 31, help="the answer; of what is counted 1, or 0 for none")
    text = Text(max=2000)
    on = Moment(day_only=True, help="the day that it is about; today if left out")
    link = Record(help="the link of the chain that it is about, where one knows it")
    lang = Text(max=35, help="the language of the words, such as es")
    urgent = Choice(words=("yes", "no"), help="yes: everybody who holds a part is told at once")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Today, and one incident where something is reported."""
        measure = thread.find_view(entry.about, "measure")
        counted = measure is not None and measure["scale"] == COUNT
        return {"on": today, **({"value": 1} if counted else {}), **entry.fields}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-22.4: software answers what is in use, of days that have been and are not long gone."""
        measure = thread.find_view(entry.about, "measure")
        if measure is not None and measure["state"] != "in use":
            raise Refused("R-22.4", f"this measure is {measure['state']}; a decision adopts it")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-22.4: an answer that the measure's scale has; to a service anybody's words."""
        fields, measure = entry.fields, thread.find_view(entry.about, "measure")
        if measure is not None and fields.get("value") not in _SCALES[measure["scale"]]:
            allowed = _SCALES[measure["scale"]]
            raise Refused("R-22.4", f"an answer is a number from {allowed[0]} to {allowed[-1]}")
        if measure is None and not fields.get("text"):
            raise Refused("R-22.4", "feedback says something: --text")
        service, offset = (measure["about"], measure["offset"]) if measure else (entry.about, 0)
        today = Calendar(1, offset or 0).day_at(entry.time)
        on = fields.get("on") or format_day(today)
        if not -1 <= today - day_of(on) <= DAYS_BACK:
            raise Refused("R-22.4", f"feedback is about the last {DAYS_BACK} days")
        view = thread.make_view(entry, state="said", service=service)
        view["on"] = on
        if fields.get("urgent") == "yes":
            alarm = b"urgent %d " % _WEEKS.at(entry.time) + entry.person
            if thread.memo.setdefault(alarm, entry.id) != entry.id:
                view["urgent"] = None  # an alarm a person and week, or it is none


@kind("same_as", about=("feedback",), plural="merges")
class SameAs(Kind):
    """Says that two people have reported one incident: all of them stay its reporters."""

    states = ("said", "cancelled")
    other = Record(required=True, help="the other report")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-22.6: two reports to one measure, by anybody who is no party to the chain."""
        one, other = _pair(thread, entry)
        if entry.person in _parties(thread, one):
            raise Refused("R-22.6", "who holds a part of the service does not merge reports of it")
        if abs(_day(one) - _day(other)) > MERGEABLE_DAYS:
            raise Refused("R-22.6", f"they are more than {MERGEABLE_DAYS} days apart")
        thread.make_view(entry, state="said")

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-22.6: either reporter's word cancels it."""
        if _pair_key(view["about"], view["other"]) in thread.marks:
            view["state"] = "cancelled"


@kind("not_same", about=("feedback",), posted=True)
class NotSame(Kind):
    """A reporter's word that theirs is another incident."""

    other = Record(required=True, help="the other report")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-22.6: by one of the two reporters."""
        one, other = _pair(thread, entry)
        if entry.person not in {one["author"], other["author"]}:
            raise Refused("R-22.6", "only one of the two reporters says that they are not the same")
        thread.marks[_pair_key(one["id"], other["id"])].add("cancelled")


@kind("answer", about=("feedback", "measure"))
class Answer(Kind):
    """What somebody replies in public to what was said."""

    states = ("said",)
    text = Text(required=True, min=1, max=2000)
    reason = Choice(words=("explained", "being_done", "not_ours"), help="what kind of answer it is")
    to = Record(help="not ours: the link of who it is for, once they accept")


def _pair(thread: Thread, entry: Entry) -> tuple[View, View]:
    one = thread.find_view(entry.about, "feedback")
    other = thread.find_view(entry.fields["other"], "feedback")
    if one is None or other is None or one["id"] == other["id"]:
        raise Refused("R-22.6", "it names another report, which is here and counts")
    if one["about"] != other["about"] or thread.find_view(one["about"], "measure") is None:
        raise Refused("R-22.6", "both reports answer one measure")
    return one, other


def _pair_key(one: bytes, other: bytes) -> bytes:
    return b"".join(sorted((one, other)))


def _parties(thread: Thread, feedback: View) -> set[bytes]:
    service = thread.views[feedback["service"]]
    return {service["answers_for"], *(one["to"] for one in links_of(thread) if one["since"])}


def _day(view: View) -> int:
    return date.fromisoformat(view["on"]).toordinal()
