"""The program of a newcomer for whom time passes quickly: it has waited long enough for keys of homes,
and has been up long enough to ask for them in a record.
"""

from meshcoop.node import node
from meshcoop.sync import home_mesh

node._KEYS_SECONDS = 0
home_mesh._ASK_AFTER_MS = 0
