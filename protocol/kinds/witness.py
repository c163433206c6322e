"""The kind with which a home says what it has seen (specs/24-witnesses.md).

`protocol.authority.witnesses` works out from these records when a record was seen. These records
change no view.
"""

from protocol.fold.kind import SOMETHING, Words
from protocol.fold.registry import kind
from protocol.kinds.neighbourhood import Authorial
from protocol.record.envelope import OPEN
from protocol.schema.declare import Bytes, Many

MOST_NAMED = 64  # ids in one record


@kind("witness", audience=OPEN, lasting=True, posted=False, automatic_a_day=16)
class Witness(Authorial):
    """A witness's home names the records that it holds."""

    wording = Words("Seen by a witness", happened="{who} named records that they hold")
    example = {"term": SOMETHING, "ids": [SOMETHING]}
    # Neither a cut nor a revocation nor a fork undoes what was seen.
    judged_by_authority = True

    term: bytes = Bytes(required=True, min=32, max=32, help="the term on whose list the author is")
    ids: list[bytes] = Many(
        of=Bytes(min=32, max=32), required=True, max=MOST_NAMED, help="what the home holds"
    )
