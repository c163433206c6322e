"""Prepares views for people and programs: adds people's names, writes ids in hex, and writes times
in ISO 8601.

If this home can open the private fields of a view, the shown view has these fields too.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from heapq import nsmallest

from meshcoop.api import plain_values
from meshcoop.api.name_order import NameOrder, SortedLetter
from meshcoop.api.plain_values import Shown
from meshcoop.api.private_fields import PrivateFields
from meshcoop.clock import iso_time
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from protocol.authority.admission import Member
from protocol.authority.authority import Authority
from protocol.display_text import is_visible, safe_name
from protocol.errors import Refused
from protocol.fold.facets import COMMON_POT, Awaited, Subject
from protocol.fold.kind import LEFT, Kind
from protocol.fold.thread import Entry, HistoryLine, Thread
from protocol.fold.view import View
from protocol.kinds.comments import Comment
from protocol.kinds.exchange.payments import Confirm
from protocol.kinds.matching import Vouch
from protocol.kinds.people import Profile
from protocol.record.sealing import BoxKey
from protocol.schema.fields import Text, is_member_form
from protocol.schema.majority import MIN_COUNCIL, votes_needed
from protocol.spelling import name_keys

_SHORT_ID = 8  # hexadecimal digits
_MOST_EMBEDDED = 100  # views that are shown inside another view (R-06.16e)
_MOST_COMMENTS = 20  # comments that are shown with a view; each may have 2,000 characters (R-14.9a)
_OUTSIDE = "outside"  # marks somebody who has no id
_Place = tuple[tuple[SortedLetter, ...], str, bytes]  # of a person in a list of people
_HALF = 50  # percent; more than this share of the moderators decides


class Presenter:
    """Shows the state of one home. Each answer of the API makes its own `Presenter` object.

    The function `now` returns the time in milliseconds. The presenter calls `now` only once. So all
    parts of the answer show the same moment.
    """

    def __init__(self, state: State, now: Callable[[], int], boxes: Iterable[BoxKey] = ()) -> None:
        self._state = state
        self.clock = state.clock_at(now())
        self._private_fields = PrivateFields(state, boxes)
        self._places: dict[bytes, _Place] = {}

    @cached_property
    def names(self) -> dict[bytes, str]:
        """The name of each person whose profile has a name that can be shown. Also the name of the
        common pot.
        """
        profiles = self._state.views.latest_by_author(Profile)
        names = {person: view.name or "" for person, view in profiles.items()}
        return {person: name for person, name in names.items() if is_visible(name)} | {
            COMMON_POT: "the common pot"
        }

    def show_person(self, person: bytes) -> Shown:
        """Shows a person as `{id, name}`. For a person without a profile, the name is the start of
        the person's id.

        If another person has a similar name, `mark` tells the two people apart (R-12.7c). If the
        person has left the neighbourhood, `left` says so (R-06.10).
        """
        name = self.names.get(person)
        shown: Shown = {"id": person.hex(), "name": person.hex()[:_SHORT_ID]}
        if name is not None:
            shown = self.show_named(name, person)
        authority = self._state.authority
        if authority is not None and person in authority.left:
            shown["left"] = True
        return shown

    def show_named(self, name: str, person: bytes | None = None) -> Shown:
        """Shows a person whose name is in no profile: a newcomer, or somebody outside the
        neighbourhood. A person outside has no id.
        """
        own_name = self.names.get(person) if person else None
        own_keys = name_keys(own_name) if own_name else frozenset()
        is_alike = any(self._uses_of_key[key] > (key in own_keys) for key in name_keys(name))
        shown: Shown = {"id": person.hex() if person else None, "name": name}
        # Somebody else's id is the name of a person who has no profile yet.
        if is_alike or is_member_form(name):
            shown["mark"] = person.hex()[:_SHORT_ID] if person else _OUTSIDE
        return shown

    def find_named_alike(self, person: bytes) -> set[bytes]:
        """Returns the other people whose names look like the name of a person (R-12.7c)."""
        keys = name_keys(self.names.get(person, ""))
        return {
            other
            for other, name in self.names.items()
            if other not in {person, COMMON_POT} and not keys.isdisjoint(name_keys(name))
        }

    def name_person(self, person: bytes) -> str:
        """Returns the name of a person for use in a sentence. If another person has a similar name,
        adds a mark that tells the two people apart (R-12.7c).
        """
        shown = self.show_person(person)
        return safe_name(shown["name"], shown.get("mark"))

    def sort_people(self, people: Iterable[bytes]) -> list[bytes]:
        """Sorts people by their names, in the neighbourhood's language (R-12.7d)."""
        return sorted(set(people), key=self._place_of_person)

    def show_view(self, view: View) -> Shown:
        """Shows one view, together with the views that belong to it, such as responses or votes."""
        (shown,) = self.show_views([view])
        return shown

    def show_views(self, views: Sequence[View]) -> list[Shown]:
        """Shows several views. Each view is shown together with the views that belong to it."""
        ids = [record_id for view in views for record_id in _ids_of_embedded(view)]
        # All of them are read at once: a list may have hundreds of requests with their responses.
        embedded = self._state.views.find_several(ids)
        return [self._show_whole(view, embedded) for view in views]

    def show_comments(self, thread: Thread, record_id: bytes) -> Shown:
        """Shows the comments on a record, the oldest first. If there are too many comments, shows
        only the newest comments of each author, and says how many comments there are (R-14.9a).
        """
        comments = thread.linked_views(Comment, "about", record_id)
        picked = _pick_embedded(comments, _MOST_COMMENTS)
        shown: Shown = {"comments": [self._show_alone(comment) for comment in picked]}
        if len(comments) > _MOST_COMMENTS:
            shown["comments_total"] = len(comments)
        return shown

    def show_history(self, thread: Thread) -> list[Shown]:
        """Shows the records of a thread, in order.

        If a record does not count, the field `note` says why. If a home's software signed a confirm
        by itself, the field `automatic` of this confirm is true (R-13.15).
        """
        return [self._show_line(thread, line) for line in thread.history]

    def list_people(self) -> list[Shown]:
        """Lists people with their profiles, sorted by name: the members, and the people who were
        removed.
        """
        authority = self._authority
        profiles = self._state.views.latest_by_author(Profile)
        vouches = self._vouches()
        return [
            {
                **self._show_member(authority, authority.people[person], profiles.get(person)),
                "vouches": vouches[person],
            }
            for person in self.sort_people(authority.people)
        ]

    def show_term(self) -> Shown | None:
        """Shows the term in force: who votes, who moderates, and whether the term is settled
        (R-03.24).

        If this home has no charter yet, returns None.
        """
        authority = self._state.authority
        if authority is None:
            return None
        term = authority.term
        return {
            "id": term.id.hex(),
            "since": iso_time(term.since),
            "roll": self._show_people(term.roll),
            "moderators": self._show_people(term.moderators),
            "vouchers": term.vouchers,
            "share": term.share,
            "settled": authority.chain.is_settled,
            "moderators_needed": _moderators_needed(len(term.moderators)),
        }

    def show_subject(self, subject: Subject) -> Shown | None:
        """Shows the person or the post that a view asks people to judge (R-06.10b).

        Returns None if the post has not arrived here.
        """
        if subject.is_person:
            return self.show_person(subject.id)
        post = self._state.views.find(subject.id)
        if post is None:
            return None
        return {
            "id": subject.id.hex(),
            "kind": post.kind,
            "author": self.show_person(post.author),
            "title": title_of(post),
            "hidden": bool(post.hidden),
        }

    def state_of(self, view: View) -> str:
        """Returns the present state of a view. The stored state may be out of date, because time
        has passed or because somebody has left.
        """
        return self._state_given(view, self.find_left(view))

    def find_left(self, view: View) -> set[bytes]:
        """Returns the people on whom a view relies and who have left (R-14.8)."""
        left: set[bytes] = set()
        if isinstance(view, Kind):
            with suppress(Refused), self._state.failures.contained(view.kind, "relies_on"):
                left = view.find_left(self._authority, self._find_view)
        return left

    def is_due(self, awaited: Awaited) -> bool:
        """Returns whether an awaited answer is due now: the time for the answer has begun and is
        not over.
        """
        has_come = awaited.since is None or self.clock.has_begun(awaited.since)
        return has_come and not (awaited.until is not None and self.clock.is_past(awaited.until))

    def _show_whole(self, view: View, embedded: Mapping[bytes, View]) -> Shown:
        shown = self._show_alone(view)
        if not isinstance(view, Kind):
            return shown
        for name in view.shown_as_views:
            ids = vars(view)[name]
            shown[name] = self._show_embedded(view, ids, embedded)
            if len(ids) > _MOST_EMBEDDED:
                shown[f"{name}_total"] = len(ids)
        with suppress(Refused), self._state.failures.contained(view.kind, "further_values"):
            shown |= plain_values.show_result(
                view.further_values, self._authority, self.clock, naming=self
            )
        return shown

    def _show_alone(self, view: View, parties: set[bytes] | None = None) -> Shown:
        """Shows a view without the views that belong to it, such as its responses.

        `parties` are the people who may be parties to the view. If the caller cannot tell who they
        are, `parties` is None.
        """
        pause()
        shown = plain_values.show_values(view, self)
        left = self.find_left(view)
        shown["state"] = self._state_given(view, left)
        if left:
            shown["left"] = self._show_people(sorted(left))
        return shown | self._private_fields.open_fields(view, parties)

    def _state_given(self, view: View, left: set[bytes]) -> str:
        """Returns the present state of a view. `left` are the people on whom the view relies and
        who have left.
        """
        # Stored views depend on records alone. So a state that comes with time is worked out here.
        state = view.state
        if isinstance(view, Kind):
            with suppress(Refused), self._state.failures.contained(view.kind, "state_at"):
                state = view.state_at(self.clock)
        return LEFT if left and state == view.state else str(state)

    def _show_embedded(
        self, view: View, ids: Iterable[bytes], embedded: Mapping[bytes, View]
    ) -> list[Shown]:
        """Shows the views that `view` lists, such as its responses. Treats the authors of all these
        views as parties, who may read private fields.
        """
        arrived = [embedded[record_id] for record_id in ids if record_id in embedded]
        parties = {view.author, *(answer.author for answer in arrived)}
        return [self._show_alone(answer, parties) for answer in _pick_embedded(arrived)]

    def _show_line(self, thread: Thread, line: HistoryLine) -> Shown:
        pause()
        entry = line.entry
        return {
            "id": entry.id.hex(),
            "kind": entry.kind,
            "author": self.show_person(entry.person),
            "by": self.show_person(entry.by) if entry.by else None,
            "created": iso_time(entry.time),
            "about": entry.about.hex() if entry.about else None,
            "counted": line.refusal is None,
            "automatic": _is_countersignature(thread, entry),
            "note": show_refusal(line.refusal) if line.refusal else None,
        }

    def _show_member(self, authority: Authority, member: Member, profile: View | None) -> Shown:
        fields = self._show_alone(profile) if profile else {}
        return {
            **fields,
            **self.show_person(member.person),
            "kind": "person",
            "author": self.show_person(member.person),
            "created": iso_time(member.since),
            "state": _state_of_member(authority, member.person),
            "on_roll": member.person in authority.term.roll,
            "moderator": member.person in authority.term.moderators,
        }

    def _vouches(self) -> dict[bytes, list[Shown]]:
        """Returns the vouches in force for each person, the oldest first."""
        vouches: dict[bytes, list[Shown]] = defaultdict(list)
        for vouch in reversed(self._state.views.of_kind(Vouch)):
            if vouch.state != Vouch.State.IN_FORCE:
                continue
            vouches[vouch.person].append(
                {
                    "id": vouch.id.hex(),
                    "author": self.show_person(vouch.author),
                    "created": iso_time(vouch.created),
                    "text": vouch.text,
                }
            )
        return vouches

    def _place_of_person(self, person: bytes) -> _Place:
        """Returns the place of a person in lists that are sorted by name. The place is computed
        once for an answer.
        """
        if person not in self._places:
            name = self.show_person(person)["name"]
            self._places[person] = (self._name_order.key(name), name, person)
        return self._places[person]

    @cached_property
    def _name_order(self) -> NameOrder:
        authority = self._state.authority
        return NameOrder(authority.charter.get("lang") if authority else None)

    def _find_view(self, record_id: bytes | None) -> View | None:
        return None if record_id is None else self._state.views.find(record_id)

    def _show_people(self, people: Iterable[bytes]) -> list[Shown]:
        return [self.show_person(person) for person in self.sort_people(people)]

    @cached_property
    def _uses_of_key(self) -> Counter[str]:
        """Counts the people for each key of a name. Similar names have the same key."""
        return Counter(key for name in self.names.values() for key in name_keys(name))

    @property
    def _authority(self) -> Authority:
        authority = self._state.authority
        assert authority is not None, "the charter has been read: there are views to show"
        return authority


