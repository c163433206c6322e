"""What must hold in a town of honest and hostile people, whatever the hostile people sign.

Fewer than half of every roll and of the moderators are hostile.
"""

from protocol.schema.register_names import RULE, STANDING

FOUNDING_GROUP = 3  # smallest_group, if nobody changes it


def broken_promises(town, known):
    """Returns the promises that a view breaks. The view may know only few of the records."""
    promises = {
        "a term without an honest yes": has_honest_terms,
        "somebody honest is expelled": keeps_honest_seats,
        "a rule without an honest yes": keeps_rules,
        "more false people than the hostile voters have room for": bounds_false_people,
        "more false people stored than stated": bounds_stored_people,
        "somebody removed is back, or counts further": keeps_removed,
    }
    return [promise for promise, holds in promises.items() if not holds(town, known)]


def has_honest_terms(town, known):
    return all(term.id in town.renewed for term in known.chain.terms[1:])


def keeps_honest_seats(town, known):
    seats = {one for term in known.chain.terms for one in term.roll}
    return seats - town.hostile <= set(known.members)


def keeps_rules(town, known):
    held = known.holding((RULE, "smallest_group"))
    agreed = [FOUNDING_GROUP, *(one[3] for one in town.agreed if one[0] == RULE)]
    value = known.charter["smallest_group"]
    return value in agreed and (held.n == 0 or value == held.value)


def bounds_false_people(town, known):
    """Only the hostile vouched for a false person, and no term lists the person yet."""
    seats = {one for term in known.chain.terms for one in term.roll}
    listed = {key for term in known.chain.terms for _, key in term.written}
    false = [
        one
        for one in (set(known.members) & town.hostile) - seats - listed
        if known.vouchers_of(one) <= town.hostile
    ]
    return len(false) <= known.charter["room"] * len(seats & town.hostile)


def bounds_stored_people(town, known):
    """A device vouches for three times `room` people whom no passed term lists."""
    seats = {one for term in known.terms.values() for one in term.roll}
    listed = {key for term in known.terms.values() for _, key in term.written}
    vouching = {act.device for act in town.acts if act.kind == "admit"}
    return len(known.ever_let_in - seats - listed) <= 3 * known.charter["room"] * len(vouching)


def keeps_removed(town, known):
    """A hostile person's standing beyond the number 1 has a number that somebody honest asked for.

    Number 1 may be that of a leave, while the person still belongs.
    """
    honest = {(key, n) for what, key, n, _ in town.agreed if what == STANDING}
    honest |= {
        (act.fields["person"], act.fields["n"])
        for act in town.acts
        if act.kind == "remove" and act.device in town.honest_devices
    }
    return all(
        held.n <= 1 or (key, held.n) in honest
        for (what, key), held in known.registers.items()
        if what == STANDING and key in town.hostile
    )
