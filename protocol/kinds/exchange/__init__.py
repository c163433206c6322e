"""From a request or an offer to hours that both have signed."""
