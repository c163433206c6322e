"""Rules for the fields of records: which values are allowed, and how people type and see them.

The package `protocol.kinds` uses these rules to declare the kinds of records.
"""
