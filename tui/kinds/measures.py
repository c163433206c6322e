"""Shows a measure: its question, how it stands, its chart, and how people answer it. All functions
here are pure.

A point of the chart is the result of one window, a row of days. `n` is the number of answers, and
`bad` is how many of these are bad. For a measure that counts incidents, `n` is the number of
windows and `bad` is the number of incidents.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from textual.content import Content

from protocol.display_text import safe_line
from tui.format import control_chart, labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _, plural
from tui.kinds.next_steps import NextStep
from tui.kinds.proposal_steps import proposal_step

COUNT = "count"  # the scale of incidents
IN_USE = "in use"  # the state of a measure that a decision has put into use

_TITLE = 100
_WEEK = 7
_MARKS_OF_WORSE = {
    "w1": control_chart.WORSE,
    "w4": control_chart.WORSE_4,
    "r8": control_chart.RUN,
}
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
_ANSWERS = {
    ("yes_no", 1): _("yes"),
    ("yes_no", 0): _("no"),
    (COUNT, 1): _("it happened"),
}


def needs_attention(view: Shown) -> bool:
    """Returns whether a measure misses its target or is worse than usual."""
    return bool(view.get("short") or view.get("change") == "worse")


def standing_sentence(view: Shown) -> str:
    """Says in one sentence how a measure stands. If the measure needs attention, the sentence
    begins with "!".
    """
    sentence = view.get("sentence")
    if view.get("state") == "retired":
        return _("No longer asked: the neighbourhood decided this.")
    if not sentence:
        return _("Proposed: it starts once neighbours vote for it.")
    if needs_attention(view):
        return "! " + safe_line(sentence, 200)
    if view.get("matter"):  # a measure of incidents opens a matter before its window has settled
        return "! " + _("A matter is open.") + " " + safe_line(sentence, 200)
    return safe_line(sentence, 200)


def measure_card(view: Shown) -> Card:
    """Makes the card of a measure, with its question and how it stands."""
    quiet = not needs_attention(view) and not view.get("matter")
    question = phrases.line_or_hidden(view["question"])
    return Card(view["id"], question, standing_sentence(view), quiet)


def target_sentence(view: Shown) -> str:
    """Says in words what the target of a measure asks for."""
    target = view["target"]
    is_lower_better = view.get("better") == "lower"
    if view["scale"] == COUNT:
        return _("At most {n} {span}.").format(n=target, span=_per_window(view["window"]))
    if view["scale"] == "yes_no":
        good = labels.state("no" if is_lower_better else "yes")
    else:
        good = _("at most {value}") if is_lower_better else _("at least {value}")
        good = good.format(value=answer_in_words(view, target))
    sentence = _("In {span}, {share} % of the answers should be: {good}.")
    return sentence.format(share=view["share"], good=good, span=windows_in_words(view["window"], 1))


def answer_in_words(view: Shown | None, value: int | None) -> str:
    """Puts the value of an answer into words that fit the scale of its measure. If the answer has a
    text but no value, returns an empty text.
    """
    if view is None or value is None:
        return ""
    scale = view["scale"]
    if scale == "one_to_five":
        return _("{n} of 5").format(n=value)
    if scale == "minutes":
        return phrases.minutes(value) or _("0 min")
    return _ANSWERS.get((scale, value), _("all is fine"))


def windows_in_words(days: int, count: int) -> str:
    """Says in words how long `count` windows are together, for example "3 weeks". `days` is the
    length of one window.
    """
    if days == _WEEK:
        return plural("{n} week", "{n} weeks", count).format(n=count)
    if days == 1:
        return plural("{n} day", "{n} days", count).format(n=count)
    return plural("{days} days", "{n} times {days} days", count).format(n=count, days=days)


def result_in_words(view: Shown, point: Shown) -> str:
    """Puts a point, or the sum of several points, into words: how many answers are good, out of how
    many. For incidents: how many happened, in what time.
    """
    if view["scale"] == COUNT:
        span = windows_in_words(view["window"], max(1, point["n"]))
        return _("{bad} in {span}").format(bad=point["bad"], span=span)
    good = point["n"] - point["bad"]
    return _("{good} of {n} answers good").format(good=good, n=point["n"])


def draw_measure(view: Shown, width: int, height: int, today: date) -> Content:
    """Says how a measure stands. If the measure has points, draws its chart below this sentence."""
    points = view.get("points") or []
    heading = Content.assemble((standing_sentence(view), "bold"), "\n")
    if not points:
        return heading
    chart_points = [_chart_point(view, point, today) for point in points]
    usual = view.get("usual")
    usual_level = _level(view, usual["n"], usual["bad"]) if usual else None
    if view["scale"] == COUNT:
        lines = control_chart.ReferenceLines(view["target"], usual_level)
    else:
        lines = control_chart.ReferenceLines(view["share"], usual_level, "%", 100)
    return heading + control_chart.draw_chart(chart_points, lines, width, height) + "\n"


def measure_story(view: Shown, today: date) -> Iterator[Part]:
    """Yields the text below the chart of a measure: how many people answered, and what the target
    is.
    """
    if view["state"] == IN_USE:
        yield _participation(view) + "\n"
        if view.get("points") and not view.get("usual"):
            yield _("8 points are needed before it shows what is usual.") + "\n"
    yield (_("Target") + ": ", "dim")
    yield target_sentence(view)
    if view.get("who") == "served":
        yield " " + _("Only people served recently count.")
    yield "\n" + _("Asked by {who}, {day}.").format(
        who=phrases.name(view["author"]), day=phrases.moment(view["created"], today)
    )


def report_steps(view: Shown) -> Iterator[NextStep]:
    """Yields the step that answers a measure. The form offers the answers of the measure's scale.
    If the measure is not in use, yields nothing.
    """
    if view["state"] != IN_USE:
        return
    if view["scale"] == COUNT:
        label = _("Report: {question}")
        meaning = _(
            "Tell us when it happens – and sometimes that all is well; no answer counts as no "
            "answer. Everybody in the neighbourhood can read who said what."
        )
    else:
        label = _("Answer: {question}")
        meaning = _(
            "Your latest answer in {span} counts. Everybody in the neighbourhood can read who "
            "said what; screens show it once a few have answered."
        ).format(span=windows_in_words(view["window"], 1))
    choices = _CHOICES.get(view["scale"])
    yield NextStep(
        kind="feedback",
        about=view["id"],
        label=label.format(question=phrases.line_or_hidden(view["question"], 60)),
        meaning=meaning,
        fields=("value", "text", "on", "urgent"),
        choices={"value": choices} if choices else {},
    )


def adoption_step(view: Shown) -> NextStep:
    """Returns the step that proposes to use a measure. If the measure is in use already, the step
    proposes to stop using it.
    """
    question = phrases.line_or_hidden(view["question"], _TITLE)
    if view["state"] == IN_USE:
        heading = _("Stop asking: {question}").format(question=question)
        return proposal_step(f"retire {view['id']}", _("Propose to stop asking this"), heading)
    heading = _("Ask: {question}").format(question=question)
    label = _("Propose to ask everybody this question")
    return proposal_step(f"adopt {view['id']}", label, heading)


def _chart_point(view: Shown, point: Shown, today: date) -> control_chart.ChartPoint:
    limit = point.get("limit")
    return control_chart.ChartPoint(
        window=point["window"],
        value=_level(view, point["n"], point["bad"]),
        limit=None if limit is None else _level(view, point["n"], limit),
        mark=_mark(view, point["window"]),
        day=phrases.moment(point["from"], today),
    )


def _level(view: Shown, n: int, bad: int) -> Fraction:
    """Returns how high to draw a point: the number of incidents in a window, or the percentage of
    good answers.
    """
    if view["scale"] == COUNT:
        return Fraction(bad, n)
    return Fraction(100 * (n - bad), n)


def _mark(view: Shown, window: int) -> str:
    """Returns the character that marks a window's point. If the window is a signal, this is the
    mark of the signal; if not, the ordinary mark.
    """
    for signal in view.get("signals") or []:
        if signal["window"] == window:
            if signal["change"] == "worse":
                return _MARKS_OF_WORSE.get(signal.get("by"), control_chart.WORSE)
            return control_chart.SHORT if signal["short"] else control_chart.BETTER
    return control_chart.ORDINARY


def _participation(view: Shown) -> str:
    answered = view.get("answered") or {"people": 0, "of": 0, "parties": None}
    sentence = _("{people} of {of} have answered so far in this {span}.").format(
        people=answered["people"], of=answered["of"], span=_window_noun(view["window"])
    )
    proxies = (view.get("points") or [{}])[-1].get("by_proxy")
    if proxies:
        sentence += " " + _("Last time, {n} by proxy.").format(n=proxies)
    if answered["parties"]:
        result = _parties_result(view, answered["parties"])
        sentence += "\n" + _("Apart from that, those who provide it say: {told}.").format(
            told=result
        )
    return sentence


def _parties_result(view: Shown, point: Shown) -> str:
    """Says what the providers of the service report themselves. For a measure that counts
    incidents, says only how many reports they made.
    """
    if view["scale"] != COUNT:
        return result_in_words(view, point)
    count = point["bad"]
    return plural("{n} report", "{n} reports", count).format(n=count)


def _per_window(days: int) -> str:
    if days == _WEEK:
        return _("a week")
    return _("a day") if days == 1 else _("in {days} days").format(days=days)


def _window_noun(days: int) -> str:
    if days == _WEEK:
        return _("week")
    return _("day") if days == 1 else _("time of {days} days").format(days=days)
