"""The names of two steps: one accepts a record, and the other closes a record. The labels of both
steps come from the face of the record that they are about.
"""

ACCEPT = "accept"
CLOSE = "close"
