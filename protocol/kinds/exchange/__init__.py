"""The exchange: from a request or an offer to hours that both have signed."""
