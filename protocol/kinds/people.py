"""Kinds about people (specs/12-people.md)."""

from protocol.fields import Many, Minutes, Text
from protocol.schema import Kind, kind


@kind("profile")
class Profile(Kind):
    """What a person brings and would like, before any need. Their latest one is shown."""

    states = ("current",)
    name = Text(required=True, min=1, max=80)  # type: ignore[assignment]  # the field, not the kind's name
    about = Text(max=1000)  # type: ignore[assignment]  # the field, not what the kind is about
    assets = Many(of=Text(min=1, max=60), help="what the person can give")
    wants = Many(of=Text(min=1, max=60), help="what the person would like")
    languages = Many(of=Text(min=1, max=35))
    area = Text(max=60, help="a coarse area, never an address")
    affiliation = Text(max=80, help="an organisation, if any")
    minutes_a_month = Minutes(help="time the person has for others")
