"""What a home makes of its records: authority, epoch keys, threads and views. Folding in small
steps gives the same result as a rebuild.
"""
