"""The only way into the store: records are parsed, verified, placed, stored, folded and
announced.
"""
