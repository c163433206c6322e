"""The exchange of time: from a request or an offer to hours that both people have signed."""

from protocol.kinds.exchange import exchange, payments

__all__ = ["exchange", "payments"]
