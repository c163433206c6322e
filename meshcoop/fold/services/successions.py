"""Finds the services that go on in the place of others (R-21.8).

Everything that people said about the first service stays in its thread: its links, its measures and
its matters. A service that goes on in the place of the first service only gives it a new
description.
"""

from collections import defaultdict
from collections.abc import Sequence

from meshcoop.fold.state import State
from protocol.fold.facets import ServiceFacts
from protocol.kinds.services.services import Service


class Successions:
    """The successions of the services of one home. They are found again after a new service has
    come.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._service_count = 0
        self._successors: dict[bytes, list[Service]] = {}
        self._first_of: dict[bytes, bytes] = {}

    def successors_of(self, first: bytes) -> Sequence[Service]:
        """Returns the services that go on in the place of a service, the earliest first. The last of
        them describes the service now.
        """
        self._find()
        return self._successors.get(first, ())

    @property
    def has_any(self) -> bool:
        """True if any service goes on in the place of another service."""
        self._find()
        return bool(self._successors)

    def first_of(self, service: bytes) -> bytes:
        """Returns the id of the service in whose place `service` goes on. If `service` goes on in
        the place of no other service, returns the id of `service`.
        """
        self._find()
        return self._first_of.get(service, service)

    def facts_of(self, service_id: bytes) -> ServiceFacts | None:
        """Returns who answers for a service now. Returns None if the service is not here, or has
        ended.
        """
        first = self._state.views.find(self.first_of(service_id))
        if not isinstance(first, Service) or first.state != Service.State.OPEN:
            return None
        described = [first, *self.successors_of(first.id)]
        return ServiceFacts(first.id, described[-1].answers_for, _people_of(described))

    def _find(self) -> None:
        # Nobody can change or retract a service, so only a new one changes anything.
        service_count = self._state.views.count(Service)
        if service_count == self._service_count:
            return
        self._service_count = service_count
        services = sorted(self._state.views.of_kind(Service), key=lambda service: service.order)
        first_services = {service.id: service for service in services if service.instead is None}
        described = defaultdict(
            list, {service_id: [first] for service_id, first in first_services.items()}
        )
        for service in services:
            so_far = described.get(service.instead or b"")
            if so_far is not None and _goes_on(service, so_far):
                so_far.append(service)
        self._successors = {first: row[1:] for first, row in described.items() if len(row) > 1}
        self._first_of = {
            service.id: first for first, row in self._successors.items() for service in row
        }


def _goes_on(service: Service, so_far: Sequence[Service]) -> bool:
    """Returns True if `service` goes on in the place of the services `so_far` (R-21.8b). The author
    of `service` must have described one of these services, or answered for it. Either this author,
    or the person who answers for the last of these services, must answer for `service`.
    """
    allowed = {service.author, so_far[-1].answers_for}
    return service.author in _people_of(so_far) and service.answers_for in allowed


def _people_of(described: Sequence[Service]) -> frozenset[bytes]:
    """Returns who described a service, and who answered for it."""
    return frozenset(
        person for service in described for person in (service.author, service.answers_for)
    )
