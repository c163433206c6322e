"""Benchmarks. Most of them compare a result with a limit: the speed at which PyNaCl verifies
signatures.
"""
