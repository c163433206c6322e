"""Keeps specs/ and the code in step: tables, vectors, rule numbers."""
