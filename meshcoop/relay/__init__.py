"""The relay. It stores and passes on records for the neighbourhoods that enrolled it. It cannot
read sealed content.
"""
