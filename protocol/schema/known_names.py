"""Fields that hold a name from a set of names. This program knows the set, and later versions may
extend it.

Only the author's software checks that it knows the name. Other nodes accept any text, because their
versions may know other names. If nodes judged a record differently, they would never agree
(R-10.3d).
"""

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from protocol import time_zones
from protocol.errors import Refused
from protocol.schema.fields import Resolve, Text

_MOST_NEAR = 3  # names in a refusal

# The languages with a two-letter code in ISO 639-1, and Filipino.
_LANGUAGES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da
de dv dz ee el en eo es et eu fa ff fi fil fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy
hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li
ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa
pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th
ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""


@dataclass(frozen=True, kw_only=True)
class KnownName(Text):
    """A name out of a set, such as the name of a kind of record."""

    max: int = 64
    example = ""  # a name of the set, for people who do not know any

    def names(self) -> Collection[str]:
        """Returns the set of names that this program knows for the field."""
        raise NotImplementedError

    def near_names(self, typed: str) -> list[str]:
        """Returns names of the set that somebody may have meant by `typed`."""
        return get_close_matches(typed.lower(), self.names(), _MOST_NEAR)

    def read(self, name: str, given: Any, resolve: Resolve) -> Any:
        typed = super().read(name, given, resolve)
        if type(typed) is not str:
            return typed
        spellings = {known_name.lower(): known_name for known_name in self.names()}
        if typed.strip().lower() in spellings:
            return spellings[typed.strip().lower()]
        near = ", ".join(self.near_names(typed[: self.max]))
        raise Refused(
            "R-10.3d",
            (
                "there is no {type_name} {typed!r}; did you mean {near}?"
                if near
                else "there is no {type_name} {typed!r}; name one such as {example}"
            ),
            field=name,
            type_name=self.type_name,
            typed=typed,
            near=near,
            example=self.example,
        )


@dataclass(frozen=True, kw_only=True)
class TimeZone(KnownName):
    """The name of a time zone."""

    type_name = "time zone"
    hint = "a name such as Europe/London"
    example = "Europe/London"

    def names(self) -> Collection[str]:
        return time_zones.zone_names().values()

    def near_names(self, typed: str) -> list[str]:
        return time_zones.near_zone_names(typed)


@dataclass(frozen=True, kw_only=True)
class Language(KnownName):
    """The code of a language."""

    type_name = "language"
    hint = "a code such as pl"
    max: int = 35  # other versions may know longer codes, such as pt-BR
    example = "pl"

    def names(self) -> Collection[str]:
        return frozenset(_LANGUAGES.split())
