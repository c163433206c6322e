"""The screen's connection to its node."""
