"""Private records that no honest software writes: sealed to anybody, holding anything."""

from protocol import schema, seal
from protocol.record import PRIVATE


def sealed(home, plain, readers, *, cover=seal.cover):
    """Content for the next place of this home's log."""
    place = seal.context(home.state.neighbourhood, home.me.device, home.head.seq + 1)
    boxes = [seal.box_key(one.me.device_seed).public for one in readers]
    return seal.seal_for(boxes, cover(plain), place, home.street.dice.randbytes(32))


def letter(home, readers, kind, about=None, /, *, audience=PRIVATE, header=None, **fields):
    """A private record of this home about `about`, stored here; `header`: a parent in the clear."""
    plain = schema.private_content(kind, fields, about and about.id)
    content = sealed(home, plain, readers)
    return home.put(home.forge("message", header, content=content, audience=audience))


def step(home, one):
    """What a record names of another: its id and its key, as this home knows it."""
    return one.id + home.author.private.threads()[one.id].entries[one.id].key
