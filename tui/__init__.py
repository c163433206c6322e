"""The screen that residents see. It is a client of the local API."""
