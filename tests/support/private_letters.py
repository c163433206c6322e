"""Shows what homes read of private threads, and makes private records as no honest software
would.
"""

from protocol.fold import content as schema
from protocol.kinds.circles import Circle, Message
from protocol.record import sealing as seal
from protocol.record.envelope import PRIVATE


def sealed(home, plain, readers, *, cover=seal.pad):
    """Seals content for these readers, as the next record in this home's log needs it."""
    place = seal.content_context(home.state.neighbourhood, home.me.device, home.head.seq + 1)
    boxes = [seal.device_box_key(one.me.device_seed).public for one in readers]
    return seal.seal_private_content(boxes, cover(plain), place, home.street.dice.randbytes(32))


def letter(home, readers, kind, about=None, /, *, audience=PRIVATE, header=None, **fields):
    """Makes and stores a private record of this home. The sealed content names `about` as the
    record that the new record answers. The open header names `header` as the parent.
    """
    plain = schema.pack_private_content(kind, fields, about and about.id)
    content = sealed(home, plain, readers)
    return home.put(home.forge("message", header, content=content, audience=audience))


def step(home, one):
    """Returns the bytes with which a private record names the entry `one` of its thread. These are
    the entry's id and the entry's key, as this home knows it.
    """
    return one.id + home.author.private.threads()[one.id].entries[one.id].key


def person(home):
    return home.me.person.hex()


def seen(home):
    """Returns everything that a home shows of private threads: all views, and for each entry the
    rule because of which it does not count, or None.
    """
    threads = {id(one): one for one in home.author.private.threads().values()}
    views = [view for one in threads.values() for view in one.views.values()]
    told = [
        (line.entry.id.hex(), line.refusal and line.refusal.rule)
        for one in threads.values()
        for line in one.history
    ]
    return sorted(repr(vars(view)) for view in views), sorted(told, key=repr)


def said(home):
    return [view.text for view in reversed(home.author.private.of_kind(Message))]


def members(home):
    """Returns the members of the only circle that this home knows."""
    (view,) = home.author.private.of_kind(Circle)
    return set(view.members)


def people(*homes):
    return {home.me.person for home in homes}


def circle(ada, *others):
    return ada.post("circle", name="Knitters", members=[person(one) for one in others])


def told(home, one):
    thread = home.author.private.threads()[one.id]
    refusal = next(line.refusal for line in thread.history if line.entry.id == one.id)
    return refusal and refusal.rule
