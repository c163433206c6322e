"""A second program, made from specs/ and its vectors alone. The program uses nothing of meshcoop's
code.

It reads and writes values, records and frames, and runs one sync session. It does not deal with
authority, forks or folding, because a program that only reads records does not need these.
"""
