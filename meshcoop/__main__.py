"""`python -m meshcoop` does the same as the command `meshcoop`."""

from meshcoop.cli.main import main

main()
