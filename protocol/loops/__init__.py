"""Local feedback control: is it signal or noise, and who is asked (specs/20-loops.md).

Integers and exact fractions only: all homes with the same records reach the same result.
"""
