"""Shows the kinds of records, with one module for each group of related kinds. A module makes
cards, the text about a thread ("story"), and the next steps: the records that a person can post
now.
"""
