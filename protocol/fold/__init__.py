"""Folding: computes the views of a thread from its records. The registry of kinds is here too."""
