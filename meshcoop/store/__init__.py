"""The store in SQLite: the exact bytes of signed records, and the notes that a home keeps about
itself. The store reads the headers of records. It does not read their contents.
"""
