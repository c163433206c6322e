"""Measures: what a question is, how it stands, its chart, and how it is answered. Pure."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

from textual.content import Content

from protocol.display_text import line
from tui.format import control_chart as chart
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.next_steps import Act
from tui.kinds.proposal_steps import proposal_step

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

COUNT, IN_USE = "count", "in use"
_TITLE = 100
_WEEK = 7
_WORSE = {"w1": chart.WORSE, "w4": chart.WORSE_4, "r8": chart.RUN}
_CHOICES = {
    "yes_no": ((_("yes"), "1"), (_("no"), "0")),
    "one_to_five": (
        (_("1 – very bad"), "1"),
        ("2", "2"),
        ("3", "3"),
        ("4", "4"),
        (_("5 – very good"), "5"),
    ),
    COUNT: ((_("it happened"), "1"), (_("all is fine: it did not happen"), "0")),
}


def is_amiss(view: Shown) -> bool:
    """Whether it is short of its target, or worse than usual."""
    return bool(view.get("short") or view.get("change") == "worse")


def sentence(view: Shown) -> str:
    """How it stands, in one sentence; a mark before it where something is amiss."""
    told = view.get("sentence")
    if view.get("state") == "retired":
        return _("Not asked any more: so it was decided.")
    if not told:
        return _("Proposed: it counts once a decision adopts it.")
    if is_amiss(view):
        return "! " + line(told, 200)
    if view.get("matter"):  # what is counted opens one before its window has settled
        return "! " + _("A matter is open.") + " " + line(told, 200)
    return line(told, 200)


def card(view: Shown) -> Card:
    """One in a list."""
    quiet = not is_amiss(view) and not view.get("matter")
    return Card(view["id"], telling.line_or_hidden(view["question"]), sentence(view), quiet)


def promise(view: Shown) -> str:
    """What the target asks for."""
    scale, target, lower = view["scale"], view["target"], view.get("better") == "lower"
    if scale == COUNT:
        return _("At most {n} {span}.").format(n=target, span=_each(view["window"]))
    if scale == "yes_no":
        good = words.state("no" if lower else "yes")
    else:
        value = told_value(view, target)
        good = (_("at most {value}") if lower else _("at least {value}")).format(value=value)
    told = _("Of the answers of {span}, {share} % are to be: {good}.")
    return told.format(share=view["share"], good=good, span=span(view["window"], 1))


def told_value(view: Shown | None, value: int | None) -> str:
    """An answer in words."""
    if view is None or value is None:
        return ""
    scale = view["scale"]
    if scale == "one_to_five":
        return _("{n} of 5").format(n=value)
    if scale == "minutes":
        return telling.minutes(value) or _("0 min")
    return {("yes_no", 1): _("yes"), ("yes_no", 0): _("no"), (COUNT, 1): _("it happened")}.get(
        (scale, value), _("all is fine")
    )


def span(days: int, n: int) -> str:
    """So many windows."""
    if days == _WEEK:
        return plural("{n} week", "{n} weeks", n).format(n=n)
    if days == 1:
        return plural("{n} day", "{n} days", n).format(n=n)
    return plural("{days} days", "{n} times {days} days", n).format(n=n, days=days)


def came(view: Shown, pair: Shown) -> str:
    """Points in words: how many bad ones, of how many."""
    if view["scale"] == COUNT:
        told = span(view["window"], max(1, pair["n"]))
        return _("{bad} in {span}").format(bad=pair["bad"], span=told)
    return _("{good} of {n} answers good").format(good=pair["n"] - pair["bad"], n=pair["n"])


def drawn(view: Shown, width: int, height: int, today: date) -> Content:
    """How it stands, in words, and the chart below them if there are points."""
    points = view.get("points") or []
    told = Content.assemble((sentence(view), "bold"), "\n")
    if not points:
        return told
    dots = [
        chart.Dot(
            one["window"],
            _value(view, one["n"], one["bad"]),
            None if one.get("limit") is None else _value(view, one["n"], one["limit"]),
            _mark(view, one["window"]),
            telling.moment(one["from"], today),
        )
        for one in points
    ]
    usual = view.get("usual")
    level = _value(view, usual["n"], usual["bad"]) if usual else None
    if view["scale"] == COUNT:
        lines = chart.Lines(view["target"], level)
    else:
        lines = chart.Lines(view["share"], level, "%", 100)
    return told + chart.draw(dots, lines, width, height) + "\n"


def story(view: Shown, today: date) -> Iterator[Part]:
    """Below the chart: who answered, and what the target is."""
    if view["state"] == IN_USE:
        yield _participation(view) + "\n"
        if view.get("points") and not view.get("usual"):
            yield _("8 points are needed before it shows what is usual.") + "\n"
    yield (_("Target") + ": ", "dim")
    yield promise(view)
    if view.get("who") == "served":
        yield " " + _("Only who was served lately counts.")
    yield "\n" + _("Asked by {who}, {day}.").format(
        who=telling.name(view["author"]), day=telling.moment(view["created"], today)
    )


def saying(view: Shown) -> Iterator[Act]:
    """Answering it, with what its scale has to choose from."""
    if view["state"] != IN_USE:
        return
    counts = view["scale"] == COUNT
    label = _("Report: {question}") if counts else _("Answer: {question}")
    said = _(
        "Your latest answer for a {span} counts. Everybody in the neighbourhood can read who said "
        "what; screens show it once a few have answered."
    )
    each = _(
        "Say it when it happened, and now and then that all is fine: silence counts as nothing. "
        "Everybody in the neighbourhood can read who said what."
    )
    choices = _CHOICES.get(view["scale"])
    yield Act(
        kind="feedback",
        about=view["id"],
        label=label.format(question=telling.line_or_hidden(view["question"], 60)),
        said=each if counts else said.format(span=span(view["window"], 1)),
        fields=("value", "text", "on", "urgent"),
        choices={"value": choices} if choices else {},
    )


def deciding(view: Shown) -> Iterator[Act]:
    """Proposing that it be used, or no more."""
    named = telling.line_or_hidden(view["question"], _TITLE)
    if view["state"] == IN_USE:
        label, heading = _("Propose to stop asking this"), _("Stop asking: {question}")
        yield proposal_step(f"retire {view['id']}", label, heading.format(question=named))
    else:
        label, heading = _("Propose that everybody uses this question"), _("Ask: {question}")
        yield proposal_step(f"adopt {view['id']}", label, heading.format(question=named))


def _participation(view: Shown) -> str:
    answered = view.get("answered") or {"people": 0, "of": 0, "parties": None}
    told = _("{people} of {of} have answered so far in this {span}.").format(
        people=answered["people"], of=answered["of"], span=_one(view["window"])
    )
    proxies = (view.get("points") or [{}])[-1].get("by_proxy")
    if proxies:
        told += " " + _("The time before, {n} by proxy.").format(n=proxies)
    parties = answered["parties"]
    if parties:
        told += "\n" + _("Apart from that, who provides it says: {told}.").format(
            told=came(view, parties)
            if view["scale"] != COUNT
            else plural("{n} report", "{n} reports", parties["bad"]).format(n=parties["bad"])
        )
    return told


def _value(view: Shown, n: int, bad: int) -> Fraction:
    """A point on the axis: incidents a window, or percent of good answers."""
    if view["scale"] == COUNT:
        return Fraction(bad, n)
    return Fraction(100 * (n - bad), n)


def _mark(view: Shown, window: int) -> str:
    for one in view.get("signals") or []:
        if one["window"] == window:
            if one["change"] == "worse":
                return _WORSE.get(one.get("by"), chart.WORSE)
            if one["short"]:
                return chart.SHORT
            return chart.BETTER
    return chart.ORDINARY


def _each(days: int) -> str:
    if days == _WEEK:
        return _("a week")
    return _("a day") if days == 1 else _("in {days} days").format(days=days)


def _one(days: int) -> str:
    if days == _WEEK:
        return _("week")
    return _("day") if days == 1 else _("time of {days} days").format(days=days)
