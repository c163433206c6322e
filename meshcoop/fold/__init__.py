"""Turns the records of a home into its state: authority, epoch keys, threads and views. Records may
be folded a few at a time. The result is the same as if all of them were folded at once.
"""
