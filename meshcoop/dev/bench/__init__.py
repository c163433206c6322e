"""Benchmarks beside the PyNaCl limit."""
