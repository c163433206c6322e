"""Standing: the number up to which a device's records count (R-03.7, R-03.12, R-03.28)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.authority.admission import Device
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.registers import Cuts


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The places where the logs of devices end, and the records beyond a fork that are accepted.

    `cuts`: removed person → device → the last number that counts. `forks`: device → the number at
    which its log forks. `accepts`: a record that a newcomer's accept of the charter names → the
    person who accepted → the id of the accept.
    """

    devices: dict[bytes, Device] = field(default_factory=dict)
    cuts: dict[bytes, Cuts] = field(default_factory=dict)
    forks: Mapping[bytes, int] = field(default_factory=dict)
    accepts: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)

    def stands(self, device: bytes, seq: int) -> bool:
        """Returns True if number `seq` of the device's log stands (R-03.12, R-03.28).

        It stands if it lies before the log's fork and not after a revocation or the cut of a
        removal.
        """
        return self._is_within_cuts(device, seq) and self.is_before_fork(device, seq)

    def is_before_fork(self, device: bytes, seq: int) -> bool:
        """Returns True if number `seq` lies before the fork of the device's log.

        If the log has no fork, it always returns True.
        """
        return seq < self.forks.get(device, seq + 1)

    def counts(self, record: AuthorityRecord, accepted_by: bytes | None) -> bool:
        """Returns True if a record stands, or if `accepted_by` accepted it beyond a fork (R-03.12).

        `accepted_by` is the person that the record concerns. An accept does not help against a
        revocation or a removal.
        """
        if not self._is_within_cuts(record.device, record.seq):
            return False
        is_accepted = accepted_by in self.accepts.get(record.id, {})
        return is_accepted or self.is_before_fork(record.device, record.seq)

    def _is_within_cuts(self, device_key: bytes, seq: int) -> bool:
        """Returns True unless number `seq` comes after a revocation or the cut of a removal.

        If the device is not known, it returns False.
        """
        device = self.devices.get(device_key)
        if device is None or not device.is_unrevoked_at(seq):
            return False
        cuts = self.cuts.get(device.person)
        return cuts is None or seq <= cuts.get(device_key, 0)


def read_accepts(
    index: AuthorityIndex,
    charter: bytes,
    devices: Mapping[bytes, Device],
    forks: Mapping[bytes, int],
) -> dict[bytes, dict[bytes, bytes]]:
    """Reads the accepts of the charter by newcomers, as `Standing.accepts` has them (R-03.20)."""
    accepts: dict[bytes, dict[bytes, bytes]] = {}
    for record in index.with_subject_in_order("accept", charter):
        device = devices.get(record.device)
        is_before_fork = record.seq < forks.get(record.device, record.seq + 1)
        # The cut of a removal does not take back an accept. Otherwise people that the newcomer
        # admitted within the cut would lose their membership.
        if device and device.is_unrevoked_at(record.seq) and is_before_fork:
            for accepted in record.parents[1:]:
                accepts.setdefault(accepted, {}).setdefault(device.person, record.id)
    return accepts
