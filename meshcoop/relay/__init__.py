"""The relay stores records for the neighbourhoods that have enrolled it, and passes these records
on. The relay cannot read sealed content.
"""
