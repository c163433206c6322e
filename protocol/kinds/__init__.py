"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import conversation, decisions, exchange, moderation, neighbourhood, people

__all__ = ["conversation", "decisions", "exchange", "moderation", "neighbourhood", "people"]
