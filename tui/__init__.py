"""What residents see: a client of the local API."""
