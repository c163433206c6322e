"""The commands of the program `meshcoop`. Each file in this folder holds one group of commands, and
`main.py` joins the groups.
"""
