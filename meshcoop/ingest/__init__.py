"""The only way into the store. Every incoming record is parsed, verified, placed in its log, stored
and folded. Then listeners are told about it.
"""
