"""Tools for developers: the demo, the benchmarks and the checks of the specs. A node imports
none.
"""
