"""Benchmarks, each compared with the speed at which PyNaCl verifies signatures."""
