"""Local feedback control: is a change only noise, and who must act (specs/20-loops.md)?

All modules here compute with integers and exact fractions only. So all homes with the same records
get the same result.
"""
