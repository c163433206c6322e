"""Finds people who could help each other. Each home does this from its own records: it posts
nothing, and no other home learns the result.
"""
