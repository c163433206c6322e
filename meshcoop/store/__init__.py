"""The store in SQLite. It holds the exact bytes of signed records, and notes of this home about
itself. It reads the headers of records, not their contents.
"""
