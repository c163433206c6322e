"""Turns the records of a home into its state: authority, epoch keys, threads and views. Whether a
home folds all records at once or a few at a time, the result is the same.
"""
