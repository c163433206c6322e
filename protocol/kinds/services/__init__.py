"""Service chains, measures of services, and what people do about the answers to measures."""

from protocol.kinds.services import actions, measures, services

__all__ = ["actions", "measures", "services"]
