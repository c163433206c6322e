"""The screens that fill the terminal: the home screen with its tabs, and the pages and forms that
open over it.
"""
