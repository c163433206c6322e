"""Finds and repairs damage to a home. Has the doctor, the integrity checks, and the rebuilding of a
store.
"""
