"""The index reads needs and offers from views of any kind."""

from datetime import UTC
from typing import ClassVar

import pytest

from meshcoop.fold.code_failures import CodeFailures
from meshcoop.fold.views import ViewChanges
from meshcoop.matching.index import MatchingIndex
from meshcoop.matching.unread_rows import MAX_POSTS
from meshcoop.matching.vocabulary import Vocabulary
from meshcoop.store.view_tables.view_rows import ViewPlace
from protocol.fold.facets import (
    Answered,
    Credit,
    Portrait,
    Post,
    Promise,
    Recommendation,
    SameWords,
)
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import KINDS, kind
from protocol.fold.view import States
from tests.support.work import count_calls

ANNA, BO = b"a" * 32, b"b" * 32
LOG = 1


@pytest.fixture(scope="module")
def note():
    """Registers a kind of a plug-in. Its records give the facts that a test puts into them."""
    before = dict(KINDS)

    @kind("test.note")
    class Note(Kind):
        class State(States):
            KEPT = "kept", "Always."

        on_board = True
        wording = Words("Note", happened="{who} wrote a note")
        example: ClassVar = {}

        facts: list
        moved: list

        def matching_facts(self):
            return self.facts

        def credits(self):
            return self.moved

    yield Note
    KINDS.clear()
    KINDS.update(before)


class FakeViews:
    """The views of a home, in memory. A row can be written and removed."""

    def __init__(self, note):
        self._note = note
        self.rows = {}
        self.changes = ViewChanges()
        self.placed = 0  # places that the index has asked for

    def write(self, row, *facts, author=ANNA, moved=(), created=0):
        self.changes.rows.add(row)
        values = {**self._note.blank, "id": row.to_bytes(32, "big"), "kind": "test.note"}
        values |= {"author": author, "created": created or row, "about": None}
        values |= {"facts": list(facts), "moved": list(moved)}
        self.rows[row] = self._note.of_values(values)

    def remove(self, row):
        self.changes.rows.add(row)
        del self.rows[row]

    def in_row(self, row):
        return self.rows[row]

    def find(self, record_id):
        return next((view for view in self.rows.values() if view.id == record_id), None)

    def follow(self):
        return self.changes

    def places_after(self, n, kinds, limit):
        assert "test.note" in kinds
        later = [row for row in sorted(self.rows) if row > n]
        return self.places_in_rows(later[:limit])

    def places_in_rows(self, rows):
        places = [ViewPlace(row, "test.note", LOG) for row in rows if row in self.rows]
        self.placed += len(places)
        return places


def refresh(index, muted=(), max_views=None):
    """Updates an index to the end. Returns the number of steps."""
    steps = 1
    while index.update(muted, UTC, max_views) or index.needs_vocabulary:
        steps += 1
        if index.needs_vocabulary:
            index.use_vocabulary(Vocabulary(index.synonyms), index.synonyms)
    return steps


@pytest.fixture
def views(note):
    return FakeViews(note)


@pytest.fixture
def index(views):
    return MatchingIndex(views, CodeFailures())


def brought(index, person):
    return {(entry.source, *sorted(entry.written)) for entry in index.of_person(person)}


def test_a_post_of_any_kind_is_a_need_or_an_offer(views, index):
    views.write(1, Post(is_need=True, title="Yoruba lessons", lang="en"))
    views.write(2, Portrait("Bo", None, assets=("Yoruba",)), author=BO)
    refresh(index)
    (need,) = index.of_person(ANNA)
    assert (need.is_need, need.is_post, need.source) == (True, True, "test.note")
    assert [(offer.person, offer.source) for offer in index.counterparts(need)] == [(BO, "assets")]
    assert index.find_post(need.id) == need


def test_two_posts_of_one_view_do_not_replace_each_other(views, index):
    views.write(1, Post(is_need=True, title="Sewing"), Post(is_need=True, title="Sewing a skirt"))
    refresh(index)
    assert len(index.entries_about("sewing", is_need=True)) == 2
    views.remove(1)
    refresh(index)
    assert not index.entries_about("sewing", is_need=True)


