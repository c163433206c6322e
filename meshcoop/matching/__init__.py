"""Finds who could help whom. Each home works this out for itself: it posts nothing, and no other
home learns the result.
"""
