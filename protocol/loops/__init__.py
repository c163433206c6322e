"""Local feedback control: is a change signal or noise, and who is asked (specs/20-loops.md).

It computes with integers and exact fractions only, so that all homes with the same records reach
the same result.
"""