def test_only_the_latest_portrait_counts(views, index):
    views.write(2, Portrait("Anna", None, assets=("hemming",), area="Mill Lane"))
    views.write(1, Portrait("Anna", None, assets=("Yoruba",)))
    refresh(index)
    assert brought(index, ANNA) == {("assets", "sewing")}
    views.write(3, Portrait("Anna", None, wants=("Yoruba",)))
    refresh(index)
    assert brought(index, ANNA) == {("wants", "speaks:yo")}
    assert index.profile_of(ANNA).area is None
    views.remove(3)
    refresh(index)
    assert brought(index, ANNA) == {("assets", "sewing")}
    assert index.profile_of(ANNA).area == "Mill Lane"
    views.remove(2)
    views.remove(1)
    refresh(index)
    assert brought(index, ANNA) == set()


def test_words_that_mean_the_same_are_learnt_and_forgotten(views, index):
    views.write(1, Post(is_need=True, title="okada"))
    refresh(index)
    assert "driving" not in index.of_person(ANNA)[0].written
    views.write(2, SameWords(("okada", "lift")), author=BO)
    refresh(index)
    assert "driving" in index.of_person(ANNA)[0].written
    refresh(index, {BO})
    assert "driving" not in index.of_person(ANNA)[0].written


def test_time_that_is_given_or_promised_is_an_exchange(views, index):
    credit = Credit(b"c" * 32, "test.note", 0, "2026-11-23", ANNA, BO, 60)
    promise = Promise(BO, ANNA, 30, "2026-11-24T10:00")
    views.write(1, promise, moved=[credit])
    refresh(index)
    assert [exchange.minutes for exchange in index.exchanges.given()] == [60]
    assert sorted(exchange.minutes for exchange in index.exchanges.of_person(BO)) == [30, 60]
    assert index.exchanges.is_busy(ANNA, "2026-11-24T10:15", None)
    views.write(1)
    refresh(index)
    assert list(index.exchanges.of_person(BO)) == []


def test_answers_and_good_words_go_with_their_views(views, index):
    views.write(1, Answered(b"p" * 32), Recommendation(BO))
    refresh(index)
    assert set(index.answered_posts()) == {(b"p" * 32, ANNA)}
    assert [(word.author, word.person) for word in index.good_words()] == [(ANNA, BO)]
    views.remove(1)
    refresh(index)
    assert not index.answered_posts()
    assert not list(index.good_words())


def test_a_few_views_at_a_time_give_the_same_index(views, index):
    for row in range(1, 8):
        views.write(row, Post(is_need=row % 2 == 0, title="okada"))
    views.write(8, SameWords(("okada", "lift")))
    assert refresh(index, max_views=3) > 3
    assert len(index.of_person(ANNA)) == 7
    assert all("driving" in entry.written for entry in index.of_person(ANNA))


def test_the_first_reading_looks_once_at_each_view(views, index):
    for row in range(1, 1201):
        views.write(row, Post(is_need=True, title="okada"))
    refresh(index, max_views=20)
    assert views.placed == 1200


def test_of_many_open_posts_of_one_device_the_newest_count(views, index):
    for row in range(1, MAX_POSTS + 21):
        views.write(row, Post(is_need=True, title="okada"))
    refresh(index, max_views=7)
    assert {entry.created for entry in index.of_person(ANNA)} == set(range(21, MAX_POSTS + 21))
    views.write(200, Post(is_need=True, title="okada"))
    views.write(100)  # it is not open any more
    views.remove(99)
    refresh(index, max_views=7)
    counted = {*range(20, MAX_POSTS + 21), 200} - {99, 100}
    assert {entry.created for entry in index.of_person(ANNA)} == counted


def test_one_more_post_costs_the_same_among_few_and_among_many(views, index):
    costs = []
    for row in range(1, 1201):
        views.write(row, Post(is_need=True, title="okada"))
        if row in {300, 1200}:
            refresh(index)
            views.write(row + 2000, Post(is_need=True, title="okada"))
            costs.append(count_calls(lambda: refresh(index)))
    assert costs[1] < 1.5 * costs[0]
