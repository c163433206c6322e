"""Makes test vectors of authority. They show who belongs to a neighbourhood according to its open
records.
"""

from collections.abc import Sequence
from typing import Any

from meshcoop.dev.specs import vectors
from meshcoop.dev.specs.vectors import (
    MINUTE_MS,
    START_MS,
    Document,
    Json,
    KeySet,
    keys_of,
    sign_next,
    to_json,
)
from protocol.authority import authority
from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityRecord
from protocol.fold import content as contents
from protocol.record import envelope
from protocol.record.envelope import Record

_LASTING = envelope.OPEN | envelope.LASTING
_YES = {"choice": "yes"}
_FAR_AHEAD = 10**14  # a time that no clock shows


def make_documents() -> Document:
    """Makes the vector file of this module. Returns a map from the file's name in specs/vectors/ to
    the file's content.
    """
    return {"authority": _make_authority()}


def describe_authority(authority: Authority) -> Document:
    """Describes members, candidates and devices in the form of the vectors."""
    members = sorted(authority.members.values(), key=lambda member: member.person)
    devices = sorted(authority.devices.values(), key=lambda device: device.key)
    return {
        "members": [
            {
                "person": member.person.hex(),
                "since": member.since,
                "admits": to_json(list(member.admits)),
            }
            for member in members
        ],
        "waiting": [
            {"person": person.hex(), "vouched": sorted(voucher.hex() for voucher in vouchers)}
            for person, vouchers in sorted(authority.candidates.items())
        ],
        "devices": [
            {
                "device": device.key.hex(),
                "person": device.person.hex(),
                "revoked": device.revoked_after,
            }
            for device in devices
        ],
    }


def read_authority_record(record: Record) -> AuthorityRecord:
    """Reads an open record in the same way as the code that folds authority."""
    assert record.content is not None, "the vectors erase no record of authority"
    kind, fields = contents.read_content(record.content)
    header = record.header
    return AuthorityRecord(
        record.id, header.device, header.seq, header.time, kind, fields, tuple(header.parents)
    )


def _make_authority() -> list[Document]:
    """Makes vectors 1, 2 and 23 of the rules of authority.

    In vector 1, two people found the neighbourhood. In vectors 2 and 23, one person founds it. In
    vectors 1 and 2, a newcomer needs two vouchers (V = 2).
    """
    ana, ben, cai, dee, eli = (keys_of(name) for name in ("Ana", "Ben", "Cai", "Dee", "Eli"))
    two_founders = Rolls([ana, ben])
    one_founder = Rolls([ana])
    little_room = Rolls([ana], vouchers=1, room=2)
    three_newcomers = [(ana, cai), (ana, dee), (ana, eli)]
    return [
        two_founders.describe_admissions("founders A and B, V = 2: A admits X", [(ana, cai)]),
        two_founders.describe_admissions(
            "founders A and B, V = 2: A and B admit X", [(ana, cai), (ben, cai)]
        ),
        two_founders.describe_admissions(
            "A and B admit X, X and A admit Y", [(ana, cai), (ben, cai), (cai, dee), (ana, dee)]
        ),
        two_founders.describe_admissions(
            "A and B admit X, X and A admit Y, a renewal puts X on the roll",
            [(ana, cai), (ben, cai), (cai, dee), (ana, dee)],
            joining=[cai],
        ),
        one_founder.describe_admissions("founder F, V = 2: F admits X", [(ana, cai)]),
        one_founder.describe_admissions(
            "founder F, V = 2: F admits X, X alone admits Y", [(ana, cai), (cai, dee)]
        ),
        one_founder.describe_admissions(
            "F admits X, X and F admit Y", [(ana, cai), (cai, dee), (ana, dee)]
        ),
        one_founder.describe_admissions(
            "F admits X, X and F admit Y, F alone admits W, a renewal puts X on the roll",
            [(ana, cai), (cai, dee), (ana, dee), (ana, eli)],
            joining=[cai],
        ),
        little_room.describe_admissions("V = 1, room 2: A admits X, Y and Z", three_newcomers),
        little_room.describe_admissions(
            "V = 1, room 2: A admits X, Y and Z, a renewal puts X on the roll",
            three_newcomers,
            joining=[cai],
        ),
        *_describe_times(),
        _describe_shared_device(),
        one_founder.describe_admissions(
            "F admits X with a statement for elsewhere", [(ana, cai)], vectors.seed_of("away")
        ),
    ]


def _describe_times() -> list[Document]:
    """Makes vectors of claimed times. Votes count no matter which times they claim (R-03.9c).
    Certificates are ordered by their times: of five devices, the four with the earliest
    certificates count (R-03.5c).
    """
    ana, ben, cai = (keys_of(name) for name in ("Ana", "Ben", "Cai"))
    rolls = Rolls([ana, ben], vouchers=1)
    renewal = rolls.sign(ana, [], "renewal", rolls.renewal_fields([cai]))
    votes = [
        rolls.sign(ana, [renewal], "vote", _YES, about=renewal.id, time=_FAR_AHEAD),
        rolls.sign(ben, [], "vote", _YES, about=renewal.id, time=START_MS),
    ]
    further = [_further_device(ben, number) for number in range(4)]
    carriers: list[Record] = []
    for keys in further:
        fields = {"statement": keys.certificate(rolls.place)}
        carriers.append(rolls.sign(ana, carriers, "device", fields))
    latest = _further_device(ben, 4)
    early = rolls.sign(
        ben, [], "device", {"statement": latest.certificate(rolls.place)}, time=START_MS
    )
    return [
        rolls.describe(
            "A and B say yes to a renewal with X; the votes claim a time far ahead and a time"
            " before the renewal",
            [renewal, *votes],
        ),
        rolls.describe("B has five devices: the latest certificate is too much", carriers),
        rolls.describe(
            "B has six devices: the certificate that came last claims the earliest time",
            [*carriers, early],
        ),
    ]


