"""Another program, made from specs/ and its vectors alone: nothing here knows meshcoop's code.

It reads and writes values, records and frames, and holds one sync session. It leaves out what a
reader of records does not need: authority, forks, folding.
"""
