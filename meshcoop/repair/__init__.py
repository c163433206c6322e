"""Finds and repairs damage: the doctor, the integrity checks, and the rebuilding of a store."""
