"""Look-alikes are signs that look the same, such as the Latin, the Greek and the Cyrillic A. This
module writes a text with one sign for each group of look-alikes.

The table of look-alikes comes from Unicode (UTS 39, confusables), through the package
`confusable_homoglyphs`.
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

_DIRECTION_MARK = "\u200e"  # the table puts it around signs that are written from right to left


def find_skeleton(text: str) -> str:
    """Returns the skeleton of a text: every sign is replaced by the sign that stands for its
    look-alikes. Two texts that look the same have the same skeleton.
    """
    return text.translate(load_skeletons())


@cache
def load_skeletons() -> dict[int, str]:
    """Returns a table that maps the code of each sign to the signs that replace the sign. The same
    signs replace all signs that look alike.

    The first call takes 120 ms. So a node makes this call before its event loop begins.
    """
    from confusable_homoglyphs.confusables import confusables_data  # late: it reads a megabyte

    likenesses: defaultdict[str, set[str]] = defaultdict(set)
    for sign, others in confusables_data.items():
        likenesses[_strip(sign)].update(_strip(other["c"]) for other in others)
    standing: dict[str, str] = {}
    for sign in likenesses:
        if len(sign) == 1:
            standing[sign] = _standing_for(sign, likenesses)
    return {ord(sign): _replace_each(standing[sign], standing) for sign in standing}


def _standing_for(sign: str, likenesses: dict[str, set[str]]) -> str:
    """Chooses which member of a group stands for the group. The group is a sign and all its
    look-alikes. A member is one sign, or several signs together.

    Returns the member with the most look-alikes in `likenesses`. Usually this member has all other
    members as look-alikes, and each of the others has only this member.
    """
    group = {sign, *likenesses[sign]}
    return max(group, key=lambda member: (len(likenesses[member]), len(member), member))


def _replace_each(signs: Iterable[str], standing: dict[str, str]) -> str:
    return "".join(standing.get(sign, sign) for sign in signs)


def _strip(signs: str) -> str:
    return signs.replace(_DIRECTION_MARK, "")
