"""Computes who belongs, who decides and which rules are in force, from the open records only."""
