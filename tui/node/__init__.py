"""Connects the screen to its node."""
