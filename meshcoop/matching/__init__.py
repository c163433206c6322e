"""Who could help whom. Only this home works it out: nothing is posted, and nobody else learns of
it.
"""
