"""Signs records: those that this home's people post, and those that the home's software posts by
itself.
"""
