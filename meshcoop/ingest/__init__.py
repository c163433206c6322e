"""The only way into the store. Every incoming record is parsed, verified, placed in its log, stored
and folded. Then the parts of the program that listen for new records are called.
"""
