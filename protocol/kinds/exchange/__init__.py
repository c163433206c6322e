"""The exchange of time: from a request or an offer to hours that both people have signed."""
