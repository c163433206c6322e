"""The local API: a server on a Unix socket answers the calls of screens and commands. The answers
are made from views.
"""
