"""The index reads needs and offers from views of any kind."""

from typing import ClassVar

import pytest

from meshcoop.matching.index import MatchingIndex
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

ANNA, BO = b"a" * 32, b"b" * 32


@pytest.fixture(scope="module")
def note():
    """Registers a kind of a plug-in. Its records give the facts that a test puts into them."""
    before = dict(KINDS)

    @kind("test.note")
    class Note(Kind):
        class State(States):
            KEPT = "kept", "Always."

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
        self.change_count = 0

    def write(self, row, *facts, author=ANNA, moved=(), created=0):
        self.change_count += 1
        values = {**self._note.blank, "id": bytes([row]) * 32, "kind": "test.note"}
        values |= {"author": author, "created": created or row, "about": None}
        values |= {"facts": list(facts), "moved": list(moved)}
        self.rows[row] = (self._note.of_values(values), self.change_count)

    def remove(self, row):
        self.change_count += 1
        del self.rows[row]

    def in_row(self, row):
        return self.rows[row][0]

    def find(self, record_id):
        return next((view for view, _ in self.rows.values() if view.id == record_id), None)

    def hashes_of_kinds(self, kinds):
        assert "test.note" in kinds
        return {row: str(count).encode() for row, (_, count) in self.rows.items()}


@pytest.fixture
def views(note):
    return FakeViews(note)


@pytest.fixture
def index(views):
    return MatchingIndex(views)


def brought(index, person):
    return {(entry.source, *sorted(entry.written)) for entry in index.of_person(person)}


def test_a_post_of_any_kind_is_a_need_or_an_offer(views, index):
    views.write(1, Post(is_need=True, title="Yoruba lessons", lang="en"))
    views.write(2, Portrait("Bo", None, assets=("Yoruba",)), author=BO)
    index.update(())
    (need,) = index.of_person(ANNA)
    assert (need.is_need, need.is_post, need.source) == (True, True, "test.note")
    assert [(offer.person, offer.source) for offer in index.counterparts(need)] == [(BO, "assets")]
    assert index.find_post(need.id) == need


def test_two_posts_of_one_view_do_not_replace_each_other(views, index):
    views.write(1, Post(is_need=True, title="Sewing"), Post(is_need=True, title="Sewing a skirt"))
    index.update(())
    assert len(index.entries_about("sewing", is_need=True)) == 2
    views.remove(1)
    index.update(())
    assert not index.entries_about("sewing", is_need=True)


def test_only_the_latest_portrait_counts(views, index):
    views.write(2, Portrait("Anna", None, assets=("hemming",), area="Mill Lane"))
    views.write(1, Portrait("Anna", None, assets=("Yoruba",)))
    index.update(())
    assert brought(index, ANNA) == {("assets", "sewing")}
    views.write(3, Portrait("Anna", None, wants=("Yoruba",)))
    index.update(())
    assert brought(index, ANNA) == {("wants", "speaks:yo")}
    assert index.profile_of(ANNA).area is None
    views.remove(3)
    index.update(())
    assert brought(index, ANNA) == {("assets", "sewing")}
    assert index.profile_of(ANNA).area == "Mill Lane"
    views.remove(2)
    views.remove(1)
    index.update(())
    assert brought(index, ANNA) == set()


def test_words_that_mean_the_same_are_learnt_and_forgotten(views, index):
    views.write(1, Post(is_need=True, title="okada"))
    index.update(())
    assert "driving" not in index.of_person(ANNA)[0].written
    views.write(2, SameWords(("okada", "lift")), author=BO)
    index.update(())
    assert "driving" in index.of_person(ANNA)[0].written
    index.update({BO})
    assert "driving" not in index.of_person(ANNA)[0].written


def test_time_that_is_given_or_promised_is_an_exchange(views, index):
    credit = Credit(b"c" * 32, "test.note", 0, "2026-11-23", ANNA, BO, 60)
    promise = Promise(BO, ANNA, 30, "2026-11-24T10:00")
    views.write(1, promise, moved=[credit])
    index.update(())
    assert [exchange.minutes for exchange in index.exchanges.given()] == [60]
    assert sorted(exchange.minutes for exchange in index.exchanges.of_person(BO)) == [30, 60]
    assert index.exchanges.is_busy(ANNA, "2026-11-24T10:15", None)
    views.write(1)
    index.update(())
    assert list(index.exchanges.of_person(BO)) == []


def test_answers_and_good_words_go_with_their_views(views, index):
    views.write(1, Answered(b"p" * 32), Recommendation(BO))
    index.update(())
    assert index.answered_posts() == {(b"p" * 32, ANNA)}
    assert [(word.author, word.person) for word in index.good_words()] == [(ANNA, BO)]
    views.remove(1)
    index.update(())
    assert not index.answered_posts()
    assert not list(index.good_words())


def test_a_few_views_at_a_time_give_the_same_index(views, index):
    for row in range(1, 8):
        views.write(row, Post(is_need=row % 2 == 0, title="okada"))
    views.write(8, SameWords(("okada", "lift")))
    rounds = 1
    while index.update((), 3):
        rounds += 1
    assert rounds > 3
    assert len(index.of_person(ANNA)) == 7
    assert all("driving" in entry.written for entry in index.of_person(ANNA))
