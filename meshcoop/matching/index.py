"""The matching index: everything that matching needs, grouped by topic. It is updated from the
views and can be rebuilt at any time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from meshcoop.fold.views import Views
from meshcoop.matching.exchanges import Exchanges
from meshcoop.matching.needs_and_offers import NeedOrOffer, Profile, read_post, read_profile
from meshcoop.matching.topics import is_word
from meshcoop.matching.vocabulary import Vocabulary
from protocol.fold.thread import View

_POSTS = ("offer", "request")
_EXCHANGES = ("agreement", "receipt", "correction", "thanks")
_KINDS = (*_POSTS, *_EXCHANGES, "profile", "response", "vouch")
# A word says something about an entry if few entries have it: at most 3, or one for each 50 people.
_RARE = 3
_PEOPLE_PER_USER = 50
_NO_PROFILE = Profile({})

EntryKey = tuple[int, str]  # the row of a view, and the source of the entry


class MatchingIndex:
    """An index of needs and offers, by topic and by person. It also holds exchanges, responses to
    posts, and vouches.
    """

    def __init__(self, views: Views) -> None:
        self._views = views
        self._as_of: tuple[int, frozenset[bytes]] | None = None
        # Made at the first update, so that a node that never matches people does not load it.
        self._vocabulary: Vocabulary | None = None
        self._synonyms: list[list[str]] = []
        self._clear()

    def _clear(self) -> None:
        self.exchanges = Exchanges()
        self._hash_by_row: dict[int, bytes] = {}
        self._entries_by_row: dict[int, list[NeedOrOffer]] = {}
        self._needs_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._offers_by_topic: dict[str, dict[EntryKey, NeedOrOffer]] = defaultdict(dict)
        self._entries_of: dict[bytes, dict[int, list[NeedOrOffer]]] = defaultdict(dict)
        self._profile_views: dict[bytes, dict[int, View]] = defaultdict(dict)
        self._profile_authors: dict[int, bytes] = {}  # row → author
        self._profiles: dict[bytes, Profile] = {}
        self._answers: dict[int, tuple[bytes, bytes]] = {}
        self._vouches: dict[int, View] = {}

    def update(self, muted: Collection[bytes], max_views: int | None = None) -> bool:
        """Reads views that are new or have changed into the index, at most `max_views` of them.

        Returns True if further views remain to be read.
        """
        as_of = (self._views.change_count, frozenset(muted))
        if as_of == self._as_of:
            return False
        vocabulary = self._update_vocabulary(muted)
        hashes = self._views.hashes_of_kinds(_KINDS)
        outdated = [
            row for row, view_hash in self._hash_by_row.items() if hashes.get(row) != view_hash
        ]
        for row in outdated:
            self._remove(row, vocabulary)
        fresh = [row for row in hashes if row not in self._hash_by_row]
        for row in fresh[:max_views]:
            self._add(row, self._views.in_row(row), vocabulary)
            self._hash_by_row[row] = hashes[row]
        has_more = max_views is not None and len(fresh) > max_views
        self._as_of = None if has_more else as_of
        return has_more

    def counterparts(self, entry: NeedOrOffer) -> Iterable[NeedOrOffer]:
        """Returns the entries that could fit an entry because they share a topic with it.

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
        posts = (entry for entry in self.of_person(view["author"]) if entry.is_post)
        return next((post for post in posts if post.id == record_id), None)

    def profile_of(self, person: bytes) -> Profile:
        """Returns a person's profile. If the person has none, returns an empty profile."""
        return self._profiles.get(person, _NO_PROFILE)

    def answered_posts(self) -> set[tuple[bytes, bytes]]:
        """Returns the responses that are waiting or accepted, as pairs: the id of the post and the
        person who responded.
        """
        return set(self._answers.values())

    def vouches(self) -> Iterable[View]:
        """Returns the views of the vouches that are in force."""
        return self._vouches.values()

    def _update_vocabulary(self, muted: Collection[bytes]) -> Vocabulary:
        """Returns the vocabulary with the synonyms that are in force.

        If the synonyms have changed, empties the index, so that all views are read again.
        """
        synonyms = [
            view["words"] for view in self._views.of_kind("synonym") if _counts(view, muted)
        ]
        if self._vocabulary is None or synonyms != self._synonyms:
            self._clear()
            self._vocabulary = Vocabulary(synonyms)
            self._synonyms = synonyms
        return self._vocabulary

    def _add(self, row: int, view: View, vocabulary: Vocabulary) -> None:
        kind = view["kind"]
        author = view["author"]
        if kind in _POSTS:
            post = read_post(row, view, vocabulary)
            self._add_entries(author, row, [post] if post else [])
        elif kind == "profile":
            self._profile_views[author][row] = view
            self._profile_authors[row] = author
            self._read_latest_profile(author, vocabulary)
        elif kind in _EXCHANGES:
            self.exchanges.add(row, view)
        elif kind == "response" and view["state"] in {"waiting", "accepted"}:
            self._answers[row] = (view["about"], author)
        elif kind == "vouch" and view["state"] == "in force":
            self._vouches[row] = view

    def _remove(self, row: int, vocabulary: Vocabulary) -> None:
        del self._hash_by_row[row]
        self.exchanges.remove(row)
        self._answers.pop(row, None)
        self._vouches.pop(row, None)
        self._remove_entries(row)
        author = self._profile_authors.pop(row, None)
        if author is not None:
            del self._profile_views[author][row]
            self._read_latest_profile(author, vocabulary)

    def _read_latest_profile(self, person: bytes, vocabulary: Vocabulary) -> None:
        """Reads the needs and offers in a person's latest profile. Removes the entries from all
        earlier profiles (R-12.1).
        """
        views = self._profile_views[person]
        self._profiles.pop(person, None)
        for row in views:
            self._remove_entries(row)
        if views:
            latest = max(views, key=lambda row: (views[row]["created"], views[row]["id"]))
            entries, profile = read_profile(latest, views[latest], vocabulary)
            self._profiles[person] = profile
            self._add_entries(person, latest, entries)

    def _add_entries(self, person: bytes, row: int, entries: list[NeedOrOffer]) -> None:
        self._entries_of[person][row] = entries
        self._entries_by_row[row] = entries
        for entry in entries:
            for topic in entry.written:
                self._by_topic(entry)[topic][row, entry.source] = entry

    def _remove_entries(self, row: int) -> None:
        for entry in self._entries_by_row.pop(row, ()):
            self._entries_of[entry.person].pop(row, None)
            for topic in entry.written:
                self._by_topic(entry)[topic].pop((row, entry.source), None)

    def _by_topic(self, entry: NeedOrOffer) -> dict[str, dict[EntryKey, NeedOrOffer]]:
        return self._needs_by_topic if entry.is_need else self._offers_by_topic


def _counts(synonym: View, muted: Collection[bytes]) -> bool:
    """Returns whether a synonym is in force and its author is not muted at this home (R-19.7a)."""
    is_in_force = synonym["state"] == "in force" and bool(synonym["words"])
    return is_in_force and synonym["author"] not in muted
