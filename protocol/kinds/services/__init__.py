"""Service chains, measures of services, and what people do about the answers to measures."""

from protocol.kinds.services import actions, measures, services, trials

__all__ = ["actions", "measures", "services", "trials"]
