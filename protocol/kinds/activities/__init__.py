"""Activities: what people do together at a time, who comes, and who came."""

from protocol.kinds.activities import activities

__all__ = ["activities"]
