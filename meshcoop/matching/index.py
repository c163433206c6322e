"""The matching index: everything that matching needs, grouped by topic. The index is updated from
the views and can be rebuilt at any time.

The index does not depend on single kinds. It reads the credits and the matching facts of views.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, tzinfo
from itertools import islice

from meshcoop.fold.code_failures import CodeFailures
from meshcoop.fold.views import Views
from meshcoop.matching.exchanges import Exchanges
from meshcoop.matching.introductions import GoodWord
from meshcoop.matching.needs_and_offers import NeedOrOffer, Profile, read_portrait, read_post
from meshcoop.matching.portraits import PortraitRows
from meshcoop.matching.topics import is_word
from meshcoop.matching.unread_rows import UnreadRows
from meshcoop.matching.vocabulary import Vocabulary
from protocol.errors import Refused
from protocol.fold.facets import (
    Answered,
    Credit,
    MatchingFact,
    Portrait,
    Post,
    Promise,
    Recommendation,
    SameWords,
)
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS

_MAX_SYNONYMS = 200  # lists of words that mean the same; each makes every text slower to read
_WORDS_COST = 10  # to read the words of a view in all languages takes this many times as long

_PLACES_AT_ONCE = 500  # places of views that are read in one step
_MAX_COUNTERPARTS = 200  # for one topic, the newest

# A word says something about an entry if few entries have it: at most 3, or one for each 50 people.
_RARE = 3
_PEOPLE_PER_USER = 50
_NO_PROFILE = Profile({})

Synonyms = list[tuple[str, ...]]

EntryKey = tuple[int, int]  # the row of a view, and the place among the entries of that view


class MatchingIndex:
    """An index of needs and offers, by topic and by person. The index also holds exchanges, answers
    to posts, and good words: records in which people speak well of each other.
    """

    def __init__(self, views: Views, failures: CodeFailures) -> None:
        self._views = views
        self._failures = failures
        self._changes = views.follow()
        self._muted: frozenset[bytes] = frozenset()
        self._zone: tzinfo = UTC  # by its clocks the index knows the days of posts and exchanges
        self._vocabulary: Vocabulary | None = None
        self._vocabulary_synonyms: Synonyms = []  # those that the vocabulary knows
        self._clear()

    def _clear(self) -> None:
        """Empties the index, so that it reads all views again."""
        self._last_row: int | None = 0  # views up to this row are known; None: all are
        self._changed_rows: list[int] = []
        self._unread = UnreadRows()
        self._read_rows: set[int] = set()
        # The first fields need no vocabulary. They are filled as soon as a view is read.
        self.exchanges = Exchanges(self._zone)
        self._answers: dict[int, set[tuple[bytes, bytes]]] = defaultdict(set)
        self._answered: Counter[tuple[bytes, bytes]] = Counter()
        self._good_words: dict[int, list[GoodWord]] = defaultdict(list)
        self._same_words: dict[int, list[tuple[bytes, SameWords]]] = defaultdict(list)
        self._synonyms: Synonyms | None = None  # None: to be gathered again
        self._portraits = PortraitRows()
        # The next fields need the vocabulary. They are filled once all synonyms are known.
        self._rows_with_words: set[int] = set()
        self._rows_without_entries: set[int] = set()  # rows whose words are not read yet
        self._entries_by_row: dict[int, list[NeedOrOffer]] = {}
        self._needs_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._offers_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._entries_of: dict[bytes, dict[int, list[NeedOrOffer]]] = defaultdict(dict)
        self._profiles: dict[int, Profile] = {}  # row of a person's latest portrait → profile

    def update(self, muted: Collection[bytes], zone: tzinfo, max_views: int | None = None) -> bool:
        """Updates the index from views that are new or have changed, at most `max_views` of them.

        If the neighbourhood has changed its time zone, reads all views again. Returns True if
        further views remain to be read. If the index needs a new vocabulary (`needs_vocabulary`),
        the caller makes one and hands it to `use_vocabulary`.
        """
        return self.update_facts(muted, zone, max_views) or (
            not self.needs_vocabulary and self._update_words(max_views)
        )

    def update_facts(
        self, muted: Collection[bytes], zone: tzinfo, max_views: int | None = None
    ) -> bool:
        """Does the same as `update`, but reads no words. So it needs no vocabulary, and takes a
        tenth of the time for a post. Afterwards, the exchanges are complete.
        """
        if self._zone != zone:
            self._zone = zone
            self._clear()
        if self._muted != muted:
            self._muted = frozenset(muted)
            self._synonyms = None
        return self._find_places() or self._read_all_facts(max_views)

    @property
    def synonyms(self) -> Synonyms:
        """The synonyms that people of the neighbourhood have added. Leaves out the synonyms of
        people whom this home has muted (R-19.7a).

        If there are too many synonyms, includes only the newest (R-19.7b).
        """
        if self._synonyms is None:
            unmuted = [
                fact.words
                for row in sorted(self._same_words)
                for author, fact in self._same_words[row]
                if author not in self._muted
            ]
            self._synonyms = sorted(unmuted[-_MAX_SYNONYMS:])
        return self._synonyms

    @property
    def needs_vocabulary(self) -> bool:
        """Whether the synonyms have changed since the vocabulary was made."""
        return self._vocabulary is None or self.synonyms != self._vocabulary_synonyms

    def use_vocabulary(self, vocabulary: Vocabulary, synonyms: Synonyms) -> None:
        """From now on, uses `vocabulary`, which was made with `synonyms`. Reads all words again."""
        self._vocabulary = vocabulary
        self._vocabulary_synonyms = synonyms
        for row in list(self._rows_with_words):
            self._forget_words(row)

    def counterparts(self, entry: NeedOrOffer) -> Iterable[NeedOrOffer]:
        """Returns the needs or offers that share a topic with `entry`, and so could fit it. If
        `entry` is a need, returns offers. If `entry` is an offer, returns needs.
        """
        counterparts: dict[EntryKey, NeedOrOffer] = {}
        for topic in entry.written:
            entries = self.entries_about(topic, is_need=not entry.is_need)
            newest = islice(reversed(entries), _MAX_COUNTERPARTS)
            counterparts |= {key: entries[key] for key in newest}
        return counterparts.values()

    def entries_about(self, topic: str, *, is_need: bool) -> dict[EntryKey, NeedOrOffer]:
        """Returns the needs about a topic. If `is_need` is False, returns the offers about the
        topic.

        If the topic is a word that too many people use, returns nothing.
        """
        needs = self._needs_by_topic.get(topic, {})
        offers = self._offers_by_topic.get(topic, {})
        if is_word(topic):
            limit = max(_RARE, len(self._profiles) // _PEOPLE_PER_USER)
            if len(needs) + len(offers) > limit:
                return {}
        return needs if is_need else offers

    def of_person(self, person: bytes) -> list[NeedOrOffer]:
        """Returns the needs and the offers of a person."""
        rows = self._entries_of.get(person, {})
        return [entry for entries in rows.values() for entry in entries]

    def find_post(self, record_id: bytes) -> NeedOrOffer | None:
        """Returns the need or the offer in a post. Returns None if there is no open post with this
        id.
        """
        view = self._views.find(record_id)
        if not view:
            return None
        posts = (entry for entry in self.of_person(view.author) if entry.is_post)
        return next((post for post in posts if post.id == record_id), None)

    def profile_of(self, person: bytes) -> Profile:
        """Returns a person's profile. For a person without a profile, returns an empty one."""
        row = self._portraits.latest_row(person)
        return _NO_PROFILE if row is None else self._profiles.get(row, _NO_PROFILE)

    def answered_posts(self) -> Collection[tuple[bytes, bytes]]:
        """Returns pairs: the id of a post, and a person who has answered this post."""
        return self._answered.keys()

    def good_words(self) -> Iterable[GoodWord]:
        """Returns all good words. A good word says that one person speaks well of another."""
        return [good_word for good_words in self._good_words.values() for good_word in good_words]

    # -- facts ------------------------------------------------------------------------------------

    def _find_places(self) -> bool:
        """Finds the rows of views that are new or have changed. Returns True if there may be more
        such rows.
        """
        if self._changes.is_cleared:
            self._changes.is_cleared = False
            self._clear()
        if self._last_row == 0:
            self._changes.take()  # all views are still to be read, the changed ones included
        if self._last_row is not None:
            places = self._views.places_after(self._last_row, _kinds_with_facts(), _PLACES_AT_ONCE)
            self._last_row = places[-1].n if places else None
        else:
            self._changed_rows += self._changes.take()
            rows = self._changed_rows[:_PLACES_AT_ONCE]
            del self._changed_rows[:_PLACES_AT_ONCE]
            for row in rows:
                self._remove(row)
            places = self._views.places_in_rows(rows) if rows else []
        kinds = _kinds_with_facts()
        for place in places:
            if place.kind in kinds:
                has_posts = KINDS[place.kind].view_type.on_board
                self._unread.add(place.n, place.log if has_posts else None)
        return self._last_row is not None or bool(self._changed_rows)

    def _read_all_facts(self, max_views: int | None) -> bool:
        """Reads the matching facts of views whose facts are not read yet. Returns True if it has
        read any.
        """
        rows = self._unread.take(max_views)
        for row in rows:
            view = self._views.in_row(row)
            self._read_rows.add(row)
            if isinstance(view, Kind):
                self._read_facts(row, view)
        return bool(rows)

    def _read_facts(self, row: int, view: Kind) -> None:
        for credit in self._credits_of(view):
            self.exchanges.add_credit(row, credit)
        facts = self._facts_of(view)
        for fact in facts:
            self._read_fact(row, view, fact)
        if any(isinstance(fact, Post) for fact in facts):
            for oldest in self._unread.note_posts(row):
                self._forget_facts(oldest)

    def _read_fact(self, row: int, view: Kind, fact: MatchingFact) -> None:
        match fact:
            case Post():
                self._forget_words(row)
            case Portrait():
                for changed_row in self._portraits.add(row, view):
                    self._forget_words(changed_row)
            case Answered(post=bytes(post)):
                self._answers[row].add((post, view.author))
                self._answered[post, view.author] += 1
            case Promise():
                self.exchanges.add_promise(row, view, fact)
            case Recommendation():
                good_word = GoodWord(view.order, view.author, fact.person)
                self._good_words[row].append(good_word)
            case SameWords():
                self._same_words[row].append((view.author, fact))
                self._synonyms = None

    def _credits_of(self, view: Kind) -> list[Credit]:
        """Returns the credits of a view. If the code of the view's kind fails, returns an empty
        list.
        """
        with suppress(Refused), self._failures.contained(view.kind, "credits"):
            return list(view.credits())
        return []

    def _facts_of(self, view: Kind) -> list[MatchingFact]:
        """Returns what a view says about needs and offers. Returns nothing if the code of the
        view's kind fails.
        """
        with suppress(Refused), self._failures.contained(view.kind, "matching_facts"):
            return list(view.matching_facts())
        return []

    def _remove(self, row: int) -> None:
        self._unread.remove(row)
        if row in self._read_rows:
            self._forget_facts(row)

    def _forget_facts(self, row: int) -> None:
        self._read_rows.discard(row)
        self.exchanges.remove(row)
        for answered in self._answers.pop(row, ()):
            self._answered[answered] -= 1
            if not self._answered[answered]:
                del self._answered[answered]
        self._good_words.pop(row, None)
        if self._same_words.pop(row, None):
            self._synonyms = None
        for changed_row in self._portraits.remove(row):
            self._forget_words(changed_row)
        self._remove_entries(row)
        self._rows_with_words.discard(row)
        self._rows_without_entries.discard(row)

    # -- words ------------------------------------------------------------------------------------

    def _update_words(self, max_views: int | None) -> bool:
        """Reads the words of views whose words are not read yet. Returns True if more views remain
        to be read.
        """
        assert self._vocabulary is not None, "words are read once there is a vocabulary"
        at_once = None if max_views is None else max(1, max_views // _WORDS_COST)
        for row in sorted(islice(self._rows_without_entries, at_once)):
            view = self._views.in_row(row)
            assert isinstance(view, Kind), "only views of known kinds have words"
            self._add_entries(view.author, row, self._read_words(row, view, self._vocabulary))
            self._rows_without_entries.remove(row)
        return bool(self._rows_without_entries)

    def _read_words(self, row: int, view: Kind, vocabulary: Vocabulary) -> list[NeedOrOffer]:
        """Reads the needs and offers in a view.

        A portrait says what a person can give and would like. Only the person's latest portrait
        counts (R-12.1).
        """
        entries: list[NeedOrOffer] = []
        for fact in self._facts_of(view):
            if isinstance(fact, Post):
                entries.append(read_post(view, fact, vocabulary, self._zone))
            elif isinstance(fact, Portrait) and self._portraits.latest_row(view.author) == row:
                from_lists, profile = read_portrait(view, fact, vocabulary)
                entries += from_lists
                self._profiles[row] = profile
        return entries

    def _forget_words(self, row: int) -> None:
        """Forgets the needs and offers in a view, so that they are read again."""
        self._remove_entries(row)
        self._rows_with_words.add(row)
        self._rows_without_entries.add(row)

    def _add_entries(self, person: bytes, row: int, entries: list[NeedOrOffer]) -> None:
        if not entries:
            return
        self._entries_of[person][row] = entries
        self._entries_by_row[row] = entries
        for place, entry in enumerate(entries):
            for topic in entry.written:
                self._by_topic(entry)[topic][row, place] = entry

    def _remove_entries(self, row: int) -> None:
        self._profiles.pop(row, None)
        for place, entry in enumerate(self._entries_by_row.pop(row, ())):
            self._entries_of[entry.person].pop(row, None)
            for topic in entry.written:
                self._by_topic(entry)[topic].pop((row, place), None)

    def _by_topic(self, entry: NeedOrOffer) -> dict[str, dict[EntryKey, NeedOrOffer]]:
        return self._needs_by_topic if entry.is_need else self._offers_by_topic


def _kinds_with_facts() -> list[str]:
    """Returns the names of the kinds whose views can have credits or matching facts."""
    return [
        declared.name
        for declared in KINDS.values()
        if declared.view_type.credits is not Kind.credits
        or declared.view_type.matching_facts is not Kind.matching_facts
    ]
