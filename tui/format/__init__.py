"""Puts values into words: durations, moments, names, labels, charts. Only this package makes
foreign text safe.
"""
