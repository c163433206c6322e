"""Standing: up to which number the records of each device count (R-03.7, R-03.12, R-03.28)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.authority.admission import Device
from protocol.authority.kind_names import ACCEPT
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.registers import Cuts


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Tells up to which number each log counts, and which records after a fork were accepted.

    `cuts` maps each removed person to the cuts of their logs: device → the last number that counts.
    `forks` maps each device with a forked log to the number of the fork. A newcomer's `accept` of
    the charter names the records that brought the newcomer in. `accepts[record][person]` is the id
    of the `accept` in which the person names the record.
    """

    devices: dict[bytes, Device] = field(default_factory=dict)
    cuts: dict[bytes, Cuts] = field(default_factory=dict)
    forks: Mapping[bytes, int] = field(default_factory=dict)
    accepts: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)

    def stands(self, device: bytes, seq: int) -> bool:
        """Returns True if record number `seq` of the device's log stands (R-03.12, R-03.28).

        The record stands if it comes before the log's fork, and not after a revocation or a
        removal's cut.
        """
        # The fold asks this about each record, so the code reads the tables itself.
        return self._is_within_cuts(device, seq) and (
            device not in self.forks or seq < self.forks[device]
        )

    def is_before_fork(self, device: bytes, seq: int) -> bool:
        """Returns True if number `seq` comes before the fork of the device's log.

        Also returns True if the log has no fork.
        """
        return seq < self.forks.get(device, seq + 1)

    def counts(self, record: AuthorityRecord, accepted_by: bytes | None) -> bool:
        """Returns True if a record stands, or comes after a fork and was accepted (R-03.12).

        `accepted_by` is the person that the record is about: only this person can accept it. If the
        record comes after a revocation or a removal's cut, it does not count even if it was
        accepted.
        """
        if not self._is_within_cuts(record.device, record.seq):
            return False
        is_accepted = accepted_by in self.accepts.get(record.id, {})
        return is_accepted or self.is_before_fork(record.device, record.seq)

    def _is_within_cuts(self, device_key: bytes, seq: int) -> bool:
        """Returns True if number `seq` of a device's log is not after a revocation or a removal's
        cut.

        Returns False if nobody has certified the device.
        """
        device = self.devices.get(device_key)
        if device is None or not device.is_unrevoked_at(seq):
            return False
        cuts = self.cuts.get(device.person) if self.cuts else None
        return cuts is None or seq <= cuts.get(device_key, 0)


def read_accepts(
    index: AuthorityIndex,
    charter: bytes,
    devices: Mapping[bytes, Device],
    forks: Mapping[bytes, int],
) -> dict[bytes, dict[bytes, bytes]]:
    """Returns which records newcomers accepted, in the form of `Standing.accepts` (R-03.20).

    A newcomer's `accept` of the charter names the records that brought the newcomer in.
    """
    accepts: dict[bytes, dict[bytes, bytes]] = {}
    for record in index.with_subject_in_order(ACCEPT, charter):
        device = devices.get(record.device)
        is_before_fork = record.seq < forks.get(record.device, record.seq + 1)
        # If the newcomer is removed later, the cut does not take back this accept. Otherwise
        # people that the newcomer admitted before the cut would lose their membership.
        if device and device.is_unrevoked_at(record.seq) and is_before_fork:
            for accepted in record.parents[1:]:
                accepts.setdefault(accepted, {}).setdefault(device.person, record.id)
    return accepts
