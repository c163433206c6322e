"""Signs records: the posts of this home's people, and the records that the home's software posts by
itself.
"""
