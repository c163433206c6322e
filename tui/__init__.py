"""The terminal screen that residents see. It is a program of its own, and talks to the node over
the local API.
"""
