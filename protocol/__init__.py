"""The meshcoop protocol: bytes and records in, verdicts and views out. No I/O, clock or randomness."""
