"""The names of the kinds that authority reads, and of the retraction.

The kinds themselves are declared in `protocol.kinds`, above authority, with these names.
"""

CHARTER = "charter"
ADMIT = "admit"
ACCEPT = "accept"
DEVICE = "device"
EPOCH = "epoch"
RENEWAL = "renewal"
PART = "part"
PROPOSAL = "proposal"
VOTE = "vote"
REMOVE = "remove"
HIDE = "hide"
RELAY = "relay"

# Relays erase the content of the record that a retraction names. So the fold and the store need
# the name of this kind too.
RETRACT = "retract"
