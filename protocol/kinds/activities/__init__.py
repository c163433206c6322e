"""Activities: what people do together at a set time, who will come, and who came."""

from protocol.kinds.activities import activities

__all__ = ["activities"]
