"""Service chains, the measures of services, and what people do about the answers."""

from protocol.kinds.services import actions, measures, services

__all__ = ["actions", "measures", "services"]
