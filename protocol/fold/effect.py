"""Checks what a record changes. If everything would look as before, software does not sign the
record (R-10.19).

The fold itself has no such rule. A record that looks useless here can matter at a home that has
other records.
"""

from protocol.errors import AlreadySo, Refused
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.fold.thread import Entry, Thread


def check_effect(before: Thread, after: Thread, entry: Entry) -> None:
    """Raises Refused if a record changes nothing that anybody can see (R-10.19).

    `before` is the folded thread without the record, and `after` is the folded thread with it.
    Raises AlreadySo if an earlier record of the same person says the same (R-10.20).
    """
    draft = after.find_draft(entry.id, Kind)
    if draft is None or draft.has_effect(before, after):
        return
    same = _find_same(before, entry)
    if same is not None:
        raise AlreadySo("R-10.20", "you have said so already", same)
    raise Refused(
        "R-10.19",
        "this would change nothing; `meshcoop next {about}` says what you can do",
        about=(entry.about or entry.id).hex(),
    )


def _find_same(thread: Thread, entry: Entry) -> bytes | None:
    """Returns an earlier record of the same person that says the same as the record `entry`, or
    None.

    Free words may differ, because both records still have the same effect.
    """
    declared = KINDS[entry.kind or ""]
    counting = (line.entry for line in thread.history if line.refusal is None)
    same = (earlier.id for earlier in counting if _say_same(declared, earlier, entry))
    return next(same, None)


def _say_same(declared: DeclaredKind, first: Entry, second: Entry) -> bool:
    if (first.person, first.kind, first.about) != (second.person, second.kind, second.about):
        return False
    compared = [
        name for name, rule in declared.fields.items() if not (rule.is_wording or rule.filled)
    ]
    return all(first.fields.get(name) == second.fields.get(name) for name in compared)
