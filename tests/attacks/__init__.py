"""Attacks on the promises of the protocol, one module a promise, each test named after its attack."""
