"""Finds and repairs damage to a store: the integrity checks, and the rebuilding of a store."""
