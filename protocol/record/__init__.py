"""Signed records and their logs: encoding, signatures, encryption and statements of root keys."""
