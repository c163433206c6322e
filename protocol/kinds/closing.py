"""The kind `close`, with which a person ends something (specs/14-conversation.md)."""

from collections.abc import Callable

from protocol.errors import Refused
from protocol.fold.kind import KINDS, NO_VIEW, Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.circles import roster_of
from protocol.kinds.exchange import common_pot
from protocol.kinds.exchange.negotiation import parley_of
from protocol.schema.fields import Choice, Text

_CLOSABLE = (
    *("offer", "request", "response", "agreement", "receipt", "correction"),
    *("proxy", "circle", "pact", "synonym", "vouch", "activity", "signup"),
    *("service", "link"),
)


@kind("close", about=_CLOSABLE)
class Close(Kind):
    """Withdraws, declines, cancels, disputes or ends something."""

    states = NO_VIEW
    as_state = Choice(
        required=True, words=("withdrawn", "declined", "cancelled", "disputed", "ended")
    )
    why = Text(max=500)

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if both people have already signed the record to be closed (R-14.7)."""
        view = thread.views.get(entry.about or b"")
        remedy = _SIGNED.get((view["kind"], view["state"])) if view is not None else None
        if view is not None and remedy is not None:
            raise Refused(
                "R-14.7", f"the {view['kind']} is {view['state']}, which both signed; {remedy}"
            )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Closes the record that `entry` is about, with a word such as "withdrawn" or "declined".

        Raises Refused if the author of `entry` may not use this word there (R-14.2).
        """
        target = thread.target_of(entry)
        word = entry.fields["as_state"]
        if entry.person not in _people_who_may(thread, target, word):
            raise Refused("R-14.2", f"they may not call this {target.kind} {word}")
        KINDS[target.kind or ""].apply_close(thread, entry)
        view = thread.views[target.id]
        if "why" in view:
            view["why"] = None if thread.is_hidden(entry.id) else entry.fields.get("why")
        thread.marks[target.id].add(word)
        thread.marks[target.id].add(f"{word} by {entry.person.hex()}")


# (kind, state) that both people have signed → what to do instead of a close.
_SIGNED = {
    ("agreement", "done"): "correct its receipt if that is wrong",
    ("receipt", "confirmed"): "propose a correction of it",
    ("correction", "confirmed"): "propose another one",
}


def _people_who_may(thread: Thread, target: Entry, word: str) -> set[bytes]:
    """Returns the people who may close a record with `word`, such as "withdrawn" or "ended".

    The set is empty if a record of this kind cannot be closed with this word.
    """
    view = thread.find_view(target.id, target.kind or "")
    people = _WHO_MAY_CLOSE.get((word, target.kind or ""))
    return people(thread, target, view) if people is not None and view is not None else set()


def _author(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, view
    return {target.person}


def _answering_party(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del view
    return {parley_of(thread, target).other_party(target.person)}


def _giver_and_receiver(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del target
    return common_pot.signers_of(thread, view)


def _countersigner(thread: Thread, target: Entry, view: View) -> set[bytes]:
    return _giver_and_receiver(thread, target, view) - {target.person}


def _parties(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, target
    return set(view["parties"])


def _other_parties(thread: Thread, target: Entry, view: View) -> set[bytes]:
    return _parties(thread, target, view) - {target.person}


def _author_and_provider(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread
    return {target.person, view["answers_for"]}


def _recipient(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, target
    return {view["to"]}


def _both_ends(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread
    return {target.person, view["to"]}


def _everybody_ever_in(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del view
    return roster_of(thread, target.id).ever


_WHO_MAY_CLOSE: dict[tuple[str, str], Callable[[Thread, Entry, View], set[bytes]]] = {
    ("withdrawn", "offer"): _author,
    ("withdrawn", "request"): _author,
    ("withdrawn", "response"): _author,
    ("declined", "response"): _answering_party,
    ("cancelled", "agreement"): _giver_and_receiver,
    ("disputed", "receipt"): _countersigner,
    ("disputed", "correction"): _countersigner,
    ("withdrawn", "circle"): _everybody_ever_in,
    ("withdrawn", "pact"): _author,
    ("declined", "pact"): _other_parties,
    ("ended", "pact"): _parties,
    ("ended", "proxy"): _author,
    ("ended", "service"): _author_and_provider,
    ("withdrawn", "link"): _author,
    ("declined", "link"): _recipient,
    ("ended", "link"): _both_ends,
    ("withdrawn", "synonym"): _author,
    ("withdrawn", "vouch"): _author,
    ("cancelled", "activity"): _author,
    ("withdrawn", "signup"): _author,
}
