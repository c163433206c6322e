"""Tools for developers: the demo, the benchmarks and the checks of the specs. A running node uses
none of these tools.
"""