def show_refusal(refusal: Refused) -> Shown:
    """Shows why a record does not count, or why a home cannot sign. Shows the rule and a text. In
    the text, a name in braces stands for the value of this name.
    """
    arguments = {name: str(value) for name, value in refusal.arguments.items()}
    return {"rule": refusal.rule, "text": refusal.text, "arguments": arguments}


def _moderators_needed(moderators: int) -> int | None:
    """Returns how many moderators must agree. Returns None if there are too few moderators
    to act.
    """
    return None if moderators < MIN_COUNCIL else votes_needed(_HALF, moderators)


def title_of(view: View) -> str | None:
    """Returns the text that stands for a view in a list.

    This is the first text that every record of the view's kind must have, such as a title or a
    question. If the kind has no such text, uses the title, the name or the text of the view.
    """
    names = [name for name, field in view.record_fields.items() if type(field) is Text]
    required = [name for name in names if view.record_fields[name].required]
    values = vars(view)
    title: str | None = next(
        (values[name] for name in [*required, "title", "name", "text"] if values.get(name)), None
    )
    return title


def _state_of_member(authority: Authority, person: bytes) -> str:
    if person in authority.leavers:
        return "left"
    return "removed" if person in authority.left else "member"


def _ids_of_embedded(view: View) -> Iterable[bytes]:
    """Yields the ids of the records that a view shows as whole views inside itself."""
    pause()
    if isinstance(view, Kind):
        for name in view.shown_as_views:
            yield from vars(view)[name]


def _pick_embedded(views: Sequence[View], most: int = _MOST_EMBEDDED) -> Sequence[View]:
    """Returns at most `most` of the views, and keeps their order. Chooses the newest views of each
    author first. So a single author cannot fill all places.
    """
    if len(views) <= most:
        return views
    counts: Counter[bytes] = Counter()
    ranked = []
    for place in reversed(range(len(views))):
        author = views[place].author
        counts[author] += 1
        ranked.append((counts[author], -place))
    return [views[place] for place in sorted(-back for _, back in nsmallest(most, ranked))]


def _is_countersignature(thread: Thread, entry: Entry) -> bool:
    """Returns whether a record confirms a record of the kind `confirm`. Only software signs such a
    record (R-13.15).
    """
    confirm = thread.find_draft(entry.id, Confirm)
    return confirm is not None and thread.find_draft(confirm.about, Confirm) is not None
