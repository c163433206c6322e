"""The meshcoop protocol as pure functions, without I/O, clock or randomness.

The functions read bytes and records, decide which records count, and compute what people see.
"""
