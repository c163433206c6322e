"""The names of the sorts of registers (R-03.25).

A register is a numbered value on which people decide. The name of its sort says what people decide,
such as whether somebody is in.
"""

STANDING = "standing"  # whether a person is in or removed
RULE = "rule"  # the value of a field of the charter
MEASURE = "measure"  # whether a measure is in use or retired; also the name of its kind
TRIAL = "trial"  # whether a trial has begun, and what became of it; also the name of its kind
HIDDEN = "hidden"  # whether a record's words are hidden or shown

SORTS = (STANDING, RULE, MEASURE, TRIAL, HIDDEN)

# What people type about a trial, and what its register then holds.
TRIAL_CHANGES = {
    "start": None,
    "adopt": "adopted",
    "adapt": "adapted",
    "drop": "dropped",
    "stop": "stopped",
}

# The fields of the charter that only a renewal changes. A renewal also changes the roll.
BY_RENEWAL = ("vouchers", "share", "moderators")
