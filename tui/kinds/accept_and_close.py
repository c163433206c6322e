"""The names of the steps that accept a record or close it. The face of that record has the words of
these steps.
"""

ACCEPT = "accept"
CLOSE = "close"
