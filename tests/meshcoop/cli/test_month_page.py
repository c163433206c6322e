"""The page of a month: what it says and what it leaves out. No text that a person wrote can change
the form of the page.
"""

from html.parser import HTMLParser

import pytest

from meshcoop.cli.month_page import MonthPage
from tests.support.clocks import clock_at

NEW_YORK = "America/New_York"
ADA, BEN = {"id": "a", "name": "Ada"}, {"id": "b", "name": "Ben"}


def service(**more):
    link = {"title": "The south side", "to": BEN, "state": "offered"}
    return {
        "id": "s", "created": "2026-10-01T08:00:00Z", "title": "Bin collection", "holder": BEN,
        "answers_for": ADA, "links": [link], **more,
    }  # fmt: skip


def measure(**more):
    points = [
        {"window": 1, "from": "2026-11-09", "n": 1, "bad": 5},
        {"window": 2, "from": "2026-12-07", "n": 1, "bad": 77},
    ]
    return {
        "id": "m", "about": "s", "created": "2026-10-02T08:00:00Z", "state": "in use",
        "question": "Were bins missed?", "scale": "count", "better": "lower", "target": 2,
        "share": None, "window": 7, "points": points, **more,
    }  # fmt: skip


def matter(**more):
    came = {"before": {"n": 1, "bad": 5}, "after": {"n": 1, "bad": 1}, "result": "fewer"}
    return {
        "id": "x", "measure": {"id": "m"}, "created": "2026-11-12T09:00:00Z",
        "closed": "2026-11-26T00:00:00Z", "reading": "short_and_worse", "raised_by": 6,
        "actions": ["a1"], "outcome": came, **more,
    }  # fmt: skip


def action(**more):
    told = {"what": "A second lorry", "author": BEN, "state": "confirmed", "fixed": {"yes": 3}}
    return {"id": "a1", **told, **more}


def page(month="2026-11", *, services=None, measures=None, matters=None, actions=None, zone=None):
    lists = {
        "services": [service()] if services is None else services,
        "measures": [measure()] if measures is None else measures,
        "matters": [matter()] if matters is None else matters,
        "actions": [action()] if actions is None else actions,
    }
    return MonthPage(month, clock_at("2026-11-28", zone), **lists).render("Rushey Lane", 3)


def test_it_says_what_was_asked_heard_done_and_whether_it_helped():
    told = page()
    for words in (
        "<h1>Rushey Lane, November 2026</h1>",
        "Ben holds it; Ada answers for it.",
        "The south side: offered to Ben, not accepted.",
        "at most 2 times in 7 days",
        "<td>2026-11-09</td><td>5</td>",
        "6 people raised it on 2026-11-12.",
        "A second lorry (Ben; confirmed). Those who raised it said of “fixed?”: yes 3.",
        "5 times in 7 days before, once in 7 days after. It is less than before",
    ):
        assert words in told
    assert "77" not in told


@pytest.mark.parametrize(
    ("month", "there"),
    [("2026-10", False), ("2026-11", True), ("2026-12", False)],
)
def test_a_matter_is_told_in_the_months_in_which_it_is_open(month, there):
    assert ("short of the target." in page(month)) == there
    still = page(month, matters=[matter(closed=None, outcome=None)])
    assert ("it is open." in still) == (month != "2026-10")


def test_what_was_not_asked_yet_is_left_out():
    assert "Nothing was asked this month." in page("2026-09")
    assert "Nothing was asked this month." in page(measures=[measure(state="proposed", points=[])])
    assert "too little to say anything" in page(measures=[measure(points=[])])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"scale": "yes_no", "better": "higher", "target": 1},
            "80 of a hundred answers shall be yes",
        ),
        ({"scale": "yes_no", "better": "lower", "target": 0}, "shall be no,"),
        ({"scale": "one_to_five", "better": "higher", "target": 4}, "shall be at least 4,"),
        ({"scale": "minutes", "better": "lower", "target": 20}, "shall be at most 20 minutes,"),
    ],
)
def test_answers_have_a_target_and_are_counted(fields, words):
    told = page(measures=[measure(share=80, **fields)])
    assert words in told
    assert "<td>5</td><td>1</td>" in told
    assert "5 of 1 answers short of it before" in told


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_nobodys_words_steer_the_page():
    nasty = "<script>alert(1)</script><img src=x onerror=y>\"'&\x1b[2J\u202e"
    who = {"id": "b", "name": nasty}
    link = {"title": nasty, "to": who, "state": "offered"}
    told = page(
        services=[service(title=nasty, holder=who, answers_for=who, links=[link])],
        measures=[measure(question=nasty)],
        matters=[matter(reading=nasty)],
        actions=[action(what=nasty, author=who)],
    )
    plain, poisoned = Tags(), Tags()
    plain.feed(page())
    poisoned.feed(told)
    assert (poisoned.found, poisoned.attributes) == (plain.found, plain.attributes)
    assert not set("\x1b\u202e") & set(told)
    assert "http" not in told


def test_a_matter_belongs_to_the_local_month_and_day():
    late_evening = {"created": "2026-12-01T03:30:00Z", "closed": None, "outcome": None}

    assert "raised it on 2026-11-30" in page(matters=[matter(**late_evening)], zone=NEW_YORK)
    assert "raised it" not in page(matters=[matter(**late_evening)])
