"""One module for each family of kinds: its card, its story, its next steps, and what waits for the
reader.
"""
