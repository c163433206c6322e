"""The names of two steps: one accepts a record, and the other closes a record. Each kind of record
has a face, the code that shows its records. The face of the accepted or closed record has the
labels of both steps.
"""

ACCEPT = "accept"
CLOSE = "close"
