"""The commands of `meshcoop`. Each file holds one group of commands; `meshcoop.cli` joins the
groups.
"""
