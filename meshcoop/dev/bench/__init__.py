"""Benchmarks. Each compares what it measures with a limit. For most of them, the limit is the speed
at which PyNaCl verifies signatures.
"""
