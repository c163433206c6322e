"""`python -m meshcoop` is the command `meshcoop`."""

from meshcoop.cli.main import main

main()
