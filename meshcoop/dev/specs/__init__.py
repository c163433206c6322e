"""Checks that specs/ agrees with the code: generated tables, test vectors and rule numbers."""
