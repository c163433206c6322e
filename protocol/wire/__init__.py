"""The peer protocols and the local API as pure code: bytes in, events out, no network access."""
