"""The store in SQLite: signed records byte by byte, and what a home notes for itself. It reads the
headers of records, not their contents.
"""
