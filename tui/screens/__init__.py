"""Everything that fills the terminal: the tabs of the home screen, and the screens that open over
them.
"""