def _describe_shared_device() -> Document:
    """Makes the vector of a device that two people have certified (R-03.5e)."""
    ana, ben, cai, dee = (keys_of(name) for name in ("Ana", "Ben", "Cai", "Dee"))
    rolls = Rolls([ana, ben], vouchers=1)
    renewal = rolls.sign(ana, [], "renewal", rolls.renewal_fields([cai]))
    shared = dee._replace(device_seed=ben.device_seed, device=ben.device, box=ben.box)
    admit = {"person": keys_of("Eli").person, "statement": keys_of("Eli").certificate(rolls.place)}
    return rolls.describe(
        "B's device has a certificate of Y too: its yes to a renewal counts, its admit does not",
        [
            renewal,
            rolls.sign(ana, [renewal], "vote", _YES, about=renewal.id),
            vote := rolls.sign(ben, [], "vote", _YES, about=renewal.id),
            rolls.sign(ben, [vote], "admit", admit),
            rolls.sign(cai, [], "device", {"statement": shared.certificate(rolls.place)}),
        ],
    )


def _further_device(person: KeySet, number: int) -> KeySet:
    """Returns the keys of a further device that belongs to a person."""
    keys = keys_of(f"further device {number}")
    return keys._replace(root_seed=person.root_seed, person=person.person)


class Rolls:
    """A neighbourhood with the given founders. Its people admit newcomers."""

    def __init__(self, founders: list[KeySet], vouchers: int = 2, **rules: int) -> None:
        self._founders = founders
        self._vouchers = vouchers
        fields = {
            "name": "Elm Row",
            "founders": [founder.certificate() for founder in founders],
            "vouchers": vouchers,
            "room": 10,
            **rules,
        }
        content = contents.pack_content("charter", fields)
        self._charter = sign_next(
            founders[0],
            None,
            content,
            neighbourhood=envelope.FOUNDING_ID,
            time=START_MS,
            audience=_LASTING,
        )

    def describe_admissions(
        self,
        name: str,
        admissions: list[tuple[KeySet, KeySet]],
        place: bytes | None = None,
        joining: Sequence[KeySet] = (),
    ) -> Document:
        """Describes who belongs to the neighbourhood after some admissions. An entry of
        `admissions` is a pair: a voucher, and the newcomer whom this voucher admits.

        The newcomers' statements name the neighbourhood `place`. If `place` is None, they name this
        neighbourhood. `joining` are people who join the roll at the end. For them, all founders
        vote yes on a renewal.
        """
        records = [self._charter]
        for voucher, newcomer in admissions:
            certificate = newcomer.certificate(place or self._charter.id)
            fields = {"person": newcomer.person, "statement": certificate}
            records.append(self.sign(voucher, records, "admit", fields))
        if joining:
            records += self._renew(records, joining)
        return self.describe(name, records[1:])

    def describe(self, name: str, records: list[Record]) -> Document:
        """Describes who belongs according to the charter and these records."""
        return {
            **self.describe_records(name, records),
            "authority": describe_authority(self.fold(records)),
        }

    def describe_records(self, name: str, records: list[Record]) -> dict[str, Json]:
        """Describes the charter and these records."""
        records = [self._charter, *records]
        return {
            "name": name,
            "neighbourhood": self._charter.id.hex(),
            "records": [{"id": record.id.hex(), "wire": record.wire.hex()} for record in records],
        }

    def fold(self, records: list[Record]) -> Authority:
        """Computes authority from the charter and these records."""
        charter, *others = [read_authority_record(record) for record in [self._charter, *records]]
        return authority.fold_authority(charter, others, {})

    @property
    def place(self) -> bytes:
        """The id of the neighbourhood."""
        return self._charter.id

    def _renew(self, records: list[Record], joining: Sequence[KeySet]) -> list[Record]:
        """Signs a renewal that puts people on the roll. Signs the founders' votes for
        this renewal.
        """
        signed = [self.sign(self._founders[0], records, "renewal", self.renewal_fields(joining))]
        renewal = signed[0].id
        for founder in self._founders:
            signed.append(self.sign(founder, [*records, *signed], "vote", _YES, about=renewal))
        return signed

    def renewal_fields(
        self, joining: Sequence[KeySet] = (), *, parent: bytes | None = None
    ) -> dict[str, Any]:
        """Returns the fields of a renewal that puts people on the roll. `parent` is the id of the
        term before. Without `parent`, the charter is the term before.
        """
        return {
            "parent": parent or self._charter.id,
            "round": 1,
            "moderators": sorted(founder.person for founder in self._founders),
            "vouchers": self._vouchers,
            "share": 50,
            "joining": sorted(newcomer.person for newcomer in joining),
        }

    def sign(
        self,
        author: KeySet,
        records: list[Record],
        kind: str,
        fields: Document,
        *,
        about: bytes | None = None,
        time: int | None = None,
    ) -> Record:
        """Signs the author's next record. `records` are the records after the charter. If `time` is
        not given, the new record is dated a minute after the last of `records`.
        """
        own = [
            record for record in [self._charter, *records] if record.header.device == author.device
        ]
        return sign_next(
            author,
            own[-1] if own else None,
            contents.pack_content(kind, fields),
            neighbourhood=self._charter.id,
            time=START_MS + len(records) * MINUTE_MS if time is None else time,
            audience=_LASTING,
            parents=(about,) if about else (),
        )
