"""Benchmarks. Each compares its figure with the speed at which PyNaCl verifies signatures."""
