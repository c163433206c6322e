"""The rules that a charter sets and that decisions change (specs/11-neighbourhood.md).

The rules are declared here because `protocol.authority` reads them and does not import the record
kinds. The record kind `charter` inherits them.
"""

from protocol.schema.bounds import Bound
from protocol.schema.declare import Bytes, Integer, Many, Minutes, Moment, Name, Person, declare
from protocol.schema.fields import Field
from protocol.schema.known_names import Language, TimeZone
from protocol.schema.values import PersonId


class CharterRules:
    """The fields of a charter, with their defaults and bounds."""

    name: str | None = Name(required=True, help="the neighbourhood's name")
    founders: list[bytes] = Many(of=Bytes(min=1, max=512), required=True, filled=True)
    moderators: list[PersonId] | None = Many(
        of=Person(), help="who may remove somebody; the founders if left out"
    )
    vouchers: int | None = Integer(
        min=1, max=16, default=2, help="members who vouch for a newcomer"
    )
    quota_records: int | None = Integer(
        min=10, max=1_000_000, default=250, help="records a device and day"
    )
    quota_bytes: int | None = Integer(
        min=16_384, max=2**40, default=262_144, help="bytes of content a device and day"
    )
    credit_low: int | None = Minutes(
        min=-1_000_000, max=0, default=-600, help="advised lowest balance, minutes"
    )
    credit_high: int | None = Minutes(
        min=0, max=1_000_000, default=1200, help="advised highest balance, minutes"
    )
    smallest_group: int | None = Integer(
        min=1, max=1000, default=3, help="fewest people whose answers show"
    )
    share: int | None = Integer(
        min=50, max=99, default=50, help="percent of the roll that a decision exceeds"
    )
    room: int | None = Integer(
        min=1, max=1000, default=10, help="newcomers a voucher brings before a term lists them"
    )
    settle_hours: int | None = Integer(
        min=24, max=168, default=72, help="hours until a window settles"
    )
    # At most a week, so that no council lets its own matters rest; at least a day, so that whoever
    # holds a matter can answer it before it climbs.
    answer_days: int | None = Integer(min=1, max=7, default=3, help="days to answer a matter")
    offset: int | None = Minutes(
        min=-1080, max=1080, default=0, help="minutes from UTC for windows of days"
    )
    timezone: str | None = declare(TimeZone(help="the zone of all local times; UTC if left out"))
    lang: str | None = declare(Language(help="its language; names are sorted by its alphabet"))
    bounds: list[list[str | int]] | None = Many(
        of=Bound(), help="what measures may be; repeat for more"
    )
    review: str | None = Moment(
        day_only=True, days_back=0, help="the day the charter is looked at again"
    )


CHARTER_RULES: dict[str, Field] = {
    name: rule for name, rule in vars(CharterRules).items() if isinstance(rule, Field)
}
