"""Finds measures that could hold for a new service too (R-21.9).

If somebody who already answers for a service with measures opens another service, people are asked
whether these measures should hold for the new service too.
"""

from meshcoop.fold.loop_cache import LoopCache
from protocol.kinds.services.measures import Measure
from protocol.kinds.services.services import Service
from protocol.loops.windows import DAY_MS

_DAYS_ASKED = 28


def measures_to_copy(following: LoopCache, service: Service, now: int) -> list[Measure]:
    """Returns the measures that `service` could copy: the measures in use of earlier services for
    which the same person answers as for `service`. Returns none if `service` is not new, or has
    measures already. `now` is in ms.
    """
    is_new = service.created <= now <= service.created + _DAYS_ASKED * DAY_MS
    if not is_new or service.instead is not None or service.state != Service.State.OPEN:
        return []
    own = following.loops_for(service.id, now)
    if own is None or own.views_of(Measure):
        return []
    return [
        other.measure_of(loop)
        for other in following.all_followed(now)
        if other.service.order < service.order and other.chain[0] == service.answers_for
        for loop in other.loops.values()
        if not loop.is_over
    ]
