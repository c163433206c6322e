"""Tools for developers, never imported by a running node: demo, benchmarks, spec checks."""
