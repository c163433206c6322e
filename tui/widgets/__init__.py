"""The widgets from which the screens are built. Each file holds the look, the keys and the messages
of one widget.
"""
