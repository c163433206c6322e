"""The matching index: everything that matching needs, grouped by topic. It is updated from the
views and can be rebuilt at any time.

The index knows no kinds. It reads the credits and the matching facts of views.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import islice

from meshcoop.fold.views import Views
from meshcoop.matching.exchanges import Exchanges
from meshcoop.matching.introductions import GoodWord
from meshcoop.matching.needs_and_offers import NeedOrOffer, Profile, read_portrait, read_post
from meshcoop.matching.portraits import PortraitRows
from meshcoop.matching.topics import is_word
from meshcoop.matching.vocabulary import Vocabulary
from protocol.fold.facets import Answered, Portrait, Post, Promise, Recommendation, SameWords
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS

# A word says something about an entry if few entries have it: at most 3, or one for each 50 people.
_RARE = 3
_PEOPLE_PER_USER = 50
_NO_PROFILE = Profile({})

EntryKey = tuple[int, int]  # the row of a view, and the place among the entries of that view


class MatchingIndex:
    """An index of needs and offers, by topic and by person. It also holds exchanges, answers to
    posts, and good words.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._as_of: tuple[int, frozenset[bytes]] | None = None
        self._facts_as_of: int | None = None
        # Made at the first update, so that a node that never matches people does not load it.
        self._vocabulary: Vocabulary | None = None
        self._synonyms: list[tuple[str, ...]] = []
        self._hash_by_row: dict[int, bytes] = {}
        # The first fields need no vocabulary. They are filled as soon as a view is new.
        self.exchanges = Exchanges()
        self._answers: dict[int, set[tuple[bytes, bytes]]] = defaultdict(set)
        self._good_words: dict[int, list[GoodWord]] = defaultdict(list)
        self._same_words: dict[int, list[tuple[bytes, SameWords]]] = defaultdict(list)
        self._portraits = PortraitRows()
        # The next fields need the vocabulary. They are filled once all synonyms are known.
        self._rows_with_words: set[int] = set()
        self._unread_rows: set[int] = set()  # rows of views whose words are not read yet
        self._entries_by_row: dict[int, list[NeedOrOffer]] = {}
        self._needs_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._offers_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._entries_of: dict[bytes, dict[int, list[NeedOrOffer]]] = defaultdict(dict)
        self._profiles: dict[int, Profile] = {}  # row of a person's latest portrait → profile

    def update(self, muted: Collection[bytes], max_views: int | None = None) -> bool:
        """Updates the index from views that are new or have changed, at most `max_views` of them.

        Returns True if further views remain to be read.
        """
        as_of = (self._views.change_count, frozenset(muted))
        if as_of == self._as_of:
            return False
        if self._facts_as_of != self._views.change_count:
            self._facts_as_of = None
            if not self._update_facts(max_views):
                self._facts_as_of = self._views.change_count
        has_more = self._facts_as_of is None or self._update_words(muted, max_views)
        self._as_of = None if has_more else as_of
        return has_more

    def counterparts(self, entry: NeedOrOffer) -> Iterable[NeedOrOffer]:
        """Returns the entries that could fit `entry`, because they share a topic with `entry`.

        If `entry` is a need, returns offers. If `entry` is an offer, returns needs.
        """
        counterparts: dict[EntryKey, NeedOrOffer] = {}
        for topic in entry.written:
            counterparts |= self.entries_about(topic, is_need=not entry.is_need)
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
        """Returns a person's profile. If the person has none, returns an empty profile."""
        row = self._portraits.latest_row(person)
        return _NO_PROFILE if row is None else self._profiles.get(row, _NO_PROFILE)

    def answered_posts(self) -> set[tuple[bytes, bytes]]:
        """Returns the posts that are answered, as pairs: the id of the post and the person who
        answered it.
        """
        return set().union(*self._answers.values())

    def good_words(self) -> Iterable[GoodWord]:
        """Returns who speaks well of whom."""
        return [good_word for good_words in self._good_words.values() for good_word in good_words]

    # -- facts ------------------------------------------------------------------------------------

    def _update_facts(self, max_views: int | None) -> bool:
        """Reads the facts of views that are new or have changed. Returns True if more views remain
        to be read.
        """
        hashes = self._views.hashes_of_kinds(_kinds_with_facts())
        outdated = [
            row for row, view_hash in self._hash_by_row.items() if hashes.get(row) != view_hash
        ]
        for row in outdated:
            self._remove(row)
        fresh = [row for row in hashes if row not in self._hash_by_row]
        for row in fresh[:max_views]:
            view = self._views.in_row(row)
            if isinstance(view, Kind):
                self._read_facts(row, view)
            self._hash_by_row[row] = hashes[row]
        return max_views is not None and len(fresh) > max_views

    def _read_facts(self, row: int, view: Kind) -> None:
        for credit in view.credits():
            self.exchanges.add_credit(row, credit)
        for fact in view.matching_facts():
            match fact:
                case Post():
                    self._mark_unread(row)
                case Portrait():
                    for changed_row in self._portraits.add(row, view):
                        self._mark_unread(changed_row)
                case Answered(post=bytes(post)):
                    self._answers[row].add((post, view.author))
                case Promise():
                    self.exchanges.add_promise(row, view, fact)
                case Recommendation():
                    good_word = GoodWord(view.order, view.author, fact.person)
                    self._good_words[row].append(good_word)
                case SameWords():
                    self._same_words[row].append((view.author, fact))

    def _remove(self, row: int) -> None:
        del self._hash_by_row[row]
        self.exchanges.remove(row)
        self._answers.pop(row, None)
        self._good_words.pop(row, None)
        self._same_words.pop(row, None)
        for changed_row in self._portraits.remove(row):
            self._mark_unread(changed_row)
        self._remove_entries(row)
        self._rows_with_words.discard(row)
        self._unread_rows.discard(row)

    # -- words ------------------------------------------------------------------------------------

    def _update_words(self, muted: Collection[bytes], max_views: int | None) -> bool:
        """Reads the words of views whose words are not read yet. Returns True if more views remain
        to be read.
        """
        vocabulary = self._update_vocabulary(muted)
        for row in sorted(islice(self._unread_rows, max_views)):
            view = self._views.in_row(row)
            assert isinstance(view, Kind), "only views of known kinds have words"
            self._add_entries(view.author, row, self._read_words(row, view, vocabulary))
            self._unread_rows.remove(row)
        return bool(self._unread_rows)

    def _update_vocabulary(self, muted: Collection[bytes]) -> Vocabulary:
        """Returns the vocabulary with the synonyms that are in force and whose authors are not
        muted at this home (R-19.7a).

        If the synonyms have changed, all words have to be read again.
        """
        synonyms = sorted(
            fact.words
            for facts in self._same_words.values()
            for author, fact in facts
            if author not in muted
        )
        if self._vocabulary is None or synonyms != self._synonyms:
            self._vocabulary = Vocabulary(synonyms)
            self._synonyms = synonyms
            for row in list(self._rows_with_words):
                self._mark_unread(row)
        return self._vocabulary

    def _read_words(self, row: int, view: Kind, vocabulary: Vocabulary) -> list[NeedOrOffer]:
        """Reads the needs and offers in a view.

        A portrait has needs and offers only if it is the person's latest portrait (R-12.1).
        """
        entries: list[NeedOrOffer] = []
        for fact in view.matching_facts():
            if isinstance(fact, Post):
                entries.append(read_post(view, fact, vocabulary))
            elif isinstance(fact, Portrait) and self._portraits.latest_row(view.author) == row:
                from_lists, profile = read_portrait(view, fact, vocabulary)
                entries += from_lists
                self._profiles[row] = profile
        return entries

    def _mark_unread(self, row: int) -> None:
        """Forgets the needs and offers in a view, so that they are read again."""
        self._remove_entries(row)
        self._rows_with_words.add(row)
        self._unread_rows.add(row)

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
