"""Shows the kinds of records, with one module for each group of related kinds. A module makes a
thread's card, its text ("story"), the records that a person can post next, and the cards of what
waits for the reader.
"""
