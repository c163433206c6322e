"""`python -m meshcoop` is the command `meshcoop`."""

import sys

from meshcoop.cli import main

sys.exit(main())
