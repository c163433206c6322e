"""`python -m meshcoop` is the command `meshcoop`."""

from meshcoop.cli import main

main()
