"""Keeps specs/ and the code equal: generated tables, test vectors and rule numbers."""
