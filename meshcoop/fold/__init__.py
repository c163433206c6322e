"""Turns the records of a home into its state: authority, epoch keys, threads and views. A home may
fold its records a few at a time. The result is the same as if the home folded all records at once.
"""
