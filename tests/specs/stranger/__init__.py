"""A second program, made from specs/ and its vectors alone. It uses nothing of meshcoop's code.

The program reads and writes values, records and frames, and runs one sync session. It leaves out
what a reader of records does not need: authority, forks, folding.
"""
