"""The names of registers. A name says what kind of thing a numbered value is about (R-03.25)."""

STANDING = "standing"  # a person: removed or in
RULE = "rule"  # a field of the charter
MEASURE = "measure"  # in use or retired
HIDDEN = "hidden"  # a record: its words hidden or shown

# The fields of the charter that only a renewal changes. A renewal also changes the roll.
BY_RENEWAL = ("vouchers", "share", "moderators")
