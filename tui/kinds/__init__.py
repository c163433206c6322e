"""Shows records of all kinds. Each group of related kinds has a module here. A module makes cards,
the text about a thread (its "story"), and next steps. A next step is a record that a person can
post now.
"""
